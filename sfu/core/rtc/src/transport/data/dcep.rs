//! The messages that open a data channel (RFC 8832).

/// Longest label that is accepted, in bytes.
pub const MAX_LABEL: usize = 256;

/// Answer to DATA_CHANNEL_OPEN.
pub const ACK: [u8; 1] = [2];

const OPEN: u8 = 3;
const OPEN_HEADER: usize = 12;
const UNORDERED: u8 = 0x80;

/// How long a message is tried before it is given up (RFC 8832, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Until it is there.
    Reliable,
    /// For so many sends after the first.
    Retransmits(u32),
    /// For so many milliseconds.
    Lifetime(u32),
}

/// A message about a channel rather than on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A channel is opened. The protocol it names is of no use to us.
    Open {
        /// Messages arrive in the order in which they were sent.
        ordered: bool,
        /// What happens to lost ones.
        reliability: Reliability,
        /// The name that the application gave it.
        label: &'a str,
    },
    /// A channel we opened is known to the peer.
    Ack,
}

impl<'a> Message<'a> {
    /// Reads a message; `None` if it is not well-formed or its label is longer than [`MAX_LABEL`].
    pub fn parse(raw: &'a [u8]) -> Option<Message<'a>> {
        if raw.first() == Some(&ACK[0]) {
            return Some(Message::Ack);
        }
        let (head, text) = raw.split_first_chunk::<OPEN_HEADER>()?;
        let [OPEN, kind, _, _, a, b, c, d, label_high, label_low, protocol_high, protocol_low] = *head else {
            return None;
        };
        let parameter = u32::from_be_bytes([a, b, c, d]);
        let reliability = match kind & !UNORDERED {
            0 => Reliability::Reliable,
            1 => Reliability::Retransmits(parameter),
            2 => Reliability::Lifetime(parameter),
            _ => return None,
        };
        let label = usize::from(u16::from_be_bytes([label_high, label_low]));
        let protocol = usize::from(u16::from_be_bytes([protocol_high, protocol_low]));
        if text.len() != label + protocol || label > MAX_LABEL {
            return None;
        }
        let label = std::str::from_utf8(&text[..label]).ok()?;
        Some(Message::Open { ordered: kind & UNORDERED == 0, reliability, label })
    }
}

/// A DATA_CHANNEL_OPEN for a channel without protocol. The label is cut at 65,535 bytes.
pub fn open(ordered: bool, reliability: Reliability, label: &str) -> Vec<u8> {
    let (kind, parameter) = match reliability {
        Reliability::Reliable => (0, 0),
        Reliability::Retransmits(count) => (1, count),
        Reliability::Lifetime(ms) => (2, ms),
    };
    let label = &label.as_bytes()[..label.len().min(u16::MAX.into())];
    let mut raw = vec![OPEN, if ordered { kind } else { kind | UNORDERED }, 0, 0];
    raw.extend_from_slice(&parameter.to_be_bytes());
    raw.extend_from_slice(&(label.len() as u16).to_be_bytes());
    raw.extend_from_slice(&[0, 0]);
    raw.extend_from_slice(label);
    raw
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_channel_types_of_rfc_8832_are_read() {
        let rows = [
            (0x00, true, Reliability::Reliable),
            (0x80, false, Reliability::Reliable),
            (0x01, true, Reliability::Retransmits(5)),
            (0x81, false, Reliability::Retransmits(5)),
            (0x02, true, Reliability::Lifetime(5)),
            (0x82, false, Reliability::Lifetime(5)),
        ];
        for (kind, ordered, reliability) in rows {
            let raw = [3, kind, 1, 0, 0, 0, 0, 5, 0, 2, 0, 1, b'h', b'i', b'p'];
            assert_eq!(Message::parse(&raw), Some(Message::Open { ordered, reliability, label: "hi" }));
        }
        assert_eq!(Message::parse(&[3, 0x03, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0]), None);
        assert_eq!(Message::parse(&ACK), Some(Message::Ack));
    }

    #[test]
    fn a_label_may_have_256_bytes_and_not_one_more() {
        let long = "x".repeat(MAX_LABEL + 1);
        assert!(Message::parse(&open(true, Reliability::Reliable, &long[1..])).is_some());
        assert_eq!(Message::parse(&open(true, Reliability::Reliable, &long)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(mut raw in prop::collection::vec(any::<u8>(), 0..300), dress in any::<bool>()) {
            if dress && let Some(first) = raw.first_mut() {
                *first = OPEN;
            }
            if let Some(Message::Open { label, .. }) = Message::parse(&raw) {
                prop_assert!(label.len() <= MAX_LABEL);
            }
        }

        #[test]
        fn what_is_written_is_read_back(ordered in any::<bool>(), n in any::<u32>(), kind in 0..3, label in ".{0,60}") {
            let reliability = [Reliability::Reliable, Reliability::Retransmits(n), Reliability::Lifetime(n)][kind as usize];
            let raw = open(ordered, reliability, &label);
            let expected = Message::Open { ordered, reliability, label: &label };
            prop_assert_eq!(Message::parse(&raw), Some(expected));
        }
    }
}
