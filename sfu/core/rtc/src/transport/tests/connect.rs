//! From the first check to media.

use super::*;
use crate::event::SrtpProfile;

#[test]
fn a_peer_that_checks_and_shakes_hands_is_connected_with_aes_256_gcm() {
    let pair = Pair::connected();
    let expected = TransportEvent::Connected { path: path(4_000), profile: SrtpProfile::AeadAes256Gcm };
    assert_eq!(pair.events, [expected]);
    assert_eq!(pair.paths, [PathChange { added: Some(path(4_000)), ..PathChange::default() }]);
    assert_eq!(pair.peer.answers[0].mapped, Some(path(4_000).remote));
    assert!(pair.drops.is_empty(), "{:?}", pair.drops);
}

#[test]
fn media_and_reports_go_both_ways() {
    let mut pair = Pair::connected();
    let mut up = pair.peer.rtp(7, 70_000 - 65_536, b"up");
    assert_eq!(pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut up), Ok(14));
    assert_eq!(&up[12..14], b"up");

    let mut down = [0; 100];
    down[0] = 0x80;
    down[2..4].copy_from_slice(&9_u16.to_be_bytes());
    down[12..16].copy_from_slice(b"down");
    let len = pair.server.protect_rtp(SeqNo(9), 12, &mut down, 16).unwrap();
    let (_, receiver) = pair.peer.srtp.as_mut().unwrap();
    assert_eq!(receiver.unprotect_rtp(pair.now, &mut down[..len]), Ok(16));
    assert_eq!(&down[12..16], b"down");

    let mut report = [0; 40];
    report[..4].copy_from_slice(&[0x80, 201, 0, 1]);
    let len = pair.server.protect_rtcp(&mut report, 8).unwrap();
    let (_, receiver) = pair.peer.srtp.as_mut().unwrap();
    assert_eq!(receiver.unprotect_rtcp(pair.now, &mut report[..len]), Ok(8));
}

#[test]
fn a_handshake_survives_loss_of_up_to_thirty_percent() {
    for loss in [10, 20, 30] {
        for seed in 0..20 {
            let mut pair = Pair::new();
            pair.loss = loss;
            pair.dice = ChaCha8Rng::seed_from_u64(seed);
            pair.run(Duration::from_secs(25));
            assert!(pair.server.is_connected(), "loss {loss} %, seed {seed}: {:?}", pair.events);
        }
    }
}

#[test]
fn a_handshake_survives_datagrams_that_come_twice_and_late() {
    for seed in 0..20 {
        let mut pair = Pair::new();
        (pair.loss, pair.twice, pair.late) = (10, 30, 30);
        pair.dice = ChaCha8Rng::seed_from_u64(seed);
        pair.run(Duration::from_secs(20));
        assert!(pair.server.is_connected(), "seed {seed}: {:?}", pair.events);
    }
}

#[test]
fn a_finished_handshake_says_as_much_as_a_nomination() {
    // As Chromium, which is writable some time before it nominates.
    let mut pair = Pair::new();
    pair.nominate = false;
    pair.run(Duration::from_secs(1));
    assert!(pair.server.is_connected());
    assert_eq!(pair.server.path(), Some(path(4_000)));
    // The first nomination is the truth, however low.
    pair.peer.path = path(5_000);
    pair.peer.priority = 1;
    pair.nominate = true;
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.server.path(), Some(path(5_000)));
    assert_eq!(pair.events.last(), Some(&TransportEvent::PathChanged { path: path(5_000) }));
}

#[test]
fn a_peer_that_never_checks_is_given_up() {
    let mut pair = Pair::new();
    pair.next_check = Time::NEVER;
    pair.run(Duration::from_secs(31));
    assert_eq!(pair.events, [TransportEvent::Failed(FailReason::IceTimeout)]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_peer_that_checks_but_never_shakes_hands_is_given_up() {
    let mut pair = Pair::new();
    pair.peer.dtls = {
        // A server on both sides: neither begins.
        let config = Arc::new(dimpl::Config::builder().build().unwrap());
        dimpl::Dtls::new_12(config, pair.peer.certificate.clone(), pair.shared.epoch)
    };
    pair.run(Duration::from_secs(32));
    assert_eq!(pair.events, [TransportEvent::Failed(FailReason::DtlsTimeout)]);
}

#[test]
fn a_peer_that_vanishes_is_missed_and_then_given_up() {
    let mut pair = Pair::connected();
    for index in 0..10 {
        let mut packet = pair.peer.rtp(7, index, b"x");
        pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut packet).unwrap();
    }
    pair.next_check = Time::NEVER;
    let gone = pair.now;
    pair.events.clear();
    pair.run(Duration::from_millis(3_100));
    assert_eq!(pair.events, [TransportEvent::Silent]);
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.events[1..], [TransportEvent::Failed(FailReason::ConsentExpired)]);
    assert!(pair.server.protect_rtcp(&mut [0; 100], 8).is_none());
    assert!(gone < pair.now);
}

#[test]
fn a_peer_that_comes_back_within_consent_goes_on_where_it_was() {
    let mut pair = Pair::connected();
    pair.next_check = pair.now + Duration::from_secs(10);
    pair.events.clear();
    pair.run(Duration::from_secs(12));
    assert_eq!(pair.events, [TransportEvent::Silent, TransportEvent::Resumed]);
    assert!(pair.server.is_connected());
}

#[test]
fn a_peer_that_says_goodbye_is_gone_at_once() {
    let mut pair = Pair::connected();
    pair.peer.dtls.close().unwrap();
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.failure(), Some(FailReason::ClosedByPeer));
}

#[test]
fn closing_says_goodbye_and_then_nothing_more() {
    let mut pair = Pair::connected();
    pair.server.close(pair.now, &mut pair.out);
    pair.run(Duration::from_millis(100));
    assert!(pair.peer.closed);
    assert_eq!(pair.server.poll_timeout(), None);
    assert_eq!(pair.failure(), None);
    let check = pair.peer.check(true);
    let answer = pair.server.handle_stun(pair.now, path(4_000), &check, &mut pair.out);
    assert_eq!(answer, Err(DropReason::Unvalidated));
}
