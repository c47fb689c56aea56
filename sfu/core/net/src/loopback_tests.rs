//! Batches against a real kernel: the only Rust tests that open sockets, since here the kernel is what is tested.

use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::os::fd::AsRawFd;

use rtc::counters::{Cell, Counters};
use rtc::drop_reason::DropReason;
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;

use crate::clock::{Clock, Reading};
use crate::receive::{BATCH, ReceiveBatch};
use crate::socket::UdpSocket;
use crate::transmit::Transmitter;

fn bound(address: &str) -> UdpSocket {
    UdpSocket::bind_first(address.parse().unwrap(), false).unwrap()
}

fn now() -> Reading {
    Clock::start().reading()
}

/// Both families, where the machine has both.
fn loopbacks() -> [&'static str; 2] {
    let second = if StdSocket::bind("[::1]:0").is_ok() { "[::1]:0" } else { "127.0.0.2:0" };
    ["127.0.0.1:0", second]
}

/// A peer that waits for nothing: what the kernel has not delivered by the time of the call never comes.
fn peer(address: &str) -> StdSocket {
    let socket = StdSocket::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn heard(socket: &StdSocket) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2_048];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|len| buffer[..len].to_vec())).collect()
}

fn push(outbox: &mut Outbox, socket: u8, remote: SocketAddr, bytes: &[u8]) {
    assert!(outbox.push(Path { socket, remote }, TrafficClass::Other, bytes));
}

#[test]
fn a_batch_brings_datagrams_in_order_with_their_senders_and_says_when_more_may_wait() {
    for any in loopbacks() {
        let (ours, theirs) = (bound(any), peer(any));
        for number in 0..BATCH + 6 {
            theirs.send_to(&vec![number as u8; number], ours.local()).unwrap();
        }
        let (mut batch, mut lengths) = (ReceiveBatch::new(), Vec::new());
        for expected in [BATCH, 6, 0] {
            let haul = batch.receive(&ours, now, |received| {
                assert_eq!(received.from, theirs.local_addr().unwrap());
                lengths.push(received.bytes.len());
            });
            assert_eq!((haul.messages, haul.overflow), (expected, None));
        }
        assert_eq!(lengths, (0..BATCH + 6).collect::<Vec<_>>());
    }
}

#[test]
fn a_run_is_cut_up_by_the_kernel_and_put_together_again_on_the_other_side() {
    for any in loopbacks() {
        let (ours, theirs) = ([bound(any)], bound(any));
        let (counters, mut outbox) = (Counters::new(1), Outbox::new(400));
        let sizes = [100, 100, 100, 101, 101, 60, 1_200, 1_200, 7];
        for (number, size) in sizes.into_iter().enumerate() {
            push(&mut outbox, 0, theirs.local(), &vec![number as u8; size]);
        }
        Transmitter::new(&ours).send(&ours, &mut outbox, &counters, &Clock::start());
        assert_eq!(
            counters.get(Cell::MessagesDown),
            3,
            "100s, then 101s ended by 60, then 1,200s ended by 7"
        );
        assert_eq!(counters.get(Cell::DatagramsDown), sizes.len() as u64);
        let mut seen = Vec::new();
        let haul = ReceiveBatch::new().receive(&theirs, now, |received| {
            assert_eq!(received.from, ours[0].local());
            assert!(received.bytes.iter().all(|byte| usize::from(*byte) == seen.len()));
            seen.push(received.bytes.len());
        });
        assert_eq!(seen, sizes);
        assert!(haul.messages <= sizes.len());
    }
}

#[test]
fn a_datagram_carries_the_time_at_which_the_kernel_got_it() {
    let (ours, theirs) = (bound("127.0.0.1:0"), peer("127.0.0.1:0"));
    let (clock, mut batch) = (Clock::start(), ReceiveBatch::new());
    // The kernel begins to stamp a moment after it was asked to, and until then says when the datagram was read.
    let stamped = (0..100).any(|_| {
        theirs.send_to(&[1], ours.local()).unwrap();
        let sent = clock.now();
        while clock.now().since(sent) < std::time::Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        let mut at = None;
        batch.receive(&ours, || clock.reading(), |received| at = Some(received.at));
        at.unwrap() <= sent
    });
    assert!(stamped);
}

