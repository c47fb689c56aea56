//! Protection of single packets in place: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1 (RFC 3711).
//!
//! Nothing here allocates, and nothing remembers: the packet index comes from the caller.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{EncryptingKey, EncryptionContext};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use subtle::ConstantTimeEq;

use super::kdf::{Label, counter_key, derive};
use super::{MasterKey, RTCP_HEADER, ssrc_of};
use crate::event::SrtpProfile;

/// Set in front of the 31-bit index of an SRTCP packet that is encrypted.
const ENCRYPTED: u32 = 1 << 31;
const INDEX_LEN: usize = 4;
const GCM_TAG: usize = 16;
const SHA1_TAG: usize = 10;

/// The session keys for one direction of RTP, or of RTCP.
pub(super) enum Cipher {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    CounterMode { key: Box<EncryptingKey>, salt: [u8; 14], auth: Box<hmac::Key> },
}

/// The packet was not made with these keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forged;

impl Cipher {
    /// Keys for RTP.
    pub(super) fn rtp(profile: SrtpProfile, master: &MasterKey) -> Option<Cipher> {
        Cipher::new(profile, master, [Label::RtpKey, Label::RtpAuth, Label::RtpSalt])
    }

    /// Keys for RTCP.
    pub(super) fn rtcp(profile: SrtpProfile, master: &MasterKey) -> Option<Cipher> {
        Cipher::new(profile, master, [Label::RtcpKey, Label::RtcpAuth, Label::RtcpSalt])
    }

    fn new(profile: SrtpProfile, master: &MasterKey, [key, auth, salt]: [Label; 3]) -> Option<Cipher> {
        let mut session_key = [0; 32];
        let session_key = &mut session_key[..master.key.len()];
        derive(master, key, session_key)?;
        match profile {
            SrtpProfile::AeadAes256Gcm | SrtpProfile::AeadAes128Gcm => {
                let mut session_salt = [0; 12];
                derive(master, salt, &mut session_salt)?;
                Cipher::gcm(profile, session_key, session_salt)
            }
            SrtpProfile::Aes128CmSha1_80 => {
                let (mut session_salt, mut session_auth) = ([0; 14], [0; 20]);
                derive(master, salt, &mut session_salt)?;
                derive(master, auth, &mut session_auth)?;
                Cipher::counter_mode(session_key, session_salt, &session_auth)
            }
        }
    }

    fn gcm(profile: SrtpProfile, key: &[u8], salt: [u8; 12]) -> Option<Cipher> {
        let algorithm = if profile == SrtpProfile::AeadAes256Gcm { &AES_256_GCM } else { &AES_128_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Cipher::Gcm { key, salt })
    }

