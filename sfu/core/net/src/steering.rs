//! Lets the kernel give datagrams to the worker that they belong to, where it allows that (CAP_BPF).
//!
//! Workers share one port, and the kernel spreads senders over their sockets by a hash of the address. A small program
//! in the kernel looks an address up first: the workers write into its table which of them a validated path belongs to,
//! at the same moment at which they would otherwise begin to hand its datagrams over. Whoever is not in the table goes
//! by the hash as before, and is handed over; so the table may be full, late or absent without any harm.
//!
//! Kernel: Documentation/bpf/map_hash.rst, include/uapi/linux/bpf.h (`BPF_PROG_TYPE_SK_REUSEPORT`, Linux 4.19).

use std::ffi::c_long;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::socket::UdpSocket;

/// Paths that are steered at a time; of more, the kernel forgets those that nothing has come from for the longest time.
const MAX_PATHS: u32 = 16_384;

const MAP_CREATE: c_long = 0;
const MAP_UPDATE_ELEM: c_long = 2;
const MAP_DELETE_ELEM: c_long = 3;
const PROG_LOAD: c_long = 5;
const MAP_TYPE_LRU_HASH: u32 = 9;
const MAP_TYPE_REUSEPORT_SOCKARRAY: u32 = 20;
const PROG_TYPE_SK_REUSEPORT: u32 = 21;

/// The table of one port, which the program of its sockets reads.
pub(crate) struct Steering {
    paths: OwnedFd,
}

impl Steering {
    /// Has the kernel steer what comes to `sockets`, all bound to one address, one of each worker in their order.
    pub(crate) fn new(sockets: &[&UdpSocket]) -> io::Result<Steering> {
        let paths = map(MAP_TYPE_LRU_HASH, size_of::<Key>() as u32, 4, MAX_PATHS)?;
        let workers = map(MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, sockets.len() as u32)?;
        for (worker, socket) in sockets.iter().enumerate() {
            update(&workers, &(worker as u32), &(socket.as_raw_fd() as u64))?;
        }
        let program = load(&program(paths.as_raw_fd(), workers.as_raw_fd()))?;
        if let Some(first) = sockets.first() {
            first.steer_by(program.as_raw_fd())?;
        }
        // Sockets hold the program, the program its tables; only the table that changes is needed here.
        Ok(Steering { paths })
    }

    /// Gives what comes from `remote` to `worker`. Should the kernel refuse, it is handed over as before.
    pub(crate) fn steer(&self, remote: SocketAddr, worker: u8) {
        let _ = update(&self.paths, &Key::of(remote), &u32::from(worker));
    }

    /// Lets what comes from `remote` go by the kernel's own choice again.
    pub(crate) fn forget(&self, remote: SocketAddr) {
        let key = Key::of(remote);
        let attr = Element {
            map: self.paths.as_raw_fd() as u32,
            _pad: 0,
            key: std::ptr::from_ref(&key) as u64,
            value: 0,
            flags: 0,
        };
        let _ = bpf(MAP_DELETE_ELEM, &attr); // gone already, if the kernel needed the place
    }
}

/// A sender as the program sees it: address, four bytes of it or sixteen, then the port, both as on the wire.
#[repr(C)]
#[derive(Clone, Copy)]
struct Key {
    address: [u8; 16],
    port: [u8; 2],
    _pad: [u8; 2],
}

