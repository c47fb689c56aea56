//! Taking datagrams from the kernel, up to 64 a call, into memory that lives as long as the worker.

use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr::{NonNull, null_mut};

use crate::sockaddr;
use crate::socket::UdpSocket;

/// Datagrams taken by one call.
pub(crate) const BATCH: usize = 64;
/// Bytes kept of one datagram; longer ones are dropped, for nothing that WebRTC sends is.
const SLOT: usize = 2_048;
/// Room for one control message that holds a `u32`.
const CONTROL: usize = 32;

/// The memory that datagrams are received into, with the kernel's description of it made once.
pub(crate) struct ReceiveBatch {
    memory: NonNull<Memory>,
}

/// Everything that the kernel writes to or reads from. `messages` and `parts` point to the rest, so it never moves.
struct Memory {
    messages: [libc::mmsghdr; BATCH],
    parts: [libc::iovec; BATCH],
    addresses: [libc::sockaddr_storage; BATCH],
    controls: [Control; BATCH],
    slots: [[u8; SLOT]; BATCH],
}

/// Aligned for `cmsghdr`.
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// What one call to the kernel brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Haul {
    /// How many datagrams; [`BATCH`] means that more may wait.
    pub(crate) datagrams: usize,
    /// Datagrams that the kernel has thrown away since the socket was made, modulo 2^32.
    pub(crate) overflow: Option<u32>,
}

impl ReceiveBatch {
    pub(crate) fn new() -> ReceiveBatch {
        let mut memory = Box::<Memory>::new_uninit();
        // SAFETY: the pointer is to one Memory, and all bytes zero is valid for numbers, null pointers and structures
        // and arrays of them.
        let memory = unsafe {
            memory.as_mut_ptr().write_bytes(0, 1);
            memory.assume_init()
        };
        let memory = NonNull::from(Box::leak(memory));
        let all = memory.as_ptr();
        for i in 0..BATCH {
            // SAFETY: `all` is valid and ours alone, and every index is inside its array. The pointers that are
            // stored stay valid until `drop`, since the box does not move. Only raw pointers are made.
            unsafe {
                let part = &raw mut (*all).parts[i];
                (*part).iov_base = (&raw mut (*all).slots[i]).cast();
                (*part).iov_len = SLOT;
                let header = &raw mut (*all).messages[i].msg_hdr;
                (*header).msg_name = (&raw mut (*all).addresses[i]).cast();
                (*header).msg_iov = part;
                (*header).msg_iovlen = 1;
                (*header).msg_control = (&raw mut (*all).controls[i]).cast();
            }
        }
        let mut batch = ReceiveBatch { memory };
        batch.arm(BATCH);
        batch
    }

    /// Takes what waits at `socket`, never waiting itself, and hands each datagram to `each`; `None` for the bytes of
    /// one that was too long.
    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        mut each: impl FnMut(SocketAddr, Option<&mut [u8]>),
    ) -> Haul {
        let all = self.memory.as_ptr();
        // SAFETY: every header points to a slot, an address and a control buffer of the lengths it says, all of which
        // live as long as self and are used by nobody else during the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                (&raw mut (*all).messages).cast(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                null_mut(),
            )
        };
        let count = usize::try_from(count).unwrap_or(0); // nothing there, or an error that concerns no datagram
        for i in 0..count {
            // SAFETY: the kernel has filled entry `i`, and nobody else uses it until the end of this turn.
            let (message, address, slot) =
                unsafe { (&(*all).messages[i], &(*all).addresses[i], &mut (*all).slots[i]) };
            let Some(from) = sockaddr::decode(address) else { continue };
            let whole = message.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
            each(from, whole.then(|| &mut slot[..message.msg_len as usize]));
        }
        // SAFETY: `count - 1` is an entry that the kernel has filled; nothing else uses it now.
        let overflow = (count > 0).then(|| overflow_count(unsafe { &(*all).messages[count - 1].msg_hdr }));
        self.arm(count);
        Haul { datagrams: count, overflow: overflow.flatten() }
    }

    /// Tells the kernel again how much room the first `count` entries have, which it overwrote with what it used.
    fn arm(&mut self, count: usize) {
        // SAFETY: the memory is ours, and nobody uses it now.
        for message in unsafe { &mut (&mut (*self.memory.as_ptr()).messages)[..count] } {
            message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            message.msg_hdr.msg_controllen = CONTROL as _;
        }
    }
}

impl Drop for ReceiveBatch {
    fn drop(&mut self) {
        // SAFETY: it came from a box in `new`, and no pointer into it is used after this.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

/// Reads the SO_RXQ_OVFL control message, which the kernel adds once it has thrown something away.
fn overflow_count(header: &libc::msghdr) -> Option<u32> {
    // SAFETY: the kernel filled msg_control and set msg_controllen; the buffer still lives.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return null or a header inside the buffer, which is aligned for it.
        let control = unsafe { &*next };
        if control.cmsg_level == libc::SOL_SOCKET && control.cmsg_type == libc::SO_RXQ_OVFL {
            // SAFETY: a control message of this type carries a u32, perhaps unaligned.
            return Some(unsafe { libc::CMSG_DATA(next).cast::<u32>().read_unaligned() });
        }
        // SAFETY: as for CMSG_FIRSTHDR above.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    None
}