#[test]
fn what_the_kernel_throws_away_is_known_by_the_next_datagram() {
    let (ours, theirs) = (bound("127.0.0.1:0"), peer("127.0.0.1:0"));
    let smallest: libc::c_int = 1;
    // SAFETY: the value is a readable c_int of the size given, and the descriptor is open.
    let shrunk = unsafe {
        libc::setsockopt(
            ours.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            std::ptr::from_ref(&smallest).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(shrunk, 0);
    for _ in 0..50 {
        theirs.send_to(&[0; 1_000], ours.local()).unwrap();
    }
    let mut batch = ReceiveBatch::new();
    let kept = batch.receive(&ours, now, |_| ()).messages;
    assert!(kept < 50);
    theirs.send_to(&[0], ours.local()).unwrap();
    let haul = batch.receive(&ours, now, |_| ());
    assert_eq!(haul.overflow, Some(50 - kept as u32));
}

#[test]
fn an_outbox_leaves_in_order_through_the_socket_of_each_path() {
    let (ours, theirs) = (loopbacks().map(bound), loopbacks().map(peer));
    let counters = Counters::new(1);
    let mut outbox = Outbox::new(400);
    for number in 0..200u8 {
        for socket in 0..2u8 {
            let to = theirs[usize::from(socket)].local_addr().unwrap();
            push(&mut outbox, socket, to, &[number, socket]);
        }
    }
    Transmitter::new(&ours).send(&ours, &mut outbox, &counters, &Clock::start());
    assert!(outbox.is_empty());
    for (socket, peer) in theirs.iter().enumerate() {
        let expected: Vec<_> = (0..200u8).map(|number| vec![number, socket as u8]).collect();
        assert_eq!(heard(peer), expected);
    }
    assert_eq!(counters.get(Cell::DatagramsDown), 400);
    assert_eq!(counters.get(Cell::BytesDown), 800);
    assert_eq!(counters.get(Cell::SendCalls), 8);
}

/// The traffic class of the next datagram, and its length.
fn mark_and_length(socket: &StdSocket, ipv6: bool) -> (u8, usize) {
    let mut bytes = [0u8; 2_048];
    let mut control = [0u64; 16];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all bytes zero is a valid msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the header points to one part and a control buffer, both writable for their lengths.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, 0) };
    // SAFETY: the kernel filled the control buffer, which still lives and is aligned for cmsghdr.
    let mark = unsafe {
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        assert!(!first.is_null());
        let data = libc::CMSG_DATA(first);
        if ipv6 { data.cast::<libc::c_int>().read_unaligned() as u8 } else { *data }
    };
    (mark, usize::try_from(len).unwrap())
}

#[test]
fn sound_and_pictures_are_marked_for_routers_also_where_a_message_is_cut_up() {
    for any in loopbacks() {
        let (ours, theirs) = ([bound(any)], peer(any));
        let to = theirs.local_addr().unwrap();
        let (level, option) = match to.is_ipv6() {
            true => (libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
            false => (libc::IPPROTO_IP, libc::IP_RECVTOS),
        };
        let on: libc::c_int = 1;
        // SAFETY: the value is a readable c_int of the size given, and the descriptor is open.
        let set = unsafe {
            let size = size_of::<libc::c_int>() as libc::socklen_t;
            libc::setsockopt(theirs.as_raw_fd(), level, option, std::ptr::from_ref(&on).cast(), size)
        };
        assert_eq!(set, 0);
        let sent = [
            (TrafficClass::Audio, 60),
            (TrafficClass::Video, 900),
            (TrafficClass::Video, 900),
            (TrafficClass::Video, 30),
            (TrafficClass::Other, 40),
        ];
        let (counters, mut outbox) = (Counters::new(1), Outbox::new(8));
        for (class, len) in sent {
            assert!(outbox.push(Path { socket: 0, remote: to }, class, &vec![0; len]));
        }
        let mut transmitter = Transmitter::new(&ours).marking(true);
        transmitter.send(&ours, &mut outbox, &counters, &Clock::start());
        let got: Vec<_> = sent.iter().map(|_| mark_and_length(&theirs, to.is_ipv6())).collect();
        assert_eq!(got, [(46 << 2, 60), (34 << 2, 900), (34 << 2, 900), (34 << 2, 30), (0, 40)]);
        assert_eq!((counters.get(Cell::MarkedEf), counters.get(Cell::MarkedAf41)), (1, 3));
        // In numbers, and after each other, whatever the socket marks by itself by then.
        for first in [TrafficClass::Audio, TrafficClass::Video, TrafficClass::Audio] {
            let rest = [TrafficClass::Other, TrafficClass::Audio, TrafficClass::Video];
            let sent: Vec<_> = std::iter::repeat_n(first, 9).chain(rest).collect();
            let mut outbox = Outbox::new(sent.len());
            for (len, &class) in (50..).zip(&sent) {
                assert!(outbox.push(Path { socket: 0, remote: to }, class, &vec![0; len]));
            }
            transmitter.send(&ours, &mut outbox, &counters, &Clock::start());
            let got: Vec<_> = sent.iter().map(|_| mark_and_length(&theirs, to.is_ipv6()).0).collect();
            let mark = |class: &TrafficClass| match class {
                TrafficClass::Audio => 46 << 2,
                TrafficClass::Video => 34 << 2,
                TrafficClass::Other => 0,
            };
            assert_eq!(got, sent.iter().map(mark).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn an_address_that_cannot_be_sent_to_costs_its_own_datagram_only() {
    let (ours, theirs) = ([bound("127.0.0.1:0")], peer("127.0.0.1:0"));
    let (good, counters) = (theirs.local_addr().unwrap(), Counters::new(1));
    let nowhere = "127.0.0.1:0".parse().unwrap(); // port 0 is refused by the kernel
    let mut outbox = Outbox::new(8);
    for (to, byte) in [(nowhere, 1), (good, 2), (nowhere, 3), (nowhere, 4), (good, 5)] {
        push(&mut outbox, 0, to, &[byte]);
    }
    Transmitter::new(&ours).send(&ours, &mut outbox, &counters, &Clock::start());
    assert_eq!(heard(&theirs), [[2], [5]]);
    assert_eq!(counters.drops(DropReason::SendFailed), 3);
    assert_eq!(counters.get(Cell::DatagramsDown), 2);
}

#[test]
fn a_port_that_is_taken_is_refused_even_when_its_owner_shares_it_among_workers() {
    let first = UdpSocket::bind_first("127.0.0.1:0".parse().unwrap(), true).unwrap();
    let refused = UdpSocket::bind_first(first.local(), true).err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::AddrInUse);
    assert_eq!(UdpSocket::bind_again(first.local()).unwrap().local(), first.local());
}