impl Key {
    fn of(remote: SocketAddr) -> Key {
        let mut address = [0; 16];
        match remote.ip() {
            IpAddr::V4(ip) => address[..4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => address = ip.octets(),
        }
        Key { address, port: remote.port().to_be_bytes(), _pad: [0; 2] }
    }
}

/// One instruction (include/uapi/linux/bpf.h, `struct bpf_insn`).
#[repr(C)]
#[derive(Clone, Copy)]
struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// Reads sender and port, looks up the worker, and selects its socket; in any doubt lets the kernel choose.
fn program(paths: RawFd, workers: RawFd) -> Vec<Instruction> {
    const KEY: i16 = -24;
    const PORT: i16 = -8;
    const WORKER: i16 = -28;
    const NET_HEADER: i32 = 1;
    const SKB_LOAD_BYTES: i32 = 26;
    const SKB_LOAD_BYTES_RELATIVE: i32 = 68;
    const MAP_LOOKUP_ELEM: i32 = 1;
    const SK_SELECT_REUSEPORT: i32 = 82;
    const SK_PASS: i32 = 1;
    const ETH_P_IPV6: u16 = 0x86dd;
    const ETH_PROTOCOL_IN_CONTEXT: i16 = 20;

    let op = |code: u8, dst: u8, src: u8, offset: i16, immediate: i32| Instruction {
        code,
        registers: src << 4 | dst,
        offset,
        immediate,
    };
    let set = |dst, value| op(0xb7, dst, 0, 0, value);
    let copy = |dst, src| op(0xbf, dst, src, 0, 0);
    let add = |dst, value| op(0x07, dst, 0, 0, value);
    let call = |helper| op(0x85, 0, 0, 0, helper);
    let zero = |at| op(0x7a, 10, 0, at, 0);
    // The address of a map takes two instructions.
    let table = |dst, fd| [op(0x18, dst, 1, 0, fd), op(0, 0, 0, 0, 0)];
    // Jumps to the end are written as 0 and set below.
    let unless_zero = |dst| op(0x55, dst, 0, 0, 0);
    let if_zero = |dst| op(0x15, dst, 0, 0, 0);

    let load_address = |at: i32, len: i32| {
        [copy(1, 6), set(2, at), copy(3, 10), add(3, KEY.into()), set(4, len), set(5, NET_HEADER)]
    };
    let mut code = vec![copy(6, 1), zero(KEY), zero(KEY + 8), op(0x62, 10, 0, PORT, 0)];
    code.push(op(0x61, 7, 6, ETH_PROTOCOL_IN_CONTEXT, 0));
    code.push(op(0x15, 7, 0, 7, i32::from(ETH_P_IPV6.to_be()))); // over the next six and the jump
    code.extend(load_address(12, 4));
    code.push(op(0x05, 0, 0, 6, 0));
    code.extend(load_address(8, 16));
    code.extend([call(SKB_LOAD_BYTES_RELATIVE), unless_zero(0)]);
    code.extend([copy(1, 6), set(2, 0), copy(3, 10), add(3, PORT.into()), set(4, 2)]);
    code.extend([call(SKB_LOAD_BYTES), unless_zero(0)]);
    code.extend(table(1, paths));
    code.extend([copy(2, 10), add(2, KEY.into()), call(MAP_LOOKUP_ELEM), if_zero(0)]);
    code.extend([op(0x61, 1, 0, 0, 0), op(0x63, 10, 1, WORKER, 0), copy(1, 6)]);
    code.extend(table(2, workers));
    code.extend([copy(3, 10), add(3, WORKER.into()), set(4, 0), call(SK_SELECT_REUSEPORT)]);
    let end = code.len();
    for (place, instruction) in code.iter_mut().enumerate() {
        if matches!(instruction.code, 0x55 | 0x15) && instruction.offset == 0 {
            instruction.offset = (end - place - 1) as i16;
        }
    }
    code.extend([set(0, SK_PASS), op(0x95, 0, 0, 0, 0)]);
    code
}

#[repr(C)]
struct NewMap {
    kind: u32,
    key_size: u32,
    value_size: u32,
    entries: u32,
    flags: u32,
}

#[repr(C)]
struct Element {
    map: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct NewProgram {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel: u32,
    flags: u32,
}

fn map(kind: u32, key_size: u32, value_size: u32, entries: u32) -> io::Result<OwnedFd> {
    let made = bpf(MAP_CREATE, &NewMap { kind, key_size, value_size, entries, flags: 0 })?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

fn update<K, V>(map: &OwnedFd, key: &K, value: &V) -> io::Result<()> {
    let attr = Element {
        map: map.as_raw_fd() as u32,
        _pad: 0,
        key: std::ptr::from_ref(key) as u64,
        value: std::ptr::from_ref(value) as u64,
        flags: 0,
    };
    bpf(MAP_UPDATE_ELEM, &attr).map(drop)
}

fn load(code: &[Instruction]) -> io::Result<OwnedFd> {
    let license = c"MIT";
    let attr = NewProgram {
        kind: PROG_TYPE_SK_REUSEPORT,
        count: code.len() as u32,
        instructions: code.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel: 0,
        flags: 0,
    };
    let made = bpf(PROG_LOAD, &attr)?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

fn bpf<A>(command: c_long, attr: &A) -> io::Result<RawFd> {
    // SAFETY: the kernel reads as many bytes as are said, and what these point to lives until the call is over.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<A>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as RawFd) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket as Client;
    use std::time::Duration;

    /// Which of the sockets got what `client` sends next.
    fn lands(client: &Client, sockets: &[UdpSocket]) -> usize {
        client.send_to(b"x", sockets[0].local()).unwrap();
        for _ in 0..1_000 {
            for (worker, socket) in sockets.iter().enumerate() {
                let mut byte = 0u8;
                // SAFETY: one writable byte is given.
                let got = unsafe {
                    libc::recv(
                        socket.as_raw_fd(),
                        std::ptr::from_mut(&mut byte).cast(),
                        1,
                        libc::MSG_DONTWAIT,
                    )
                };
                if got == 1 {
                    return worker;
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing came");
    }

    #[test]
    fn what_comes_from_a_path_goes_to_its_worker_until_it_is_forgotten() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let first = UdpSocket::bind_first(address.parse().unwrap(), true).unwrap();
            let second = UdpSocket::bind_again(first.local()).unwrap();
            let sockets = [first, second];
            let steering = match Steering::new(&sockets.iter().collect::<Vec<_>>()) {
                Ok(steering) => steering,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    eprintln!("not tried: the kernel lets only some processes steer (CAP_BPF)");
                    return;
                }
                Err(error) => panic!("{error}"),
            };
            for _ in 0..20 {
                let client = Client::bind(address).unwrap();
                let hashed = lands(&client, &sockets);
                let other = 1 - hashed;
                steering.steer(client.local_addr().unwrap(), other as u8);
                assert_eq!([lands(&client, &sockets), lands(&client, &sockets)], [other; 2], "{address}");
                steering.forget(client.local_addr().unwrap());
                assert_eq!(lands(&client, &sockets), hashed);
                steering.steer(client.local_addr().unwrap(), 9);
                assert_eq!(lands(&client, &sockets), hashed, "no such worker: the kernel chooses");
            }
        }
    }
}
