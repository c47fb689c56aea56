use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::drop_reason::DropReason;
use crate::units::{SeqNo, Time};

const PROFILES: [SrtpProfile; 3] =
    [SrtpProfile::AeadAes256Gcm, SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];

fn keys(profile: SrtpProfile) -> Keys {
    let len = match profile {
        SrtpProfile::AeadAes256Gcm => 88,
        SrtpProfile::AeadAes128Gcm => 56,
        SrtpProfile::Aes128CmSha1_80 => 60,
    };
    Keys::from_exporter(profile, &(0..len).collect::<Vec<u8>>()).unwrap()
}

fn ends(profile: SrtpProfile) -> (Sender, Receiver) {
    let keys = keys(profile);
    (keys.sender(Side::Server).unwrap(), keys.receiver(Side::Client).unwrap())
}

fn packet(sender: &Sender, ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
    let index = SeqNo(index);
    let mut slot = vec![0x80, 96];
    slot.extend_from_slice(&index.wire().to_be_bytes());
    slot.extend_from_slice(&[0; 4]);
    slot.extend_from_slice(&ssrc.to_be_bytes());
    slot.extend_from_slice(payload);
    let len = slot.len();
    slot.resize(len + MAX_OVERHEAD, 0);
    let len = sender.protect_rtp(index, 12, &mut slot, len).unwrap();
    slot.truncate(len);
    slot
}

fn report(sender: &mut Sender, ssrc: u32) -> Vec<u8> {
    let mut slot = vec![0x80, 201, 0, 1];
    slot.extend_from_slice(&ssrc.to_be_bytes());
    slot.resize(8 + MAX_OVERHEAD, 0);
    let len = sender.protect_rtcp(&mut slot, 8).unwrap();
    slot.truncate(len);
    slot
}

#[test]
fn a_packet_is_the_one_that_libsrtp_makes() {
    // The reference packet of libsrtp's test program, as all of its users check it.
    let master =
        MasterKey::new(&hex("e1f97a0d3e018be0d64fa32c06de4139"), &hex("0ec675ad498afeebb6960b3aabe6"))
            .unwrap();
    let sender = Sender::new(SrtpProfile::Aes128CmSha1_80, &master).unwrap();
    let mut slot = hex("800f1234decafbadcafebabeabababababababababababababababab");
    slot.resize(28 + 10, 0);
    assert_eq!(sender.protect_rtp(SeqNo(0x1234), 12, &mut slot, 28), Some(38));
    assert_eq!(slot, hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
}

#[test]
fn every_profile_carries_rtp_and_rtcp_from_one_end_to_the_other() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile);
        let mut rtp = packet(&sender, 7, 1_000, b"picture");
        assert_eq!(receiver.unprotect_rtp(Time(0), &mut rtp), Ok(12 + 7));
        assert_eq!(&rtp[12..19], b"picture");
        let mut rtcp = report(&mut sender, 7);
        assert_eq!(receiver.unprotect_rtcp(Time(0), &mut rtcp), Ok(8));
    }
}

#[test]
fn a_copy_of_a_packet_is_refused_at_once_later_and_after_the_sequence_number_wrapped() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile);
        for index in [65_500, 65_535, 65_536, 65_600, 131_071, 131_072] {
            let mut sent = packet(&sender, 7, index, b"picture");
            let mut copy = sent.clone();
            // In between come the packets that let the receiver follow the cycle.
            assert_eq!(receiver.unprotect_rtp(Time(0), &mut sent), Ok(19), "index {index}");
            assert_eq!(receiver.unprotect_rtp(Time(0), &mut copy.clone()), Err(DropReason::SrtpReplay));
            for step in [20_000, 40_000, 60_000] {
                let next = index + step;
                if next < 131_000 && index == 65_600 {
                    let mut sent = packet(&sender, 7, next, b"picture");
                    assert_eq!(receiver.unprotect_rtp(Time(0), &mut sent), Ok(19), "index {next}");
                }
            }
            let late = receiver.unprotect_rtp(Time(30_000_000), &mut copy);
            assert!(matches!(late, Err(DropReason::SrtpReplay | DropReason::SrtpAuth)), "{late:?}");
        }
        let mut sent = report(&mut sender, 7);
        let mut copy = sent.clone();
        assert_eq!(receiver.unprotect_rtcp(Time(0), &mut sent), Ok(8));
        assert_eq!(receiver.unprotect_rtcp(Time(0), &mut copy), Err(DropReason::SrtcpReplay));
    }
}

