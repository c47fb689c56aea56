//! What must not work (reliability.md has the classes V1 to V6 and V22).

use proptest::prelude::*;

use super::*;

#[test]
fn a_certificate_that_the_description_does_not_name_gets_no_keys() {
    let mut pair = Pair::new();
    let mut wrong = pair.peer.description();
    wrong.fingerprints = [Fingerprint([7; 32])].into_iter().collect();
    pair.server.set_remote(pair.now, &wrong);
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.events, [TransportEvent::Failed(FailReason::FingerprintMismatch)]);
    assert!(pair.peer.srtp.is_none());
}

#[test]
fn a_later_description_that_names_another_certificate_ends_the_connection() {
    let mut pair = Pair::connected();
    pair.events.clear();
    let same = pair.peer.description();
    pair.server.set_remote(pair.now, &same);
    assert!(pair.server.is_connected());
    let mut other = same;
    other.fingerprints = [Fingerprint([7; 32])].into_iter().collect();
    pair.server.set_remote(pair.now, &other);
    assert_eq!(
        pair.server.poll_event(pair.now),
        Some(TransportEvent::Failed(FailReason::FingerprintMismatch))
    );
    assert_eq!(pair.server.protect_rtcp(&mut [0; 100], 8), None);
}

#[test]
fn a_description_without_any_certificate_accepts_none() {
    let mut pair = Pair::new();
    let mut none = pair.peer.description();
    none.fingerprints.clear();
    pair.server.set_remote(pair.now, &none);
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.failure(), Some(FailReason::FingerprintMismatch));
}

#[test]
fn a_handshake_from_an_address_without_a_check_is_dropped_in_silence() {
    let mut pair = Pair::new();
    pair.next_check = Time::NEVER;
    pair.eager = true;
    pair.run(Duration::from_secs(5));
    assert!(!pair.drops.is_empty());
    assert!(pair.drops.iter().all(|drop| *drop == DropReason::Unvalidated));
    assert!(pair.peer.answers.is_empty());
    assert!(pair.peer.srtp.is_none());
}

#[test]
fn a_stranger_who_shakes_hands_first_does_not_disturb_the_peer() {
    for _ in 0..20 {
        let mut pair = Pair::new();
        let mut stranger = Peer::new(pair.now, pair.shared.epoch, path(6_666), credentials("serv"));
        for datagram in stranger.flush(pair.now) {
            let drop = pair.server.handle_dtls(pair.now, path(6_666), &datagram, &mut pair.out);
            assert_eq!(drop, Err(DropReason::Unvalidated));
        }
        assert!(pair.out.is_empty());
        pair.run(Duration::from_secs(1));
        assert!(pair.server.is_connected());
    }
}

#[test]
fn a_check_with_a_wrong_password_is_not_answered() {
    let mut pair = Pair::new();
    pair.peer.remote.pwd = "wrongwrongwrongwrongwrong".into();
    pair.run(Duration::from_millis(400));
    assert_eq!(pair.drops[0], DropReason::StunIntegrity);
    assert!(pair.server.paths().len() == 0);
    assert!(pair.peer.answers.is_empty());
}

#[test]
fn a_check_before_the_description_or_with_a_foreign_ufrag_is_not_answered() {
    let now = Time::from_millis(1_000);
    let shared = shared();
    let mut out = Outbox::new(4);
    let local = credentials("serv");
    let mut server = Transport::new(now, local.clone(), &shared, Counters::new(1));
    let mut peer = Peer::new(now, shared.epoch, path(4_000), local);
    let check = peer.check(true);
    assert_eq!(server.handle_stun(now, path(4_000), &check, &mut out), Err(DropReason::StunUnknownUfrag));
    server.set_remote(now, &peer.description());
    peer.local.ufrag = "else".into();
    let check = peer.check(true);
    assert_eq!(server.handle_stun(now, path(4_000), &check, &mut out), Err(DropReason::StunUnknownUfrag));
    assert!(out.is_empty());
}

#[test]
fn a_peer_that_says_it_is_controlled_is_told_to_change() {
    let mut pair = Pair::connected();
    let check = pair.peer.check_with(|builder| builder.attribute(stun::attribute::ICE_CONTROLLED, &[1; 8]));
    pair.send_up(check);
    pair.run(Duration::from_millis(100));
    assert!(pair.drops.contains(&DropReason::StunRoleConflict));
    assert!(pair.peer.answers.iter().any(|answer| answer.error == Some(487)));
}

