//! Three temporal layers in one stream (L1T3), and how VP9 and AV1 say of each picture what it needs.
//!
//! Every four pictures are of the layers 0, 2, 1, 2. The first needs the one four before, the second the one before,
//! the third the one two before, the fourth the one before: so nothing of layer 2 is ever needed, and from every
//! picture on the layers above its own may be added. libwebrtc calls it the same (`ScalabilityStructureL1T3`).

use arrayvec::ArrayVec;

/// Bytes of the VP9 descriptor without a scalability structure.
pub(crate) const VP9_DESCRIPTOR: usize = 5;
/// Most bytes of a dependency descriptor: with its structure.
pub(crate) const MAX_DEPENDENCY: usize = 3 + STRUCTURE.len();

/// The layer of each of four pictures.
const LAYERS: [u8; 4] = [0, 2, 1, 2];
/// The template that each of four pictures follows, a key frame apart.
const TEMPLATES: [u8; 4] = [1, 3, 2, 4];
/// What follows the first three bytes of a key frame's descriptor (RTP payload format for AV1, appendix A.8.2):
/// a structure and nothing else.
///
/// Templates 0 and 1 are of layer 0, 2 of layer 1, 3 and 4 of layer 2. Decode targets are the layers up to 0, 1 and 2,
/// which need (R), may drop (D) or may begin with (S) their pictures: SSS, SSS, -DS, --D, --D. Templates need the
/// pictures 4, 2, 1 and 1 before, the first of them none. Layer 0 is the one chain, and its newest picture is 0, 4, 2,
/// 1 and 3 before.
const STRUCTURE: [u8; 13] = bits([
    (0b1_0000, 5),                      // a structure, and nothing that differs from it
    (0, 6),                             // first template
    (2, 5),                             // decode targets, less one
    (0b00_01_01_00_11, 10),             // same layer, next, next, same, no more templates
    (0b10_10_10_10_10_10, 12),          // SSS, SSS
    (0b00_01_10_00_00_01_00_00_01, 18), // -DS, --D, --D
    (0b0_100110, 7),                    // needs none; the picture four before
    (0b100010_100000_100000, 18),       // two before; one before; one before
    (0b01, 2),                          // one chain, which protects all targets
    (0x0_42_13, 20),                    // how far back it was
    (0, 1),                             // sizes are not told
]);

/// Where a picture stands among four, and what number it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// 0 to 3.
    pub(crate) turn: u8,
    /// It needs no other one.
    pub(crate) key: bool,
    /// Counts pictures.
    pub(crate) picture: u16,
    /// Counts pictures of layer 0.
    pub(crate) base: u8,
}

impl Step {
    /// Before the first picture.
    pub(crate) const START: Step = Step { turn: 3, key: false, picture: 0, base: 0 };

    /// The step to the next picture; a key frame begins with layer 0.
    pub(crate) fn next(self, key: bool) -> Step {
        let turn = if key { 0 } else { (self.turn + 1) % 4 };
        Step {
            turn,
            key,
            picture: self.picture.wrapping_add(1),
            base: self.base.wrapping_add(u8::from(turn == 0)),
        }
    }

    /// The temporal layer.
    pub(crate) fn layer(self) -> u8 {
        LAYERS[usize::from(self.turn)]
    }

    /// Writes the descriptor of a VP9 packet (RFC 9628, section 4.2), not in the flexible mode. With `structure` a
    /// scalability structure follows.
    pub(crate) fn write_vp9(self, out: &mut [u8], first: bool, last: bool, structure: bool) {
        let predicted = u8::from(!self.key) << 6;
        // Picture id, layer indices; no layer above builds on it.
        out[0] = 0xa1 | predicted | u8::from(first) << 3 | u8::from(last) << 2 | u8::from(structure) << 1;
        out[1..3].copy_from_slice(&(0x8000 | self.picture & 0x7fff).to_be_bytes());
        // Higher layers may be added from here on.
        out[3] = self.layer() << 5 | 0x10;
        out[4] = self.base;
    }

    /// The dependency descriptor of a packet.
    pub(crate) fn dependency(self, first: bool, last: bool) -> ArrayVec<u8, MAX_DEPENDENCY> {
        let template = if self.key { 0 } else { TEMPLATES[usize::from(self.turn)] };
        let [high, low] = self.picture.to_be_bytes();
        let mut out = ArrayVec::new();
        out.extend([u8::from(first) << 7 | u8::from(last) << 6 | template, high, low]);
        if self.key && first {
            out.extend(STRUCTURE);
        }
        out
    }
}

/// Writes numbers of so many bits one behind the other.
const fn bits<const FIELDS: usize, const BYTES: usize>(fields: [(u32, u32); FIELDS]) -> [u8; BYTES] {
    let (mut out, mut at, mut field) = ([0; BYTES], 0, 0);
    while field < FIELDS {
        let (value, count) = fields[field];
        let mut bit = count;
        while bit > 0 {
            bit -= 1;
            out[at / 8] |= ((value >> bit & 1) as u8) << (7 - at % 8);
            at += 1;
        }
        field += 1;
    }
    assert!(at == BYTES * 8, "whole bytes");
    out
}

#[cfg(test)]
mod tests {
    use rtc::rtp::{dependency, vp9};

    use super::*;

    /// Six pictures, of which the first is a key frame, and a key frame.
    fn steps() -> Vec<Step> {
        let mut step = Step::START;
        let keys = [true, false, false, false, false, false, true];
        keys.map(|key| {
            step = step.next(key);
            step
        })
        .to_vec()
    }

    #[test]
    fn layers_go_round_by_four_and_begin_anew_with_a_key_frame() {
        let layers: Vec<_> = steps().iter().map(|step| (step.layer(), step.base)).collect();
        assert_eq!(layers, [(0, 1), (2, 1), (1, 1), (2, 1), (0, 2), (2, 2), (0, 3)]);
    }

    #[test]
    fn a_forwarder_reads_the_layer_and_the_numbers_from_a_vp9_descriptor() {
        for step in steps() {
            let mut payload = [0; 8];
            step.write_vp9(&mut payload, true, false, step.key);
            let read = vp9::read(&payload).unwrap();
            assert_eq!((read.start, read.key_start, read.switch_up), (true, step.key, true));
            assert_eq!(read.temporal, step.layer());
            assert_eq!(read.id.map(|id| id.value), Some(step.picture));
            assert_eq!(read.tl0.map(|tl0| tl0.value), Some(step.base));
            step.write_vp9(&mut payload, false, true, false);
            assert!(!vp9::read(&payload).unwrap().start);
        }
    }

    #[test]
    fn a_forwarder_reads_the_layer_from_a_dependency_descriptor() {
        let key = dependency::read(&steps()[0].dependency(true, false)).unwrap();
        let structure = key.structure.unwrap();
        for step in steps() {
            let first = dependency::read(&step.dependency(true, false)).unwrap();
            assert_eq!((first.start, first.frame_number), (true, step.picture));
            assert_eq!(structure.temporal(first.template), Some(step.layer()));
            assert_eq!(first.structure.is_some(), step.key);
            let last = dependency::read(&step.dependency(false, true)).unwrap();
            assert_eq!((last.start, last.structure), (false, None));
        }
        assert_eq!(structure.temporal(5), None);
    }
}