    fn counter_mode(key: &[u8], salt: [u8; 14], auth: &[u8]) -> Option<Cipher> {
        let auth = Box::new(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth));
        Some(Cipher::CounterMode { key: Box::new(counter_key(key)?), salt, auth })
    }

    /// Bytes that follow the payload of a protected RTP packet.
    pub(super) fn rtp_overhead(&self) -> usize {
        match self {
            Cipher::Gcm { .. } => GCM_TAG,
            Cipher::CounterMode { .. } => SHA1_TAG,
        }
    }

    /// Bytes that follow the payload of a protected RTCP packet.
    pub(super) fn rtcp_overhead(&self) -> usize {
        self.rtp_overhead() + INDEX_LEN
    }

    /// Protects the RTP packet in `slot[..len]` in place and returns its new length.
    pub(super) fn seal_rtp(&self, index: u64, header: usize, slot: &mut [u8], len: usize) -> Option<usize> {
        let total = len.checked_add(self.rtp_overhead())?;
        let (packet, tag) = slot.get_mut(..total)?.split_at_mut(len);
        let ssrc = ssrc_of(packet, 8)?;
        let (head, payload) = packet.split_at_mut_checked(header)?;
        match self {
            Cipher::Gcm { key, salt } => {
                let nonce = rtp_nonce(salt, ssrc, index);
                let sealed = key.seal_in_place_separate_tag(nonce, Aad::from(&*head), payload).ok()?;
                tag.copy_from_slice(sealed.as_ref());
            }
            Cipher::CounterMode { key, salt, auth } => {
                key.less_safe_encrypt(payload, counter_iv(salt, ssrc, index)).ok()?;
                tag.copy_from_slice(&sha1_tag(auth, packet, &roc_of(index))[..SHA1_TAG]);
            }
        }
        Some(total)
    }

    /// Checks and decrypts an RTP packet in place and returns its length without the tag.
    ///
    /// On an error the content of `packet` is lost.
    pub(super) fn open_rtp(&self, index: u64, header: usize, packet: &mut [u8]) -> Result<usize, Forged> {
        let len = packet.len().checked_sub(self.rtp_overhead()).ok_or(Forged)?;
        let ssrc = ssrc_of(packet, 8).ok_or(Forged)?;
        let (sealed, tag) = packet.split_at_mut(len);
        match self {
            Cipher::Gcm { key, salt } => {
                let (head, payload) = sealed.split_at_mut_checked(header).ok_or(Forged)?;
                let nonce = rtp_nonce(salt, ssrc, index);
                key.open_in_place_separate_tag(nonce, Aad::from(&*head), tag, payload).map_err(|_| Forged)?;
            }
            Cipher::CounterMode { key, salt, auth } => {
                check_sha1_tag(auth, sealed, &roc_of(index), tag)?;
                let payload = sealed.get_mut(header..).ok_or(Forged)?;
                key.less_safe_encrypt(payload, counter_iv(salt, ssrc, index)).map_err(|_| Forged)?;
            }
        }
        Ok(len)
    }

    /// Protects the RTCP packet in `slot[..len]` in place and returns its new length. `index` has 31 bits.
    pub(super) fn seal_rtcp(&self, index: u32, slot: &mut [u8], len: usize) -> Option<usize> {
        let total = len.checked_add(self.rtcp_overhead())?;
        let packet = slot.get_mut(..total)?;
        let ssrc = ssrc_of(packet, 4)?;
        let marked = (index | ENCRYPTED).to_be_bytes();
        match self {
            Cipher::Gcm { key, salt } => {
                let (head, rest) = packet.split_at_mut_checked(RTCP_HEADER)?;
                let (payload, rest) = rest.split_at_mut_checked(len.checked_sub(RTCP_HEADER)?)?;
                let (tag, trailer) = rest.split_at_mut(GCM_TAG);
                let aad = Aad::from(rtcp_aad(head, marked)?);
                let sealed =
                    key.seal_in_place_separate_tag(rtcp_nonce(salt, ssrc, index), aad, payload).ok()?;
                tag.copy_from_slice(sealed.as_ref());
                trailer.copy_from_slice(&marked);
            }
            Cipher::CounterMode { key, salt, auth } => {
                let payload = packet.get_mut(RTCP_HEADER..len)?;
                key.less_safe_encrypt(payload, counter_iv(salt, ssrc, index.into())).ok()?;
                let (signed, tag) = packet.split_at_mut(len + INDEX_LEN);
                signed[len..].copy_from_slice(&marked);
                tag.copy_from_slice(&sha1_tag(auth, signed, &[])[..SHA1_TAG]);
            }
        }
        Some(total)
    }

    /// The index that a protected RTCP packet carries; `None` if it is too short or not encrypted.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let trailer = match self {
            Cipher::Gcm { .. } => packet.len().checked_sub(INDEX_LEN)?,
            Cipher::CounterMode { .. } => packet.len().checked_sub(INDEX_LEN + SHA1_TAG)?,
        };
        if packet.len() < RTCP_HEADER + self.rtcp_overhead() {
            return None;
        }
        let word = packet.get(trailer..trailer + INDEX_LEN)?.try_into().ok()?;
        let word = u32::from_be_bytes(word);
        (word & ENCRYPTED != 0).then_some(word & !ENCRYPTED)
    }

    /// Checks and decrypts an RTCP packet in place and returns its length without trailer and tag.
    ///
    /// `index` is what [`Cipher::rtcp_index`] read. On an error the content of `packet` is lost.
    pub(super) fn open_rtcp(&self, index: u32, packet: &mut [u8]) -> Result<usize, Forged> {
        let len = packet.len().checked_sub(self.rtcp_overhead()).ok_or(Forged)?;
        let ssrc = ssrc_of(packet, 4).ok_or(Forged)?;
        match self {
            Cipher::Gcm { key, salt } => {
                let (head, rest) = packet.split_at_mut_checked(RTCP_HEADER).ok_or(Forged)?;
                let (payload, rest) =
                    rest.split_at_mut_checked(len.checked_sub(RTCP_HEADER).ok_or(Forged)?).ok_or(Forged)?;
                let tag = rest.get(..GCM_TAG).ok_or(Forged)?;
                let aad = Aad::from(rtcp_aad(head, (index | ENCRYPTED).to_be_bytes()).ok_or(Forged)?);
                let nonce = rtcp_nonce(salt, ssrc, index);
                key.open_in_place_separate_tag(nonce, aad, tag, payload).map_err(|_| Forged)?;
            }
            Cipher::CounterMode { key, salt, auth } => {
                let (signed, tag) = packet.split_at_mut(len + INDEX_LEN);
                check_sha1_tag(auth, signed, &[], tag)?;
                let payload = signed.get_mut(RTCP_HEADER..len).ok_or(Forged)?;
                key.less_safe_encrypt(payload, counter_iv(salt, ssrc, index.into())).map_err(|_| Forged)?;
            }
        }
        Ok(len)
    }
}

