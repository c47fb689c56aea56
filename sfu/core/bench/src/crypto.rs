//! L0: encryption of one packet in its send slot, with the copy into it.

use rtc::event::SrtpProfile;
use rtc::transport::srtp::{Keys, MAX_OVERHEAD, Sender, Side};
use rtc::units::SeqNo;

use crate::{PAYLOAD, Plan, Row, SOUND, row};

const HEADER: usize = 20;

/// Keys of a profile, made from constant material: what they encrypt is nothing.
pub(crate) fn sender(profile: SrtpProfile) -> Sender {
    let material = match profile {
        SrtpProfile::AeadAes256Gcm => 88,
        SrtpProfile::AeadAes128Gcm => 56,
        SrtpProfile::Aes128CmSha1_80 => 60,
    };
    let keys = Keys::from_exporter(profile, &vec![7; material]).expect("the length is that of the profile");
    keys.sender(Side::Server).expect("a key of the right length")
}

pub(crate) fn rows(plan: &Plan) -> Vec<Row> {
    let profiles = [
        (SrtpProfile::AeadAes128Gcm, "AES-128-GCM"),
        (SrtpProfile::AeadAes256Gcm, "AES-256-GCM"),
        (SrtpProfile::Aes128CmSha1_80, "AES-128-CM, HMAC-SHA1-80"),
    ];
    let mut rows = Vec::new();
    for (profile, name) in profiles {
        let sender = sender(profile);
        for bytes in [PAYLOAD, SOUND] {
            let payload = vec![0x5a; bytes];
            let mut slot = vec![0u8; HEADER + bytes + MAX_OVERHEAD];
            let mut index = SeqNo(1);
            rows.push(row(plan, "L0", format!("{name}, {bytes} bytes"), 0, || {
                index = index.next();
                slot[0] = 0x90;
                slot[2..4].copy_from_slice(&index.wire().to_be_bytes());
                slot[12..16].copy_from_slice(&[0xbe, 0xde, 0, 1]);
                slot[HEADER..HEADER + bytes].copy_from_slice(&payload);
                let sealed = sender.protect_rtp(index, HEADER, &mut slot, HEADER + bytes);
                std::hint::black_box(sealed);
                1
            }));
        }
    }
    rows
}