#[test]
fn an_attribute_that_must_be_understood_and_is_not_is_named_in_the_answer() {
    let mut pair = Pair::connected();
    let check = pair.peer.check_with(|builder| builder.attribute(0x7fff, b"what?"));
    pair.send_up(check);
    pair.run(Duration::from_millis(100));
    assert!(pair.peer.answers.iter().any(|answer| answer.error == Some(420)));
}

#[test]
fn a_captured_check_sent_from_elsewhere_moves_nothing() {
    let mut pair = Pair::connected();
    let check = pair.peer.check(true);
    pair.server.handle_stun(pair.now, path(4_000), &check, &mut pair.out).unwrap();
    pair.out.clear();
    let replay = pair.server.handle_stun(pair.now, path(6_666), &check, &mut pair.out);
    assert_eq!(replay, Err(DropReason::StunReplay));
    assert!(pair.out.is_empty());
    assert_eq!(pair.server.path(), Some(path(4_000)));
    assert_eq!(pair.server.paths().len(), 1);
}

#[test]
fn ten_thousand_bad_packets_from_the_right_address_do_not_end_the_call() {
    let mut pair = Pair::connected();
    for n in 0..10_000_u32 {
        let mut forged = [0x80; 100];
        forged[4..8].copy_from_slice(&n.to_be_bytes());
        assert_eq!(
            pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut forged),
            Err(DropReason::SrtpAuth)
        );
    }
    pair.run(Duration::from_secs(1));
    assert!(pair.server.is_connected());
    assert_eq!(pair.server.srtp_contexts(), 0);
    let mut good = pair.peer.rtp(7, 1, b"still here");
    assert!(pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut good).is_ok());
}

#[test]
fn media_before_the_handshake_is_refused() {
    let mut pair = Pair::new();
    assert_eq!(
        pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut [0x80; 100]),
        Err(DropReason::SrtpNotReady)
    );
    assert_eq!(
        pair.server.unprotect_rtcp(pair.now, pair.peer.path, &mut [0x80; 100]),
        Err(DropReason::SrtpNotReady)
    );
    assert_eq!(pair.server.protect_rtp(SeqNo(0), 12, &mut [0; 100], 50), None);
    assert_eq!(pair.server.protect_rtcp(&mut [0; 100], 50), None);
}

#[test]
fn every_length_and_first_byte_from_a_validated_path_is_survived() {
    let mut pair = Pair::connected();
    for len in 0..=64 {
        for first in 0..=255 {
            let mut datagram = vec![first; len];
            let _ = pair.server.handle_stun(pair.now, path(4_000), &datagram, &mut pair.out);
            let _ = pair.server.handle_dtls(pair.now, path(4_000), &datagram, &mut pair.out);
            let _ = pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut datagram);
            let _ = pair.server.unprotect_rtcp(pair.now, pair.peer.path, &mut datagram);
        }
    }
    pair.run(Duration::from_secs(1));
    assert!(pair.server.is_connected());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_records_after_the_handshake_are_survived(
        kind in 19..26_u8,
        epoch in 0..3_u8,
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut pair = Pair::connected();
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 99];
        record.extend_from_slice(&(body.len() as u16).to_be_bytes());
        record.extend_from_slice(&body);
        let _ = pair.server.handle_dtls(pair.now, path(4_000), &record, &mut pair.out);
        pair.run(Duration::from_millis(200));
        prop_assert!(pair.server.is_connected());
    }

    #[test]
    fn a_mangled_handshake_never_connects_with_other_keys(at in 0..400_usize, flip in 1..=255_u8, which in 0..4_usize) {
        let mut pair = Pair::new();
        let check = pair.peer.check(true);
        pair.send_up(check);
        let mut seen = 0;
        for _ in 0..40 {
            for mut datagram in pair.peer.flush(pair.now) {
                if seen == which && at < datagram.len() {
                    datagram[at] ^= flip;
                }
                seen += 1;
                pair.send_up(datagram);
            }
            pair.run(Duration::from_millis(10));
        }
        if pair.server.is_connected() && pair.peer.srtp.is_some() {
            let mut packet = pair.peer.rtp(7, 1, b"x");
            prop_assert!(pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut packet).is_ok());
        }
    }
}
