use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const TRANSACTION: TransactionId = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

/// RFC 5769, section 2.1.
const REQUEST: &str = concat!(
    "000100582112a442b7e7a701bc34d686fa87dfae",
    "802200105354554e207465737420636c69656e74",
    "002400046e0001ff",
    "80290008932ff9b151263b36",
    "000600096576746a3a68367659202020",
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2",
    "80280004e57a3bcf",
);
/// RFC 5769, section 2.2.
const RESPONSE_IPV4: &str = concat!(
    "0101003c2112a442b7e7a701bc34d686fa87dfae",
    "8022000b7465737420766563746f7220",
    "002000080001a147e112a643",
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7",
    "80280004c07d4c96",
);
/// RFC 5769, section 2.3.
const RESPONSE_IPV6: &str = concat!(
    "010100482112a442b7e7a701bc34d686fa87dfae",
    "8022000b7465737420766563746f7220",
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41",
    "80280004c8fb0b4c",
);

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_sample_request_of_rfc_5769_is_read() {
    let raw = hex(REQUEST);
    assert_eq!(peek_ufrag(&raw), Ok("evtj"));
    let message = Message::parse(&raw).unwrap();
    assert_eq!(message.kind, BINDING_REQUEST);
    assert_eq!(message.transaction, TRANSACTION);
    assert_eq!(message.username, Some(("evtj", "h6vY")));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert_eq!(message.controlled, Some(0x932f_f9b1_5126_3b36));
    assert!(message.is_authentic(PASSWORD));
    assert!(!message.is_authentic("VOkJxbRl1RmTxUk/WvJxBu"));
}

