//! Header extension elements in the one-byte and the two-byte form (RFC 8285).

use crate::rtp::header::MAX_HEADER;

const ONE_BYTE_PROFILE: u16 = 0xbede;
const TWO_BYTE_PROFILE: u16 = 0x1000;

/// The elements of one packet: an iterator over (id, data).
///
/// An element that claims more bytes than there are ends the iteration: what came before it is still good.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtensionElements<'a> {
    two_byte: bool,
    rest: &'a [u8],
}

impl<'a> ExtensionElements<'a> {
    /// Reads `elements` as the form that `profile` names; empty for an unknown profile.
    pub fn new(profile: u16, elements: &'a [u8]) -> ExtensionElements<'a> {
        match profile {
            ONE_BYTE_PROFILE => ExtensionElements { two_byte: false, rest: elements },
            _ if profile & 0xfff0 == TWO_BYTE_PROFILE => ExtensionElements { two_byte: true, rest: elements },
            _ => ExtensionElements::default(),
        }
    }

    fn split(&mut self) -> Option<(u8, &'a [u8])> {
        let (&first, rest) = self.rest.split_first()?;
        let (id, len, rest) = if self.two_byte {
            let (&len, rest) = rest.split_first()?;
            (first, usize::from(len), rest)
        } else if first >> 4 == 15 {
            return None; // reserved: nothing after it may be read (RFC 8285, section 4.2)
        } else {
            (first >> 4, usize::from(first & 0x0f) + 1, rest)
        };
        let (data, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((id, data))
    }
}

impl<'a> Iterator for ExtensionElements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest; // padding between elements
        }
        let element = self.split();
        if element.is_none() {
            self.rest = &[];
        }
        element
    }
}

/// Writes elements behind a fixed header, in the one-byte form as long as every element fits it.
pub struct ExtensionWriter<'a> {
    out: &'a mut [u8; MAX_HEADER],
    start: usize,
    at: usize,
    two_byte: bool,
}

impl<'a> ExtensionWriter<'a> {
    /// Starts after the first `start` bytes of `out`, which hold the fixed header and the contributors.
    pub fn new(out: &'a mut [u8; MAX_HEADER], start: usize) -> ExtensionWriter<'a> {
        ExtensionWriter { out, start, at: start + 4, two_byte: false }
    }

    /// Adds an element; one that finds no room is left out. `id` 0 is never written.
    pub fn push(&mut self, id: u8, data: &[u8]) {
        let Ok(len) = u8::try_from(data.len()) else { return };
        if id == 0 {
            return;
        }
        if !self.two_byte && (id > 14 || len == 0 || len > 16) && !self.widen() {
            return;
        }
        let head = if self.two_byte { 2 } else { 1 };
        // Three bytes of padding must still fit behind the last element.
        if self.at + head + data.len() + 3 > MAX_HEADER {
            return;
        }
        if self.two_byte {
            self.out[self.at] = id;
            self.out[self.at + 1] = len;
        } else {
            self.out[self.at] = id << 4 | (len - 1);
        }
        self.out[self.at + head..][..data.len()].copy_from_slice(data);
        self.at += head + data.len();
    }

    /// Closes the block and returns the length of the whole header; without elements nothing is added.
    pub fn finish(self) -> usize {
        let body = self.start + 4;
        if self.at == body {
            return self.start;
        }
        let end = body + (self.at - body).next_multiple_of(4);
        self.out[self.at..end].fill(0);
        let profile = if self.two_byte { TWO_BYTE_PROFILE } else { ONE_BYTE_PROFILE };
        self.out[self.start..self.start + 2].copy_from_slice(&profile.to_be_bytes());
        let words = ((end - body) / 4) as u16;
        self.out[self.start + 2..body].copy_from_slice(&words.to_be_bytes());
        self.out[0] |= 0x10;
        end
    }

    /// Turns the elements written so far into the two-byte form; false when that does not fit.
    fn widen(&mut self) -> bool {
        let body = self.start + 4;
        let mut heads = 0;
        let mut at = body;
        while at < self.at {
            at += usize::from(self.out[at] & 0x0f) + 2;
            heads += 1;
        }
        if self.at + heads + 3 > MAX_HEADER {
            return false;
        }
        let mut grown = heads;
        let mut at = body;
        while grown > 0 {
            let (id, len) = (self.out[at] >> 4, (self.out[at] & 0x0f) + 1);
            self.out.copy_within(at + 1..self.at, at + 2);
            self.out[at] = id;
            self.out[at + 1] = len;
            self.at += 1;
            at += usize::from(len) + 2;
            grown -= 1;
        }
        self.two_byte = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn elements_of_both_forms_are_read() {
        let one = ExtensionElements::new(0xbede, &[0x10, 7, 0, 0x31, 8, 9]);
        assert_eq!(one.collect::<Vec<_>>(), [(1, &[7][..]), (3, &[8, 9][..])]);
        let two = ExtensionElements::new(0x1003, &[1, 0, 0, 200, 2, 8, 9]);
        assert_eq!(two.collect::<Vec<_>>(), [(1, &[][..]), (200, &[8, 9][..])]);
        assert_eq!(ExtensionElements::new(0x1234, &[0x10, 7]).count(), 0);
    }

    #[test]
    fn an_element_cut_short_ends_the_list() {
        let cut = ExtensionElements::new(0xbede, &[0x10, 7, 0x35, 8, 9]);
        assert_eq!(cut.collect::<Vec<_>>(), [(1, &[7][..])]);
        assert_eq!(ExtensionElements::new(0xbede, &[0xf0, 7, 0x10, 1]).count(), 0);
    }

    #[test]
    fn a_long_element_turns_the_block_into_the_two_byte_form() {
        let mut out = [0; MAX_HEADER];
        let mut writer = ExtensionWriter::new(&mut out, 12);
        writer.push(1, b"0");
        writer.push(2, &[5; 16]);
        writer.push(3, &[6; 17]);
        let end = writer.finish();
        assert_eq!(end % 4, 0);
        assert_eq!(out[12..14], [0x10, 0x00]);
        let read: Vec<_> =
            ExtensionElements::new(0x1000, &out[16..end]).map(|(id, d)| (id, d.len())).collect();
        assert_eq!(read, [(1, 1), (2, 16), (3, 17)]);
    }

    #[test]
    fn elements_that_find_no_room_are_left_out() {
        let mut out = [0; MAX_HEADER];
        let mut writer = ExtensionWriter::new(&mut out, 72);
        for id in 1..=14 {
            writer.push(id, &[id; 100]);
        }
        assert!(writer.finish() <= MAX_HEADER);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_leaving_them(profile: u16, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for profile in [profile, 0xbede, 0x1000] {
                let total: usize = ExtensionElements::new(profile, &bytes).map(|(_, data)| data.len() + 1).sum();
                prop_assert!(total <= bytes.len());
            }
        }
    }
}
