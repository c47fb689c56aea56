//! The media port: one UDP socket per bind address and worker.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use socket2::{Domain, Protocol, Socket, Type};

/// Room for bursts in the kernel: at 3 Gbit/s it holds 10 ms.
const BUFFER_BYTES: libc::c_int = 4 * 1024 * 1024;

/// A bound, non-blocking UDP socket.
pub struct UdpSocket {
    socket: Socket,
    local: SocketAddr,
    can_segment: bool,
}

impl UdpSocket {
    /// Binds `address` for the first worker. Fails when anyone else has the port.
    ///
    /// With `shared` the other workers may bind the same address afterwards. The option is set only after binding:
    /// with it from the start a second server of the same user would silently take half of the datagrams.
    pub fn bind_first(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
        let socket = open(address)?;
        socket.bind(&address.into())?;
        socket.set_reuse_port(shared)?;
        UdpSocket::finish(socket)
    }

    /// Binds the address of a socket made by [`UdpSocket::bind_first`] once more, for another worker.
    pub fn bind_again(address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = open(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        UdpSocket::finish(socket)
    }

    /// The address bound, with the port that was chosen.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether the kernel knows how to cut large messages into datagrams.
    pub fn can_segment(&self) -> bool {
        self.can_segment
    }

    /// Lets `program` choose among the sockets of this address.
    pub(crate) fn steer_by(&self, program: RawFd) -> io::Result<()> {
        set_option(&self.socket, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_EBPF, program)
    }

    /// Has all that is sent marked with these eight bits of the traffic class, where a message does not say otherwise;
    /// false where the system does not let us.
    pub(crate) fn mark(&self, mark: u8) -> bool {
        let (level, option) = match self.local.is_ipv6() {
            true => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
            false => (libc::IPPROTO_IP, libc::IP_TOS),
        };
        set_option(&self.socket, level, option, mark.into()).is_ok()
    }

    fn finish(socket: Socket) -> io::Result<UdpSocket> {
        let local = socket.local_addr()?.as_socket().expect("an IP socket has an IP address");
        enlarge(&socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF);
        enlarge(&socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF);
        // Lets the kernel say how many datagrams it had to throw away. A kernel without it only counts less.
        let _ = set_option(&socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1);
        // Lets the kernel say when each datagram came, and hand over datagrams of one sender as one message.
        let _ = set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1);
        let _ = set_option(&socket, libc::SOL_UDP, libc::UDP_GRO, 1);
        // Size 0 changes nothing; a kernel that does not know the option refuses it.
        let can_segment = set_option(&socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok();
        Ok(UdpSocket { socket, local, can_segment })
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // so that :: and 0.0.0.0 can both be bound, and paths have one form
    }
    Ok(socket)
}

/// Sets a buffer size beyond the system's limit where we may, and else as near to it as the limit lets.
fn enlarge(socket: &Socket, force: libc::c_int, plain: libc::c_int) {
    if set_option(socket, libc::SOL_SOCKET, force, BUFFER_BYTES).is_err() {
        let _ = set_option(socket, libc::SOL_SOCKET, plain, BUFFER_BYTES); // the kernel caps it silently
    }
}

fn set_option(
    socket: &Socket,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the value is a readable c_int of the size given, and the descriptor is open.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