#[test]
fn the_sample_responses_of_rfc_5769_are_read() {
    let rows =
        [(RESPONSE_IPV4, "192.0.2.1:32853"), (RESPONSE_IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")];
    for (raw, address) in rows {
        let raw = hex(raw);
        let message = Message::parse(&raw).unwrap();
        assert_eq!(message.kind, BINDING_SUCCESS);
        assert_eq!(message.mapped_address, Some(address.parse().unwrap()));
        assert!(message.is_authentic(PASSWORD));
        assert_eq!(peek_ufrag(&raw), Err(DropReason::StunUnexpected));
    }
}

#[test]
fn the_samples_of_rfc_5769_are_written_byte_for_byte_but_for_their_padding() {
    // The samples pad with blanks and we with zeros, so the software attribute is written with its blank.
    let software: (u16, &[u8]) = (0x8022, b"test vector ");
    let addresses = ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"];
    for (address, sample) in addresses.into_iter().zip([RESPONSE_IPV4, RESPONSE_IPV6]) {
        let mut slot = [0; 200];
        let len = Builder::new(&mut slot, BINDING_SUCCESS, TRANSACTION)
            .attribute(software.0, software.1)
            .xor_mapped_address(address.parse().unwrap())
            .finish(PASSWORD)
            .unwrap();
        let mut sample = hex(sample);
        let (written, integrity_at) = (&slot[..len], sample.len() - 32);
        // Its length of 12 instead of 11 is the only difference before the codes.
        sample[23] = 12;
        assert_eq!(written[..integrity_at], sample[..integrity_at]);
        let message = Message::parse(written).unwrap();
        assert!(message.is_authentic(PASSWORD));
    }
}

#[test]
fn an_ipv4_address_on_a_socket_for_both_families_is_answered_as_ipv4() {
    let address: SocketAddr = "[::ffff:192.0.2.1]:4000".parse().unwrap();
    let mut slot = [0; 200];
    let len = Builder::new(&mut slot, BINDING_SUCCESS, TRANSACTION)
        .xor_mapped_address(address)
        .finish("x")
        .unwrap();
    let message = Message::parse(&slot[..len]).unwrap();
    assert_eq!(message.mapped_address, Some("192.0.2.1:4000".parse().unwrap()));
}

#[test]
fn what_stands_behind_the_integrity_does_not_count() {
    let mut slot = [0; 200];
    let code = message::integrity(PASSWORD, &{
        let mut head = [0; 20];
        Builder::new(&mut head, BINDING_REQUEST, TRANSACTION);
        head
    });
    let builder = Builder::new(&mut slot, BINDING_REQUEST, TRANSACTION)
        .attribute(attribute::MESSAGE_INTEGRITY, &code)
        .attribute(attribute::USE_CANDIDATE, &[]);
    // `finish` signs again; that second signature is behind the first and does not count either.
    let len = builder.finish("someone else").unwrap();
    let message = Message::parse(&slot[..len]).unwrap();
    assert!(message.is_authentic(PASSWORD));
    assert!(!message.use_candidate);
}

#[test]
fn unknown_attributes_are_listed_only_if_they_must_be_understood() {
    let mut slot = [0; 200];
    let len = Builder::new(&mut slot, BINDING_REQUEST, TRANSACTION)
        .attribute(0x7777, b"abc")
        .attribute(0xC057, b"network")
        .finish(PASSWORD)
        .unwrap();
    let message = Message::parse(&slot[..len]).unwrap();
    assert_eq!(message.unknown[..], [0x7777]);
}

#[test]
fn every_cut_and_every_flipped_bit_of_a_request_is_noticed() {
    let raw = hex(REQUEST);
    for len in 0..raw.len() {
        assert!(Message::parse(&raw[..len]).is_none());
        let _ = peek_ufrag(&raw[..len]);
    }
    // A flip in the number of FINGERPRINT turns it into an attribute that may be skipped; the HMAC still holds.
    let optional = (raw.len() - 8) * 8..(raw.len() - 6) * 8;
    for bit in (0..raw.len() * 8).filter(|bit| !optional.contains(bit)) {
        let mut raw = raw.clone();
        raw[bit / 8] ^= 1 << (bit % 8);
        assert!(Message::parse(&raw).is_none(), "bit {bit}");
        let _ = peek_ufrag(&raw);
    }
}

#[test]
fn a_slot_that_is_too_small_is_left_alone() {
    for room in 0..80 {
        let mut slot = vec![0; room];
        let address = "192.0.2.1:1".parse().unwrap();
        let len = Builder::new(&mut slot, BINDING_SUCCESS, TRANSACTION)
            .xor_mapped_address(address)
            .error(487, "Role Conflict")
            .finish(PASSWORD);
        assert_eq!(len, (room >= 100).then_some(100));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(mut raw in prop::collection::vec(any::<u8>(), 0..300), dress in any::<bool>()) {
        if dress && raw.len() >= 20 {
            let len = ((raw.len() - 20) as u16).to_be_bytes();
            raw[..2].copy_from_slice(&BINDING_REQUEST.to_be_bytes());
            raw[2..4].copy_from_slice(&len);
            raw[4..8].copy_from_slice(&COOKIE.to_be_bytes());
        }
        let _ = peek_ufrag(&raw);
        if let Some(message) = Message::parse(&raw) {
            prop_assert!(!message.is_authentic(PASSWORD));
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        priority in any::<u32>(),
        tie in any::<u64>(),
        nominate in any::<bool>(),
        name in "[a-z]{4,20}:[A-Z]{4,20}",
        password in "[a-z0-9]{22,64}",
    ) {
        let mut slot = [0; 400];
        let mut builder = Builder::new(&mut slot, BINDING_REQUEST, TRANSACTION)
            .attribute(attribute::USERNAME, name.as_bytes())
            .attribute(attribute::PRIORITY, &priority.to_be_bytes())
            .attribute(attribute::ICE_CONTROLLING, &tie.to_be_bytes());
        if nominate {
            builder = builder.attribute(attribute::USE_CANDIDATE, &[]);
        }
        let len = builder.finish(&password).unwrap();
        let message = Message::parse(&slot[..len]).unwrap();
        prop_assert!(message.is_authentic(&password));
        prop_assert_eq!(message.username, name.split_once(':'));
        prop_assert_eq!(message.priority, Some(priority));
        prop_assert_eq!(message.controlling, Some(tie));
        prop_assert_eq!(message.use_candidate, nominate);
        prop_assert!(message.unknown.is_empty());
    }
}