/// RFC 7714, section 8.1: two zero bytes, SSRC, rollover counter, sequence number; mixed with the salt.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut iv = [0; 12];
    iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
    iv[6..12].copy_from_slice(&index.to_be_bytes()[2..]);
    mix(&mut iv, salt);
    Nonce::assume_unique_for_key(iv)
}

/// RFC 7714, section 9.1: two zero bytes, SSRC, two zero bytes, index; mixed with the salt.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> Nonce {
    let mut iv = [0; 12];
    iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
    iv[8..12].copy_from_slice(&index.to_be_bytes());
    mix(&mut iv, salt);
    Nonce::assume_unique_for_key(iv)
}

/// RFC 7714, section 9.2: what is signed beside the payload is the first header and the trailer.
fn rtcp_aad(head: &[u8], marked: [u8; INDEX_LEN]) -> Option<[u8; RTCP_HEADER + INDEX_LEN]> {
    let mut aad = [0; RTCP_HEADER + INDEX_LEN];
    aad[..RTCP_HEADER].copy_from_slice(head.get(..RTCP_HEADER)?);
    aad[RTCP_HEADER..].copy_from_slice(&marked);
    Some(aad)
}

/// RFC 3711, section 4.1.1: `(salt << 16) ^ (ssrc << 64) ^ (index << 16)`.
fn counter_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> EncryptionContext {
    let mut iv = [0; 16];
    iv[4..8].copy_from_slice(&ssrc.to_be_bytes());
    iv[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
    mix(&mut iv, salt);
    EncryptionContext::Iv128(FixedLength::from(iv))
}

fn mix(iv: &mut [u8], salt: &[u8]) {
    iv.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
}

/// The rollover counter: what is signed of the index although it does not travel.
fn roc_of(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn sha1_tag(auth: &hmac::Key, signed: &[u8], more: &[u8]) -> [u8; 20] {
    let mut context = hmac::Context::with_key(auth);
    context.update(signed);
    context.update(more);
    let mut tag = [0; 20];
    tag.copy_from_slice(context.sign().as_ref());
    tag
}

fn check_sha1_tag(auth: &hmac::Key, signed: &[u8], more: &[u8], tag: &[u8]) -> Result<(), Forged> {
    let expected = sha1_tag(auth, signed, more);
    if bool::from(expected[..SHA1_TAG].ct_eq(tag)) { Ok(()) } else { Err(Forged) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::srtp::hex;

    const KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
    const KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SALT: &str = "517569642070726f2071756f";

    fn gcm(profile: SrtpProfile) -> Cipher {
        let key = if profile == SrtpProfile::AeadAes256Gcm { KEY_256 } else { KEY_128 };
        Cipher::gcm(profile, &hex(key), hex(SALT).try_into().unwrap()).unwrap()
    }

    #[test]
    fn rtp_is_protected_as_in_rfc_7714_section_16() {
        let plain = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
        let rows = [
            (
                SrtpProfile::AeadAes128Gcm,
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
            ),
            (
                SrtpProfile::AeadAes256Gcm,
                "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            ),
        ];
        for (profile, protected) in rows {
            let (plain, protected) = (hex(plain), hex(protected));
            let mut slot = [plain.clone(), vec![0; 40]].concat();
            let len = gcm(profile).seal_rtp(0xf17b, 12, &mut slot, plain.len()).unwrap();
            assert_eq!(slot[..len], protected);
            let len = gcm(profile).open_rtp(0xf17b, 12, &mut slot[..len]).unwrap();
            assert_eq!(slot[..len], plain);
        }
    }

    #[test]
    fn rtcp_is_protected_as_in_rfc_7714_section_17() {
        let plain = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
        let rows = [
            (
                SrtpProfile::AeadAes128Gcm,
                "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
            ),
            (
                SrtpProfile::AeadAes256Gcm,
                "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
            ),
        ];
        for (profile, protected) in rows {
            let (plain, protected) = (hex(plain), hex(protected));
            let mut slot = [plain.clone(), vec![0; 40]].concat();
            let len = gcm(profile).seal_rtcp(0x5d4, &mut slot, plain.len()).unwrap();
            assert_eq!(slot[..len], protected);
            assert_eq!(gcm(profile).rtcp_index(&slot[..len]), Some(0x5d4));
            let len = gcm(profile).open_rtcp(0x5d4, &mut slot[..len]).unwrap();
            assert_eq!(slot[..len], plain);
        }
    }

    #[test]
    fn rtcp_that_is_signed_but_not_encrypted_is_refused() {
        // RFC 7714, section 17.3; WebRTC always encrypts.
        let tagged = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4";
        assert_eq!(gcm(SrtpProfile::AeadAes128Gcm).rtcp_index(&hex(tagged)), None);
    }

    #[test]
    fn counter_mode_encrypts_with_the_stream_of_rfc_3711_appendix_b_2() {
        let salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let cipher = Cipher::counter_mode(&hex("2B7E151628AED2A6ABF7158809CF4F3C"), salt, &[0; 20]).unwrap();
        let mut slot = [0; 12 + 48 + 10];
        slot[0] = 0x80;
        assert_eq!(cipher.seal_rtp(0, 12, &mut slot, 60), Some(70));
        let stream = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(slot[12..60], hex(stream));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        for cipher in
            [gcm(SrtpProfile::AeadAes256Gcm), Cipher::counter_mode(&hex(KEY_128), [7; 14], &[9; 20]).unwrap()]
        {
            let mut rtp = [0x80; 60];
            let len = cipher.seal_rtp(77, 12, &mut rtp, 32).unwrap();
            let mut rtcp = [0x81; 70];
            let rtcp_len = cipher.seal_rtcp(5, &mut rtcp, 32).unwrap();
            for bit in 0..len * 8 {
                let mut packet = rtp;
                packet[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(cipher.open_rtp(77, 12, &mut packet[..len]), Err(Forged), "bit {bit} of RTP");
            }
            for bit in 0..rtcp_len * 8 {
                let mut packet = rtcp;
                packet[bit / 8] ^= 1 << (bit % 8);
                let packet = &mut packet[..rtcp_len];
                let result =
                    cipher.rtcp_index(packet).ok_or(Forged).and_then(|i| cipher.open_rtcp(i, packet));
                assert_eq!(result, Err(Forged), "bit {bit} of RTCP");
            }
        }
    }
}
