//! Handing an outbox to the kernel, never waiting: as few messages as there are destinations and sizes.
//!
//! The ladder: datagrams of one size to one destination go as one message that the kernel cuts up (UDP_SEGMENT), up to
//! 64 messages go by one call (sendmmsg), and what the kernel refuses to cut up goes datagram by datagram (sendto). A
//! socket on which cutting keeps failing does without it from then on.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use rtc::counters::{Cell, Counters};
use rtc::drop_reason::DropReason;
use rtc::outbox::{Outbox, Run};

use crate::clock::Clock;
use crate::segmentation::Segmentation;
use crate::sockaddr;
use crate::socket::UdpSocket;

/// Messages handed over by one call.
const BATCH: usize = 64;
/// Room for one control message that holds a `u16`.
const CONTROL: usize = 32;
/// How often a full send buffer is tried again. It drains at line rate, so a moment helps or nothing will.
const RETRIES: usize = 3;

/// What describes one call to the kernel, made once.
pub struct Transmitter {
    memory: NonNull<Memory>,
    /// Of each socket, by its number.
    segmentation: Box<[Segmentation]>,
}

/// `messages` point to the rest, so it never moves.
struct Memory {
    messages: [libc::mmsghdr; BATCH],
    parts: [libc::iovec; BATCH],
    addresses: [libc::sockaddr_storage; BATCH],
    controls: [Control; BATCH],
    shapes: [Shape; BATCH],
}

/// Aligned for `cmsghdr`.
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// How a message is to be cut up.
#[derive(Clone, Copy)]
struct Shape {
    datagrams: usize,
    segment: usize,
}

impl Transmitter {
    /// A sender for these sockets, to be given to each [`Transmitter::send`].
    pub fn new(sockets: &[UdpSocket]) -> Transmitter {
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
        let segmentation = sockets.iter().map(|socket| Segmentation::new(socket.can_segment())).collect();
        Transmitter { memory, segmentation }
    }

    /// Sends all of `outbox`, socket by socket and in its order for each, and clears it.
    ///
    /// What the kernel does not take is dropped and counted: WebRTC repairs loss, and nobody may wait for one peer.
    /// `clock` is read once, at the end, to tell how long what was forwarded took.
    pub fn send(&mut self, sockets: &[UdpSocket], outbox: &mut Outbox, counters: &Counters, clock: &Clock) {
        for (number, socket) in sockets.iter().enumerate() {
            let mut segmentation = self.segmentation[number];
            let mut runs = outbox.runs(number as u8, segmentation.most_segments());
            loop {
                let filled = self.fill(&mut runs);
                if filled == 0 {
                    break;
                }
                self.hand_over(socket, &mut segmentation, filled, counters);
            }
            self.segmentation[number] = segmentation;
        }
        let off = self.segmentation.iter().filter(|segmentation| !segmentation.is_on()).count();
        counters.set(Cell::SegmentationOff, off as u64);
        let done = clock.now();
        outbox
            .iter()
            .filter_map(|(slot, _)| slot.arrival)
            .for_each(|arrival| counters.forwarded(done.since(arrival)));
        outbox.clear();
    }