#[test]
fn packets_out_of_order_around_the_wrap_are_all_let_in() {
    let (sender, mut receiver) = ends(SrtpProfile::AeadAes128Gcm);
    for index in [65_530, 65_537, 65_533, 65_535, 65_536, 65_531] {
        let mut sent = packet(&sender, 7, index, b"x");
        assert_eq!(receiver.unprotect_rtp(Time(0), &mut sent), Ok(13), "index {index}");
    }
}

#[test]
fn a_forged_packet_opens_no_stream() {
    let (_, mut receiver) = ends(SrtpProfile::AeadAes256Gcm);
    for ssrc in 0..20_000_u32 {
        let mut forged = vec![0x80, 96, 0, 1, 0, 0, 0, 0];
        forged.extend_from_slice(&ssrc.to_be_bytes());
        forged.resize(60, 0xaa);
        assert_eq!(receiver.unprotect_rtp(Time(0), &mut forged), Err(DropReason::SrtpAuth));
    }
    assert_eq!(receiver.streams(), 0);
}

#[test]
fn more_streams_than_allowed_are_refused_until_one_is_idle() {
    let (sender, mut receiver) = ends(SrtpProfile::AeadAes128Gcm);
    for ssrc in (0..MAX_MEDIA_STREAMS as u32).rev() {
        assert!(receiver.unprotect_rtp(Time(0), &mut packet(&sender, ssrc, 1, b"x")).is_ok());
    }
    let late = Time(0) + Duration::from_secs(10);
    let early = late - Duration::from_millis(1);
    assert_eq!(
        receiver.unprotect_rtp(early, &mut packet(&sender, 9_999, 1, b"x")),
        Err(DropReason::SsrcLimit)
    );
    assert!(receiver.unprotect_rtp(early, &mut packet(&sender, 5, 2, b"x")).is_ok());
    assert!(receiver.unprotect_rtp(late, &mut packet(&sender, 9_999, 1, b"x")).is_ok());
    assert_eq!(receiver.streams(), MAX_MEDIA_STREAMS);
    // The busy stream was not the one that had to go.
    assert_eq!(receiver.unprotect_rtp(late, &mut packet(&sender, 5, 2, b"x")), Err(DropReason::SrtpReplay));
}

#[test]
fn a_firefox_that_reports_on_two_hundred_sections_is_heard_on_all_of_them() {
    let (mut sender, mut receiver) = ends(SrtpProfile::AeadAes128Gcm);
    for round in 0..3u64 {
        for ssrc in (0..200u32).rev() {
            let mut report = vec![0x80, 201, 0, 1];
            report.extend_from_slice(&ssrc.to_be_bytes());
            report.resize(64, 0);
            let len = sender.protect_rtcp(&mut report, 8).unwrap();
            let now = Time::from_millis(round * 1_000);
            assert_eq!(receiver.unprotect_rtcp(now, &mut report[..len]), Ok(8), "{ssrc}");
        }
    }
}

#[test]
fn exported_material_of_another_length_makes_no_keys() {
    for profile in PROFILES {
        for len in [0, 55, 57, 59, 61, 87, 89] {
            assert!(Keys::from_exporter(profile, &vec![0; len]).is_none());
        }
    }
}

#[test]
fn every_length_and_first_byte_is_refused_without_a_panic() {
    for profile in PROFILES {
        let (_, mut receiver) = ends(profile);
        for len in 0..=64 {
            for first in 0..=255 {
                let mut datagram = vec![0xff; len];
                if let Some(byte) = datagram.first_mut() {
                    *byte = first;
                }
                assert!(receiver.unprotect_rtp(Time(0), &mut datagram.clone()).is_err());
                assert!(receiver.unprotect_rtcp(Time(0), &mut datagram).is_err());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(datagram in prop::collection::vec(any::<u8>(), 0..1_500)) {
        for profile in PROFILES {
            let (_, mut receiver) = ends(profile);
            prop_assert!(receiver.unprotect_rtp(Time(0), &mut datagram.clone()).is_err());
            prop_assert!(receiver.unprotect_rtcp(Time(0), &mut datagram.clone()).is_err());
        }
    }

    #[test]
    fn a_header_never_reaches_beyond_its_packet(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(len) = rtp_header_len(&datagram) {
            prop_assert!((12..=datagram.len()).contains(&len));
        }
    }

    #[test]
    fn any_lengths_given_to_protect_are_refused_or_fit(header in 0..80_usize, len in 0..80_usize, room in 4..80_usize) {
        for profile in PROFILES {
            let (mut sender, _) = ends(profile);
            let mut slot = vec![0; room];
            if let Some(total) = sender.protect_rtp(SeqNo(0), header, &mut slot, len) {
                prop_assert!(total <= room && header <= len);
            }
            if let Some(total) = sender.protect_rtcp(&mut slot, len) {
                prop_assert!(total <= room);
            }
        }
    }
}
