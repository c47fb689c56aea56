//! Data channels over everything below them.

use sctp_proto::PayloadProtocolIdentifier as Ppid;

use super::sctp::Sctp;
use super::*;
use crate::transport::data::dcep::Reliability;
use crate::transport::data::{MAX_MESSAGE, MAX_SEND_BUFFER};

impl Pair {
    /// Connected, with an association that the peer began.
    pub(super) fn associated() -> Pair {
        let mut pair = Pair::connected();
        pair.events.clear();
        pair.sctp = Some(Sctp::new(pair.shared.epoch));
        pair.run(Duration::from_millis(500));
        assert!(pair.sctp().connected);
        pair
    }

    /// With one reliable channel open.
    pub(super) fn channel(id: u16) -> Pair {
        let mut pair = Pair::associated();
        pair.sctp().open(id, true, Reliability::Reliable, "chat");
        pair.run(Duration::from_millis(200));
        assert_eq!(pair.events, [TransportEvent::ChannelOpened { channel: id, label: "chat".into() }]);
        assert_eq!(pair.sctp().messages, [(id, Ppid::Dcep, vec![2])]);
        pair.events.clear();
        pair.sctp().messages.clear();
        pair
    }

    pub(super) fn sctp(&mut self) -> &mut Sctp {
        self.sctp.as_mut().unwrap()
    }

    pub(super) fn send(&mut self, channel: u16, binary: bool, payload: &[u8]) -> Result<(), DropReason> {
        let result = self.server.send_data(self.now, channel, binary, payload, &mut self.out);
        self.flush();
        result
    }

    pub(super) fn media_goes_on(&mut self) {
        self.run(Duration::from_millis(100));
        assert!(self.server.is_connected());
        let mut packet = self.peer.rtp(9, self.now.micros() / 10_000, b"x");
        assert!(self.server.unprotect_rtp(self.now, self.peer.path, &mut packet).is_ok());
    }
}

#[test]
fn text_and_bytes_of_any_size_go_both_ways() {
    let mut pair = Pair::channel(3);
    let big = vec![7; MAX_MESSAGE];
    pair.sctp().send(3, Ppid::String, b"hello");
    pair.sctp().send(3, Ppid::Binary, &big);
    pair.sctp().send(3, Ppid::StringEmpty, &[0]);
    pair.sctp().send(3, Ppid::BinaryEmpty, &[0]);
    for (binary, payload) in [(false, &b"hello"[..]), (true, &big), (false, b""), (true, b"")] {
        pair.send(3, binary, payload).unwrap();
    }
    pair.run(Duration::from_secs(5));
    let expected = [(false, &b"hello"[..]), (true, &big), (false, b""), (true, b"")];
    let expected = expected.map(|(binary, payload)| TransportEvent::Data {
        channel: 3,
        binary,
        payload: payload.into(),
    });
    assert!(pair.events == expected, "{} events", pair.events.len());
    let expected = [
        (3, Ppid::String, b"hello".to_vec()),
        (3, Ppid::Binary, big),
        (3, Ppid::StringEmpty, vec![0]),
        (3, Ppid::BinaryEmpty, vec![0]),
    ];
    assert!(pair.sctp().messages == expected);
}

#[test]
fn reliable_messages_arrive_in_order_over_a_bad_line() {
    let mut pair = Pair::channel(1);
    (pair.loss, pair.twice, pair.late) = (20, 10, 20);
    for n in 0..300_u32 {
        pair.sctp().send(1, Ppid::Binary, &n.to_be_bytes());
        pair.send(1, true, &n.to_be_bytes()).unwrap();
        pair.run(Duration::from_millis(10));
    }
    pair.run(Duration::from_secs(60));
    let up: Vec<_> = pair
        .events
        .iter()
        .filter_map(|event| match event {
            TransportEvent::Data { payload, .. } => Some(u32::from_be_bytes(payload[..].try_into().unwrap())),
            _ => None,
        })
        .collect();
    let down: Vec<_> =
        pair.sctp().messages.iter().map(|(_, _, m)| u32::from_be_bytes(m[..].try_into().unwrap())).collect();
    assert_eq!(up, (0..300).collect::<Vec<_>>());
    assert_eq!(down, up);
}

#[test]
fn a_lossy_channel_stays_lossy_on_the_way_down() {
    let mut pair = Pair::associated();
    pair.sctp().open(5, false, Reliability::Retransmits(0), "lossy");
    pair.run(Duration::from_millis(200));
    pair.sctp().messages.clear();
    pair.loss = 30;
    for n in 0..200_u32 {
        pair.send(5, true, &n.to_be_bytes()).unwrap();
        pair.run(Duration::from_millis(20));
    }
    pair.loss = 0;
    pair.run(Duration::from_secs(30));
    let count = pair.sctp().messages.len();
    assert!((100..195).contains(&count), "{count}");
    // It is not stuck behind what was lost.
    pair.send(5, true, b"last").unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.sctp().messages.last().unwrap().2, b"last");
}

