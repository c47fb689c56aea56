//! Handing an outbox to the kernel: one call per socket and 64 datagrams, never waiting.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use rtc::counters::{Cell, Counters};
use rtc::drop_reason::DropReason;
use rtc::outbox::{Outbox, Slot};

use crate::sockaddr;
use crate::socket::UdpSocket;

/// Datagrams handed over by one call.
const BATCH: usize = 64;
/// How often a full send buffer is tried again. It drains at line rate, so a moment helps or nothing will.
const RETRIES: usize = 3;

/// What describes one call to the kernel, made once.
pub(crate) struct Transmitter {
    memory: NonNull<Memory>,
}

/// `messages` point to the rest, so it never moves.
struct Memory {
    messages: [libc::mmsghdr; BATCH],
    parts: [libc::iovec; BATCH],
    addresses: [libc::sockaddr_storage; BATCH],
}

impl Transmitter {
    pub(crate) fn new() -> Transmitter {
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
                let header = &raw mut (*all).messages[i].msg_hdr;
                (*header).msg_name = (&raw mut (*all).addresses[i]).cast();
                (*header).msg_iov = &raw mut (*all).parts[i];
                (*header).msg_iovlen = 1;
            }
        }
        Transmitter { memory }
    }

    /// Sends all of `outbox` in its order, socket by socket, and clears it.
    ///
    /// What the kernel does not take is dropped and counted: WebRTC repairs loss, and nobody may wait for one peer.
    pub(crate) fn send(&mut self, sockets: &[UdpSocket], outbox: &mut Outbox, counters: &Counters) {
        for (number, socket) in sockets.iter().enumerate() {
            let mut waiting = outbox.iter().filter(|(slot, _)| usize::from(slot.path.socket) == number);
            loop {
                let filled = self.fill(&mut waiting);
                if filled == 0 {
                    break;
                }
                self.hand_over(socket, filled, counters);
            }
        }
        outbox.clear();
    }

    /// Describes the next datagrams; returns how many.
    fn fill<'a>(&mut self, waiting: &mut impl Iterator<Item = (&'a Slot, &'a [u8])>) -> usize {
        let all = self.memory.as_ptr();
        let mut filled = 0;
        for (slot, bytes) in waiting.take(BATCH) {
            // SAFETY: entry `filled` is inside the arrays, because at most BATCH are taken, and nobody else uses it.
            let (message, part, address) = unsafe {
                (&mut (*all).messages[filled], &mut (*all).parts[filled], &mut (*all).addresses[filled])
            };
            part.iov_base = bytes.as_ptr().cast_mut().cast(); // only read by the kernel
            part.iov_len = bytes.len();
            message.msg_hdr.msg_namelen = sockaddr::encode(slot.path.remote, address);
            filled += 1;
        }
        filled
    }

    /// Hands the first `filled` datagrams to the kernel, whatever becomes of each.
    fn hand_over(&mut self, socket: &UdpSocket, filled: usize, counters: &Counters) {
        let all = self.memory.as_ptr();
        let (mut sent, mut retries) = (0, 0);
        while sent < filled {
            // SAFETY: entries up to `filled` point to bytes that the outbox keeps until it is cleared after this, and
            // to addresses, both with their lengths; the kernel only reads them.
            let count = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    &raw mut (*all).messages[sent],
                    (filled - sent) as libc::c_uint,
                    libc::MSG_DONTWAIT as _,
                )
            };
            counters.add(Cell::SendCalls, 1);
            if let Ok(count) = usize::try_from(count) {
                // SAFETY: these entries are inside the array, and nobody uses them now.
                let parts = unsafe { &(&(*all).parts)[sent..sent + count] };
                counters.add(Cell::DatagramsDown, count as u64);
                counters.add(Cell::BytesDown, parts.iter().map(|part| part.iov_len as u64).sum());
                sent += count;
                continue;
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN | libc::ENOBUFS) if retries < RETRIES => {
                    retries += 1;
                    std::thread::yield_now();
                }
                Some(libc::EAGAIN | libc::ENOBUFS) => {
                    counters.dropped_many(DropReason::OutboxFull, (filled - sent) as u64);
                    return;
                }
                _ => {
                    // This datagram and no other: its address cannot be reached or may not be sent to.
                    counters.dropped(DropReason::SendFailed);
                    sent += 1;
                }
            }
        }
    }
}

impl Drop for Transmitter {
    fn drop(&mut self) {
        // SAFETY: it came from a box in `new`, and no pointer into it is used after this.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}
