//! Handing an outbox to the kernel, never waiting: as few messages as there are destinations and sizes.
//!
//! The ladder: datagrams of one size to one destination go as one message that the kernel cuts up (UDP_SEGMENT), up to
//! 64 messages go by one call (sendmmsg), and what the kernel refuses to cut up goes datagram by datagram (sendmsg). A
//! socket on which cutting keeps failing does without it from then on.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use rtc::counters::{Cell, Counters};
use rtc::drop_reason::DropReason;
use rtc::outbox::{Outbox, Run, TrafficClass};

use crate::clock::Clock;
use crate::segmentation::Segmentation;
use crate::sockaddr;
use crate::socket::UdpSocket;

/// Messages handed over by one call.
const BATCH: usize = 64;
/// Room for two control messages: a `u16` for the size of segments, and a `c_int` for the mark.
const CONTROL: usize = 64;
/// From so many datagrams on a socket is told how to mark them, instead of the kernel with each message.
const WORTH_STANDING: usize = 8;
/// How often a full send buffer is tried again. It drains at line rate, so a moment helps or nothing will.
const RETRIES: usize = 3;

/// What describes one call to the kernel, made once.
pub struct Transmitter {
    memory: NonNull<Memory>,
    /// Of each socket, by its number.
    segmentation: Box<[Segmentation]>,
    /// What each socket marks by itself.
    standing: Box<[u8]>,
    marks: bool,
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
    class: TrafficClass,
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
        Transmitter { memory, segmentation, standing: vec![0; sockets.len()].into(), marks: false }
    }

    /// The same sender, which marks sound and pictures for routers on the way (RFC 8837) if `marks`.
    pub fn marking(mut self, marks: bool) -> Transmitter {
        self.marks = marks;
        self
    }

    /// Sends all of `outbox`, socket by socket and in its order for each, and clears it.
    ///
    /// What the kernel does not take is dropped and counted: WebRTC repairs loss, and nobody may wait for one peer.
    /// `clock` is read once, at the end, to tell how long what was forwarded took.
    pub fn send(&mut self, sockets: &[UdpSocket], outbox: &mut Outbox, counters: &Counters, clock: &Clock) {
        for (number, socket) in sockets.iter().enumerate() {
            let mut segmentation = self.segmentation[number];
            self.stand(number, socket, outbox);
            let mut runs = outbox.runs(number as u8, segmentation.most_segments());
            loop {
                let filled = self.fill(&mut runs, self.standing[number]);
                if filled == 0 {
                    break;
                }
                self.hand_over((number, socket), &mut segmentation, filled, counters);
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

    /// Lets the socket mark by itself what most likely all of `outbox` is to be marked with: to say it beside each
    /// message costs the kernel more.
    fn stand(&mut self, number: usize, socket: &UdpSocket, outbox: &Outbox) {
        let Some((first, _)) = outbox.iter().next().filter(|_| self.marks && outbox.len() >= WORTH_STANDING)
        else {
            return;
        };
        let mark = mark_of(first.class);
        if self.standing[number] != mark && socket.mark(mark) {
            self.standing[number] = mark;
        }
    }

    /// What has to be said beside a message of `class`, if the socket does not mark it so by itself.
    fn mark_beside(&self, class: TrafficClass, standing: u8) -> Option<u8> {
        let mark = if self.marks { mark_of(class) } else { 0 };
        (mark != standing).then_some(mark)
    }

    /// Describes the next runs, for a socket that marks them as `standing` by itself; returns how many.
    fn fill<'a>(&mut self, waiting: &mut impl Iterator<Item = Run<'a>>, standing: u8) -> usize {
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
            let header = &mut message.msg_hdr;
            header.msg_namelen = sockaddr::encode(run.path.remote, address);
            let segment = (run.datagrams > 1).then_some(run.segment as u16);
            let mark = self.mark_beside(run.class, standing);
            // SAFETY: `control` is valid, aligned for cmsghdr, of the length that is promised, and nobody else uses it.
            let len = unsafe { write_control(control.cast(), segment, mark, run.path.remote.is_ipv6()) };
            header.msg_control = if len == 0 { std::ptr::null_mut() } else { control.cast() };
            header.msg_controllen = len as _;
            *shape = Shape { datagrams: run.datagrams, segment: run.segment, class: run.class };
            filled += 1;
        }
        filled
    }

    /// Hands the first `filled` messages to the kernel, whatever becomes of each.
    fn hand_over(
        &mut self,
        (number, socket): (usize, &UdpSocket),
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
                    self.send_apart((number, socket), sent, counters);
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
    fn send_apart(&mut self, (number, socket): (usize, &UdpSocket), at: usize, counters: &Counters) {
        let (all, shape) = (self.memory.as_ptr(), self.shapes()[at]);
        // SAFETY: entry `at` was filled, and nobody else uses it now.
        let (whole, mut header) = unsafe { ((*all).parts[at], (*all).messages[at].msg_hdr) };
        let mark = self.mark_beside(shape.class, self.standing[number]);
        let ipv6 = header.msg_namelen as usize == size_of::<libc::sockaddr_in6>();
        // SAFETY: entry `at` is inside the array.
        let control = unsafe { &raw mut (*all).controls[at] };
        // SAFETY: the control buffer is aligned for cmsghdr and CONTROL bytes long, and nobody else uses it now.
        let len = unsafe { write_control(control.cast(), None, mark, ipv6) };
        header.msg_control = if len == 0 { std::ptr::null_mut() } else { control.cast() };
        header.msg_controllen = len as _;
        // SAFETY: the part points to bytes that the outbox keeps until after this.
        let bytes = unsafe { std::slice::from_raw_parts(whole.iov_base.cast::<u8>(), whole.iov_len) };
        for datagram in bytes.chunks(shape.segment) {
            let mut part =
                libc::iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
            header.msg_iov = &raw mut part;
            // SAFETY: the header points to one part, an address and a control message, all readable for their lengths.
            let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT) };
            counters.add(Cell::SendCalls, 1);
            if sent >= 0 {
                counters.add(Cell::DatagramsDown, 1);
                counters.add(Cell::BytesDown, datagram.len() as u64);
                if self.marks {
                    count_mark(counters, Shape { datagrams: 1, ..shape });
                }
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
        if self.marks {
            for shape in &self.shapes()[from..from + count] {
                count_mark(counters, *shape);
            }
        }
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

fn count_mark(counters: &Counters, shape: Shape) {
    let cell = match shape.class {
        TrafficClass::Audio => Cell::MarkedEf,
        TrafficClass::Video => Cell::MarkedAf41,
        TrafficClass::Other => return,
    };
    counters.add(cell, shape.datagrams as u64);
}

/// What routers on the way are told of a datagram: the upper six bits of the traffic class (RFC 8837). All pictures
/// have one mark, with what repairs them: marks that differ within a stream would reorder it (RFC 7657).
fn mark_of(class: TrafficClass) -> u8 {
    match class {
        TrafficClass::Audio => 46 << 2, // EF
        TrafficClass::Video => 34 << 2, // AF41
        TrafficClass::Other => 0,
    }
}

/// Writes what the kernel is told beside the bytes of a message; returns the length.
///
/// # Safety
/// `control` must be aligned for `cmsghdr` and writable for [`CONTROL`] bytes.
unsafe fn write_control(control: *mut u8, segment: Option<u16>, mark: Option<u8>, ipv6: bool) -> usize {
    let mut len = 0;
    // SAFETY: both messages together are not longer than CONTROL, and CMSG_SPACE keeps the alignment.
    unsafe {
        if let Some(segment) = segment {
            len += put(control.add(len), libc::SOL_UDP, libc::UDP_SEGMENT, segment);
        }
        if let Some(mark) = mark {
            let (level, kind) =
                if ipv6 { (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) } else { (libc::IPPROTO_IP, libc::IP_TOS) };
            len += put(control.add(len), level, kind, libc::c_int::from(mark));
        }
    }
    len
}

/// Writes one control message and returns the room that it takes.
///
/// # Safety
/// `at` must be aligned for `cmsghdr` and writable for the room of the message.
unsafe fn put<T>(at: *mut u8, level: libc::c_int, kind: libc::c_int, value: T) -> usize {
    let header = at.cast::<libc::cmsghdr>();
    // SAFETY: the caller promises room and alignment; CMSG_DATA points behind the header, into that room.
    unsafe {
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<T>() as u32) as _;
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        libc::CMSG_SPACE(size_of::<T>() as u32) as usize
    }
}