    /// Describes the next runs; returns how many.
    fn fill<'a>(&mut self, waiting: &mut impl Iterator<Item = Run<'a>>) -> usize {
        let all = self.memory.as_ptr();
        let mut filled = 0;
        for run in waiting.take(BATCH) {
            // SAFETY: entry `filled` is inside the arrays, because at most BATCH are taken, and nobody else uses it.
            let (message, part, address, control, shape) = unsafe {
                (
                    &mut (*all).messages[filled],
                    &mut (*all).parts[filled],
                    &mut (*all).addresses[filled],
                    &raw mut (*all).controls[filled],
                    &mut (*all).shapes[filled],
                )
            };
            part.iov_base = run.bytes.as_ptr().cast_mut().cast(); // only read by the kernel
            part.iov_len = run.bytes.len();
            *shape = Shape { datagrams: run.datagrams, segment: run.segment };
            let header = &mut message.msg_hdr;
            header.msg_namelen = sockaddr::encode(run.path.remote, address);
            (header.msg_control, header.msg_controllen) = match run.datagrams {
                1 => (std::ptr::null_mut(), 0),
                _ => (control.cast(), CONTROL as _),
            };
            if run.datagrams > 1 {
                write_segment(header, run.segment as u16);
            }
            filled += 1;
        }
        filled
    }

    /// Hands the first `filled` messages to the kernel, whatever becomes of each.
    fn hand_over(
        &mut self,
        socket: &UdpSocket,
        segmentation: &mut Segmentation,
        filled: usize,
        counters: &Counters,
    ) {
        let all = self.memory.as_ptr();
        let (mut sent, mut retries) = (0, 0);
        while sent < filled {
            // SAFETY: entries up to `filled` point to bytes that the outbox keeps until it is cleared after this, to
            // addresses and to control messages, all with their lengths; the kernel only reads them.
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
                for shape in &self.shapes()[sent..sent + count] {
                    segmentation.worked(shape.datagrams > 1);
                }
                self.count(sent, count, counters);
                sent += count;
                continue;
            }
            let shape = self.shapes()[sent];
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN | libc::ENOBUFS) if retries < RETRIES => {
                    retries += 1;
                    std::thread::yield_now();
                }
                Some(libc::EAGAIN | libc::ENOBUFS) => {
                    let left = self.shapes()[sent..filled].iter().map(|shape| shape.datagrams as u64).sum();
                    counters.dropped_many(DropReason::OutboxFull, left);
                    return;
                }
                _ if shape.datagrams > 1 => {
                    // Too large for the path, or a device that cannot: the datagrams may still go one by one.
                    counters.add(Cell::SegmentationFailures, 1);
                    segmentation.failed();
                    self.send_apart(socket, sent, counters);
                    sent += 1;
                }
                _ => {
                    // This datagram and no other: its address cannot be reached or may not be sent to.
                    counters.dropped(DropReason::SendFailed);
                    sent += 1;
                }
            }
        }
    }

    /// Sends the datagrams of one message one by one.
    fn send_apart(&mut self, socket: &UdpSocket, at: usize, counters: &Counters) {
        let all = self.memory.as_ptr();
        // SAFETY: entry `at` was filled, and its part points to bytes that the outbox keeps until after this.
        let (header, bytes) = unsafe {
            let part = (*all).parts[at];
            (
                &(*all).messages[at].msg_hdr,
                std::slice::from_raw_parts(part.iov_base.cast::<u8>(), part.iov_len),
            )
        };
        for datagram in bytes.chunks(self.shapes()[at].segment) {
            // SAFETY: the datagram and the address are readable for the lengths given.
            let sent = unsafe {
                libc::sendto(
                    socket.as_raw_fd(),
                    datagram.as_ptr().cast(),
                    datagram.len(),
                    libc::MSG_DONTWAIT,
                    header.msg_name.cast(),
                    header.msg_namelen,
                )
            };
            counters.add(Cell::SendCalls, 1);
            if sent >= 0 {
                counters.add(Cell::DatagramsDown, 1);
                counters.add(Cell::BytesDown, datagram.len() as u64);
            } else {
                counters.dropped(DropReason::SendFailed);
            }
        }
    }

    fn count(&self, from: usize, count: usize, counters: &Counters) {
        let all = self.memory.as_ptr();
        // SAFETY: these entries are inside the array, and nobody uses them now.
        let parts = unsafe { &(&(*all).parts)[from..from + count] };
        let datagrams = self.shapes()[from..from + count].iter().map(|shape| shape.datagrams as u64).sum();
        counters.add(Cell::DatagramsDown, datagrams);
        counters.add(Cell::MessagesDown, count as u64);
        counters.add(Cell::BytesDown, parts.iter().map(|part| part.iov_len as u64).sum());
    }

    fn shapes(&self) -> &[Shape; BATCH] {
        // SAFETY: the memory lives as long as self, and only `fill` writes to it, which borrows self mutably.
        unsafe { &(*self.memory.as_ptr()).shapes }
    }
}

impl Drop for Transmitter {
    fn drop(&mut self) {
        // SAFETY: it came from a box in `new`, and no pointer into it is used after this.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

/// Tells the kernel in `header`'s control message to cut the message into datagrams of `segment` bytes.
fn write_segment(header: &mut libc::msghdr, segment: u16) {
    // SAFETY: the control buffer is aligned for cmsghdr and larger than CMSG_SPACE of a u16, so that CMSG_FIRSTHDR is
    // not null and CMSG_DATA has room for the u16.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header);
        (*control).cmsg_level = libc::SOL_UDP;
        (*control).cmsg_type = libc::UDP_SEGMENT;
        (*control).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as u32) as _;
        libc::CMSG_DATA(control).cast::<u16>().write_unaligned(segment);
        header.msg_controllen = libc::CMSG_SPACE(size_of::<u16>() as u32) as _;
    }
}