#[test]
fn messages_wait_for_their_channel_within_a_bound() {
    let mut pair = Pair::associated();
    for n in 0..64_u8 {
        pair.send(2, true, &[n]).unwrap();
    }
    assert_eq!(pair.send(2, true, &[64]), Err(DropReason::DataOverflow));
    pair.sctp().open(2, true, Reliability::Reliable, "late");
    pair.run(Duration::from_millis(500));
    let got: Vec<_> = pair.sctp().messages.iter().skip(1).map(|(_, _, message)| message[0]).collect();
    assert_eq!(got, (0..64).collect::<Vec<_>>());
}

#[test]
fn what_a_peer_does_not_read_is_bounded() {
    let mut pair = Pair::channel(1);
    pair.sctp().deaf = true;
    let message = vec![1; 10_000];
    let mut accepted = 0;
    for _ in 0..1_000 {
        match pair.send(1, true, &message) {
            Ok(()) => accepted += message.len(),
            Err(reason) => assert_eq!(reason, DropReason::DataOverflow),
        }
        pair.run(Duration::from_millis(10));
    }
    // Ours and the megabyte of the peer's receive buffer.
    assert!(accepted <= MAX_SEND_BUFFER + 1_100_000, "{accepted}");
    pair.sctp().deaf = false;
    pair.run(Duration::from_secs(20));
    pair.send(1, true, b"again").unwrap();
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.sctp().messages.last().unwrap().2, b"again");
}

#[test]
fn a_worker_that_takes_nothing_holds_the_peer_back_and_loses_nothing() {
    let mut pair = Pair::channel(1);
    pair.hold_events = true;
    for n in 0..5_000_u32 {
        pair.sctp().send(1, Ppid::Binary, &n.to_be_bytes());
        if n % 10 == 0 {
            pair.run(Duration::from_millis(5));
        }
    }
    pair.run(Duration::from_secs(2));
    assert!(pair.events.is_empty());
    pair.hold_events = false;
    pair.run(Duration::from_secs(60));
    let up: Vec<_> = pair
        .events
        .iter()
        .filter_map(|event| match event {
            TransportEvent::Data { payload, .. } => Some(u32::from_be_bytes(payload[..].try_into().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(up.len(), 5_000);
    assert!(up.is_sorted());
}

#[test]
fn a_channel_that_the_peer_closes_can_be_opened_again() {
    let mut pair = Pair::channel(1);
    pair.sctp().association.stream(1).unwrap().close().unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.server.data_channels(), 0);
    assert_eq!(pair.sctp().finished, [1]);
    pair.sctp().open(1, true, Reliability::Reliable, "again");
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.events, [TransportEvent::ChannelOpened { channel: 1, label: "again".into() }]);
}

#[test]
fn data_is_refused_when_the_description_has_no_data_section() {
    let mut pair = Pair::new();
    let mut description = pair.peer.description();
    description.sctp_port = None;
    // A fresh transport, as the pair's own one was told otherwise.
    pair.server = Transport::new(pair.now, credentials("serv"), &pair.shared, pair.counters.clone());
    pair.server.set_remote(pair.now, &description);
    pair.run(Duration::from_secs(1));
    pair.sctp = Some(Sctp::new(pair.shared.epoch));
    pair.run(Duration::from_secs(1));
    assert!(!pair.sctp().connected);
    assert!(pair.counters.drops(DropReason::SctpMalformed) > 0);
    assert_eq!(pair.send(1, true, b"x"), Err(DropReason::DataOverflow));
}

#[test]
fn a_message_larger_than_the_peer_takes_is_not_sent() {
    let mut pair = Pair::channel(1);
    let mut description = pair.peer.description();
    description.max_message_size = 1_000;
    pair.server.set_remote(pair.now, &description);
    assert_eq!(pair.send(1, true, &[0; 1_001]), Err(DropReason::DataOverflow));
    assert_eq!(pair.send(1, true, &[0; 1_000]), Ok(()));
}

#[test]
fn a_small_outbox_delays_a_large_message_and_loses_none_of_it() {
    let mut pair = Pair::channel(1);
    pair.out = Outbox::new(2);
    let big = vec![9; 200_000];
    pair.send(1, true, &big).unwrap();
    pair.run(Duration::from_secs(10));
    assert!(pair.sctp().messages == [(1, Ppid::Binary, big)]);
    assert_eq!(pair.counters.drops(DropReason::OutboxFull), 0);
}
