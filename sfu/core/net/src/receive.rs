//! Taking datagrams from the kernel, up to 32 messages a call, into memory that lives as long as the worker.
//!
//! A message holds the datagrams that one sender sent in a burst, where the kernel put them together (UDP_GRO), and
//! says when they came.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr::{NonNull, null_mut};

use rtc::units::Time;

use crate::clock::Reading;
use crate::sockaddr;
use crate::socket::UdpSocket;

/// Messages taken by one call.
pub const BATCH: usize = 32;
/// Bytes of the largest message. Only as much of the memory is touched as is used.
const SLOT: usize = 65_536;
/// Room for the control messages asked for: a `u32`, a `timespec` and a `c_int`.
const CONTROL: usize = 128;

/// The memory that messages are received into, with the kernel's description of it made once.
pub struct ReceiveBatch {
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
pub struct Haul {
    /// How many messages; [`BATCH`] means that more may wait.
    pub messages: usize,
    /// Datagrams that the kernel has thrown away since the socket was made, modulo 2^32.
    pub overflow: Option<u32>,
}

/// A datagram as the kernel handed it over.
pub struct Received<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// When the kernel got it.
    pub at: Time,
    /// What is in it.
    pub bytes: &'a mut [u8],
}

impl ReceiveBatch {
    /// Memory for one call after another: 2 MiB, of which only what is used is touched.
    #[allow(clippy::new_without_default)] // it is not a value that one would want by accident
    pub fn new() -> ReceiveBatch {
        // Asked for as zeros, large memory comes from the kernel page by page, when it is first written to.
        let layout = Layout::new::<Memory>();
        // SAFETY: the layout has a size.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) }.cast::<Memory>());
        // All bytes zero is valid for numbers, null pointers and structures and arrays of them.
        let memory = memory.unwrap_or_else(|| handle_alloc_error(layout));
        let all = memory.as_ptr();
        for i in 0..BATCH {
            // SAFETY: `all` is valid and ours alone, and every index is inside its array. The pointers that are
            // stored stay valid until `drop`, since the memory does not move. Only raw pointers are made.
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

    /// Takes what waits at `socket`, never waiting itself, and hands each datagram to `each`.
    ///
    /// `clock` is read once, after the call to the kernel.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        clock: impl FnOnce() -> Reading,
        mut each: impl FnMut(Received<'_>),
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
        let clock = clock();
        let mut overflow = None;
        for i in 0..count {
            // SAFETY: the kernel has filled entry `i`, and nobody else uses it until the end of this turn.
            let (message, address, slot) =
                unsafe { (&(*all).messages[i], &(*all).addresses[i], &mut (*all).slots[i]) };
            let told = read_control(&message.msg_hdr);
            overflow = told.overflow.or(overflow);
            let Some(from) = sockaddr::decode(address) else { continue };
            let at = told.stamp.map_or(clock.now, |stamp| clock.arrival(stamp));
            let len = message.msg_len as usize;
            let segment = told.segment.filter(|segment| *segment > 0).unwrap_or(len).max(1);
            if len == 0 {
                each(Received { from, at, bytes: &mut [] });
            }
            for bytes in slot[..len].chunks_mut(segment) {
                each(Received { from, at, bytes });
            }
        }
        self.arm(count);
        Haul { messages: count, overflow }
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
        // SAFETY: it came from the global allocator in `new`, with the layout that a box of it has, and no pointer into
        // it is used after this.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

/// What the kernel said beside the bytes of a message.
#[derive(Default)]
struct Told {
    /// SO_RXQ_OVFL, once something was thrown away.
    overflow: Option<u32>,
    /// SO_TIMESTAMPNS: the wall clock when it came.
    stamp: Option<libc::timespec>,
    /// UDP_GRO: the size of each datagram but the last, where there is more than one.
    segment: Option<usize>,
}

fn read_control(header: &libc::msghdr) -> Told {
    let mut told = Told::default();
    // SAFETY: the kernel filled msg_control and set msg_controllen; the buffer still lives.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return null or a header inside the buffer, which is aligned for it. A
        // control message of each of these types carries a value of the type that is read, perhaps unaligned.
        unsafe {
            let data = libc::CMSG_DATA(next);
            match ((*next).cmsg_level, (*next).cmsg_type) {
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    told.overflow = Some(data.cast::<u32>().read_unaligned());
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    told.stamp = Some(data.cast::<libc::timespec>().read_unaligned());
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    told.segment = usize::try_from(data.cast::<libc::c_int>().read_unaligned()).ok();
                }
                _ => {}
            }
            next = libc::CMSG_NXTHDR(header, next);
        }
    }
    told
}
