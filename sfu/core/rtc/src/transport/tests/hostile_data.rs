//! Peers that misuse their data channels: their association may end, the call goes on.

use proptest::prelude::*;
use sctp_proto::PayloadProtocolIdentifier as Ppid;

use super::*;
use crate::transport::data::MAX_CHANNELS;
use crate::transport::data::dcep::Reliability;

#[test]
fn a_message_that_is_too_large_ends_the_association_and_not_the_call() {
    let mut pair = Pair::channel(1);
    let big = vec![1; 16 * 1_024 * 1_024];
    pair.sctp().send(1, Ppid::Binary, &big);
    pair.run(Duration::from_secs(10));
    assert!(pair.sctp().lost);
    assert!(pair.counters.drops(DropReason::SctpMalformed) > 0);
    assert_eq!(pair.send(1, true, b"x"), Err(DropReason::DataOverflow));
    pair.media_goes_on();
}

#[test]
fn more_channels_than_allowed_end_the_association_and_not_the_call() {
    let mut pair = Pair::associated();
    for id in 0..=MAX_CHANNELS as u16 {
        pair.sctp().open(id, true, Reliability::Reliable, "");
        pair.run(Duration::from_millis(50));
    }
    pair.run(Duration::from_secs(1));
    assert!(pair.sctp().lost);
    assert_eq!(pair.server.data_channels(), 0);
    pair.media_goes_on();
}

#[test]
fn a_peer_that_sends_its_megabyte_byte_by_byte_is_held_back() {
    let mut pair = Pair::channel(1);
    pair.hold_events = true;
    for _ in 0..20_000 {
        pair.sctp().send(1, Ppid::Binary, b"x");
    }
    pair.run(Duration::from_secs(5));
    assert!(pair.counters.drops(DropReason::DataOverflow) > 0);
    pair.media_goes_on();
}

#[test]
fn eight_thousand_holes_are_survived() {
    let mut pair = Pair::channel(1);
    pair.mangle = Some(Box::new(|n, packet| {
        if is_data(packet) {
            add(packet, 16, 2 * n as u32 + 1);
        }
    }));
    for _ in 0..8_000 {
        if !pair.sctp().lost {
            pair.sctp().send(1, Ppid::Binary, b"x");
        }
        pair.run(Duration::from_millis(1));
    }
    pair.mangle = None;
    pair.run(Duration::from_secs(1));
    pair.media_goes_on();
}

#[test]
fn sixty_five_thousand_streams_end_the_association_and_not_the_call() {
    let mut pair = Pair::channel(1);
    pair.mangle = Some(Box::new(|n, packet| {
        if is_data(packet) {
            packet[20..22].copy_from_slice(&(n as u16).to_be_bytes());
        }
    }));
    for _ in 0..100 {
        if !pair.sctp().lost {
            pair.sctp().send(1, Ppid::Binary, &[1; 1_000]);
        }
        pair.run(Duration::from_millis(20));
    }
    assert!(pair.sctp().lost);
    pair.mangle = None;
    pair.media_goes_on();
}

#[test]
fn a_jump_of_the_forward_tsn_is_survived() {
    let mut pair = Pair::channel(1);
    pair.mangle = Some(Box::new(|n, packet| {
        if is_data(packet) {
            // FORWARD-TSN in place of the data: 8 bytes, with a TSN far ahead.
            let mut tsn: [u8; 4] = packet[16..20].try_into().unwrap();
            tsn[0] = tsn[0].wrapping_add(n as u8 * 16);
            packet.truncate(12);
            packet.extend_from_slice(&[192, 0, 0, 8]);
            packet.extend_from_slice(&tsn);
        }
    }));
    for _ in 0..100 {
        if !pair.sctp().lost {
            pair.sctp().send(1, Ppid::Binary, b"x");
        }
        pair.run(Duration::from_millis(20));
    }
    pair.mangle = None;
    pair.media_goes_on();
}

#[test]
fn an_endless_message_ends_the_association_and_not_the_call() {
    let mut pair = Pair::channel(1);
    pair.mangle = Some(Box::new(|_, packet| {
        if is_data(packet) {
            // Neither the first nor the last piece.
            packet[13] &= !3;
        }
    }));
    for _ in 0..1_500 {
        if !pair.sctp().lost {
            pair.sctp().send(1, Ppid::Binary, &[1; 1_000]);
        }
        pair.run(Duration::from_millis(5));
    }
    assert!(pair.sctp().lost);
    pair.mangle = None;
    pair.media_goes_on();
}

#[test]
fn a_label_of_64_kilobytes_opens_nothing() {
    let mut pair = Pair::associated();
    pair.sctp().open(1, true, Reliability::Reliable, &"x".repeat(65_000));
    pair.run(Duration::from_secs(2));
    assert!(pair.events.is_empty());
    assert_eq!(pair.sctp().finished, [1]);
    pair.media_goes_on();
}

#[test]
fn messages_of_unknown_kind_or_before_the_channel_is_open_are_dropped() {
    let mut pair = Pair::channel(1);
    pair.sctp().send(1, Ppid::Unknown, b"what is this?");
    pair.sctp().association.open_stream(2, Ppid::Binary).unwrap();
    pair.sctp().send(2, Ppid::Binary, b"too early");
    pair.run(Duration::from_secs(1));
    assert!(pair.events.is_empty());
    assert_eq!(pair.counters.drops(DropReason::SctpMalformed), 2);
}

/// A packet of one DATA chunk: header, chunk header, TSN, stream, sequence number, kind, data.
fn is_data(packet: &[u8]) -> bool {
    packet.get(12) == Some(&0)
}

fn add(packet: &mut [u8], at: usize, n: u32) {
    let field: &mut [u8; 4] = packet[at..].first_chunk_mut().unwrap();
    *field = u32::from_be_bytes(*field).wrapping_add(n).to_be_bytes();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_over_dtls_are_survived(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
    ) {
        let mut pair = Pair::channel(1);
        for packet in packets {
            pair.peer.dtls.send_application_data(&packet).unwrap();
            pair.run(Duration::from_millis(1));
        }
        pair.media_goes_on();
    }

    #[test]
    fn mangled_packets_with_right_checksums_are_survived(
        seed in any::<u64>(),
        flips in prop::collection::vec((12..400_usize, 1..=255_u8), 1..4),
    ) {
        let mut pair = Pair::channel(1);
        pair.mangle = Some(Box::new(move |_, packet| {
            for (at, flip) in &flips {
                if let Some(byte) = packet.get_mut(*at) {
                    *byte ^= flip;
                }
            }
        }));
        pair.dice = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..20 {
            if !pair.sctp().lost {
                pair.sctp().send(1, Ppid::Binary, &[3; 700]);
            }
            pair.run(Duration::from_millis(30));
        }
        pair.mangle = None;
        pair.media_goes_on();
    }
}
