//! Session keys from master keys (RFC 3711, section 4.3; RFC 6188 for AES-256; RFC 7714, section 11 for AES-GCM).
//!
//! The key derivation rate is 0, as DTLS-SRTP has no means to agree on another one.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::MasterKey;

/// What a derived key is for (RFC 3711, section 4.3.2).
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Label {
    RtpKey = 0,
    RtpAuth = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuth = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the session key of `label`. `None` if the master key has no size that AES knows.
pub(super) fn derive(master: &MasterKey, label: Label, out: &mut [u8]) -> Option<()> {
    // A salt of 96 bits, as AES-GCM has it, is padded with zeros on the right.
    let mut iv = [0; 16];
    iv[..master.salt.len()].copy_from_slice(&master.salt);
    iv[7] ^= label as u8;
    out.fill(0);
    counter_key(&master.key)?.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some(())
}

/// AES in counter mode; `None` if `key` is neither 128 nor 256 bits long.
pub(super) fn counter_key(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::srtp::hex;

    fn derived<const N: usize>(master: &MasterKey, label: Label) -> [u8; N] {
        let mut out = [0; N];
        derive(master, label, &mut out).unwrap();
        out
    }

    #[test]
    fn session_keys_are_those_of_rfc_3711_appendix_b_3() {
        let master =
            MasterKey::new(&hex("E1F97A0D3E018BE0D64FA32C06DE4139"), &hex("0EC675AD498AFEEBB6960B3AABE6"))
                .unwrap();
        assert_eq!(derived::<16>(&master, Label::RtpKey)[..], hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derived::<14>(&master, Label::RtpSalt)[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
        let auth = hex(concat!(
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE",
            "E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25",
            "6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
        ));
        assert_eq!(derived::<94>(&master, Label::RtpAuth)[..], auth);
    }

    #[test]
    fn session_keys_of_aes_256_are_those_of_rfc_6188_section_7_2() {
        let key = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
        let master = MasterKey::new(&key, &hex("3b04803de51ee7c96423ab5b78d2")).unwrap();
        let expected = hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
        assert_eq!(derived::<32>(&master, Label::RtpKey)[..], expected);
        assert_eq!(derived::<14>(&master, Label::RtpSalt)[..], hex("fa31791685ca444a9e07c6c64e93"));
        assert_eq!(
            derived::<20>(&master, Label::RtpAuth)[..],
            hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05")
        );
    }

    #[test]
    fn the_key_stream_of_aes_256_is_that_of_rfc_6188_section_7_1() {
        let key = hex("57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98");
        let iv: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
        let mut stream = vec![0; 1_044_512];
        let iv = EncryptionContext::Iv128(FixedLength::from(iv));
        counter_key(&key).unwrap().less_safe_encrypt(&mut stream, iv).unwrap();
        let first = "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31";
        let last = "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d6eb246913062a16891433e97dd01a57f";
        assert_eq!(stream[..48], hex(first));
        assert_eq!(stream[1_044_512 - 48..], hex(last));
    }

    #[test]
    fn the_key_stream_is_that_of_rfc_3711_appendix_b_2() {
        let key = counter_key(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let iv: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
        let mut stream = vec![0; 1_044_512];
        key.less_safe_encrypt(&mut stream, EncryptionContext::Iv128(FixedLength::from(iv))).unwrap();
        let first = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0";
        let last = "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44";
        assert_eq!(stream[..48], hex(first));
        assert_eq!(stream[1_044_512 - 48..], hex(last));
    }
}
