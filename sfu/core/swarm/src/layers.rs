//! Spatial and temporal layers in one stream (L1T3, L2T3_KEY and L3T3_KEY), and how VP9 and AV1 say of each frame what
//! it needs.
//!
//! Every four pictures are of the temporal layers 0, 2, 1, 2. The first needs the one four before, the second the one
//! before, the third the one two before, the fourth the one before: so nothing of layer 2 is ever needed, and from every
//! picture on the layers above its own may be added. A picture has a frame for each spatial layer, from the smallest to
//! the largest. In a key frame each builds on the one below, in other pictures on earlier ones of its own size.
//! libwebrtc calls it the same (`ScalabilityStructureL1T3`, `ScalabilityStructureL3T3Key`).

use arrayvec::ArrayVec;

/// Most spatial layers.
pub const MAX_SPATIAL: usize = 3;
/// Bytes of the VP9 descriptor without a scalability structure.
pub(crate) const VP9_DESCRIPTOR: usize = 5;
/// Most bytes of a dependency descriptor: with the structure of three spatial layers.
pub(crate) const MAX_DEPENDENCY: usize = 3 + 75;

/// The temporal layer of each of four pictures.
const TEMPORAL: [u8; 4] = [0, 2, 1, 2];
/// The template that each of four pictures follows, of the five that a spatial layer has: the first is for key frames.
const TEMPLATES: [u8; 4] = [1, 3, 2, 4];
const TEMPLATES_PER_LAYER: u8 = 5;
/// Of each of these templates, how many pictures before is the one that it needs, and how many before is the newest
/// picture of temporal layer 0; nothing for key frames.
const DISTANCES: [Option<(u16, u16)>; TEMPLATES_PER_LAYER as usize] =
    [None, Some((4, 4)), Some((2, 2)), Some((1, 1)), Some((1, 3))];
/// What each of them is to those who get the temporal layers up to 0, 1 and 2 of its spatial layer: not there, to be
/// dropped at will, or to begin with.
const INDICATIONS: [[u32; 3]; TEMPLATES_PER_LAYER as usize] = [
    [SWITCH; 3],
    [SWITCH; 3],
    [ABSENT, DISCARDABLE, SWITCH],
    [ABSENT, ABSENT, DISCARDABLE],
    [ABSENT, ABSENT, DISCARDABLE],
];
const ABSENT: u32 = 0;
const DISCARDABLE: u32 = 1;
const SWITCH: u32 = 2;
/// How the layer of each of these templates differs from that of the one before: one more template of it, and the next
/// temporal layer. After the last comes the next spatial layer, or none.
const SAME_LAYER: u32 = 0;
const NEXT_TEMPORAL: u32 = 1;
const NEXT_SPATIAL: u32 = 2;
const NO_MORE: u32 = 3;

/// Where a picture stands among four, and what number it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// 0 to 3.
    pub(crate) turn: u8,
    /// It needs no other one.
    pub(crate) key: bool,
    /// Counts pictures.
    pub(crate) picture: u16,
    /// Counts pictures of temporal layer 0.
    pub(crate) base: u8,
}

/// The frame of one spatial layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) step: Step,
    /// Its spatial layer, the smallest is 0.
    pub(crate) spatial: u8,
    /// How many spatial layers there are.
    pub(crate) of: u8,
}

impl Step {
    /// Before the first picture.
    pub(crate) const START: Step = Step { turn: 3, key: false, picture: 0, base: 0 };

    /// The step to the next picture; a key frame begins with temporal layer 0.
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
    pub(crate) fn temporal(self) -> u8 {
        TEMPORAL[usize::from(self.turn)]
    }
}

impl Frame {
    /// It ends its picture, as far as all of it is sent.
    pub(crate) fn is_largest(self) -> bool {
        self.spatial + 1 == self.of
    }

    /// Writes the descriptor of a VP9 packet (RFC 9628, section 4.2), not in the flexible mode. With `structure` a
    /// scalability structure follows.
    pub(crate) fn write_vp9(self, out: &mut [u8], first: bool, last: bool, structure: bool) {
        let Frame { step, spatial, of } = self;
        let predicted = u8::from(!step.key) << 6;
        let built_upon = step.key && spatial + 1 < of;
        // Picture id, layer indices.
        out[0] = 0xa0
            | predicted
            | u8::from(first) << 3
            | u8::from(last) << 2
            | u8::from(structure) << 1
            | u8::from(!built_upon);
        out[1..3].copy_from_slice(&(0x8000 | step.picture & 0x7fff).to_be_bytes());
        // Higher temporal layers may be added from here on.
        out[3] = step.temporal() << 5 | 0x10 | spatial << 1 | u8::from(step.key && spatial > 0);
        out[4] = step.base;
    }

    /// The dependency descriptor of a packet.
    pub(crate) fn dependency(self, first: bool, last: bool) -> ArrayVec<u8, MAX_DEPENDENCY> {
        let Frame { step, spatial, of } = self;
        let of_layer = if step.key { 0 } else { TEMPLATES[usize::from(step.turn)] };
        let template = spatial * TEMPLATES_PER_LAYER + of_layer;
        // Frames that are not sent have a number all the same.
        let number = step.picture.wrapping_mul(of.into()).wrapping_add(spatial.into());
        let [high, low] = number.to_be_bytes();
        let mut out = ArrayVec::new();
        out.extend([u8::from(first) << 7 | u8::from(last) << 6 | template, high, low]);
        if step.key && first && spatial == 0 {
            write_structure(of.into(), Bits { out: &mut out, free: 0 });
        }
        out
    }
}

/// Writes what follows the first three bytes of a key frame's descriptor (RTP payload format for AV1, appendix
/// A.8.2): a structure and nothing else.
fn write_structure(layers: u32, mut bits: Bits<'_>) {
    let of_each = u32::from(TEMPLATES_PER_LAYER);
    let templates =
        || (0..layers).flat_map(|layer| (0..of_each).map(move |template| (layer, template as usize)));
    bits.put(0b1_0000, 5); // a structure, and nothing that differs from it
    bits.put(0, 6); // first template
    bits.put(3 * layers - 1, 5); // those who get something else, less one
    for (layer, template) in templates() {
        let next = match template {
            0 | 3 => SAME_LAYER,
            1 | 2 => NEXT_TEMPORAL,
            _ if layer + 1 < layers => NEXT_SPATIAL,
            _ => NO_MORE,
        };
        bits.put(next, 2);
    }
    for (layer, template) in templates() {
        for target in 0..layers {
            let there = target == layer || template == 0 && target > layer;
            INDICATIONS[template].iter().for_each(|&what| bits.put(if there { what } else { ABSENT }, 2));
        }
    }
    for (layer, template) in templates() {
        let needed = match DISTANCES[template] {
            Some((pictures, _)) => Some(u32::from(pictures) * layers),
            None => (layer > 0).then_some(1),
        };
        if let Some(frames) = needed {
            bits.put(0b1_0000 | (frames - 1), 5);
        }
        bits.put(0, 1);
    }
    // A chain for each spatial layer, of its frames of temporal layer 0 and of what they are built upon.
    bits.put_of(layers, 3 * layers + 1);
    (0..3 * layers).for_each(|target| bits.put_of(target / 3, layers));
    for (layer, template) in templates() {
        for chain in 0..layers {
            let back = match DISTANCES[template] {
                // Frames of a key frame are in their chain and in those above.
                None if chain < layer => layer - chain,
                None => u32::from(layer > 0),
                // This picture begins its chains, as far as it has been sent.
                Some(_) if template == 1 && chain < layer => layer - chain,
                Some((_, pictures)) => u32::from(pictures) * layers + layer - chain,
            };
            bits.put(back, 4);
        }
    }
    bits.put(0, 1); // sizes are not told
}

/// Writes numbers of some bits one behind the other.
struct Bits<'a> {
    out: &'a mut ArrayVec<u8, MAX_DEPENDENCY>,
    /// Of the last byte.
    free: u32,
}

impl Bits<'_> {
    /// A number of `count` bits.
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.out.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.out.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    /// A number below `end`, in as few bits as that needs (`ns(n)` in the AV1 specification, section 4.10.7).
    fn put_of(&mut self, value: u32, end: u32) {
        let wide = u32::BITS - end.leading_zeros();
        let short = (1 << wide) - end;
        if value < short {
            self.put(value, wide - 1);
        } else {
            self.put(value + short, wide);
        }
    }
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

    fn frames(of: u8) -> Vec<Frame> {
        let of_step = |step| (0..of).map(move |spatial| Frame { step, spatial, of });
        steps().into_iter().flat_map(of_step).collect()
    }

    #[test]
    fn temporal_layers_go_round_by_four_and_begin_anew_with_a_key_frame() {
        let layers: Vec<_> = steps().iter().map(|step| (step.temporal(), step.base)).collect();
        assert_eq!(layers, [(0, 1), (2, 1), (1, 1), (2, 1), (0, 2), (2, 2), (0, 3)]);
    }

    #[test]
    fn a_forwarder_reads_the_layer_and_the_numbers_from_a_vp9_descriptor() {
        for frame in [frames(1), frames(3)].concat() {
            let Frame { step, spatial, .. } = frame;
            let mut payload = [0; 8];
            frame.write_vp9(&mut payload, true, false, step.key);
            let read = vp9::read(&payload).unwrap();
            let begins = spatial == 0;
            assert_eq!((read.start, read.key_start, read.switch_up), (begins, begins && step.key, true));
            assert_eq!(read.temporal, step.temporal());
            assert_eq!(read.id.map(|id| id.value), Some(step.picture));
            assert_eq!(read.tl0.map(|tl0| tl0.value), Some(step.base));
            frame.write_vp9(&mut payload, false, true, false);
            assert!(!vp9::read(&payload).unwrap().start);
        }
    }

    #[test]
    fn a_vp9_descriptor_says_which_frames_build_on_the_one_below() {
        let said = |frame: Frame| {
            let mut payload = [0; 8];
            frame.write_vp9(&mut payload, true, true, false);
            let (predicted, not_built_upon) = (payload[0] & 0x40 != 0, payload[0] & 1 != 0);
            (predicted, not_built_upon, payload[3] >> 1 & 7, payload[3] & 1 != 0)
        };
        let said: Vec<_> = frames(3).into_iter().map(said).take(6).collect();
        let key = [(false, false, 0, false), (false, false, 1, true), (false, true, 2, true)];
        let other = [(true, true, 0, false), (true, true, 1, false), (true, true, 2, false)];
        assert_eq!(said, [key, other].concat());
    }

    #[test]
    fn a_forwarder_reads_the_layer_from_a_dependency_descriptor() {
        for of in 1..=3 {
            let key = dependency::read(&frames(of)[0].dependency(true, false)).unwrap();
            let structure = key.structure.unwrap();
            for frame in frames(of) {
                let Frame { step, spatial, .. } = frame;
                let first = dependency::read(&frame.dependency(true, false)).unwrap();
                let number = step.picture * u16::from(of) + u16::from(spatial);
                assert_eq!((first.start, first.frame_number), (true, number));
                assert_eq!(structure.temporal(first.template), Some(step.temporal()));
                assert_eq!(first.structure.is_some(), step.key && spatial == 0);
                let last = dependency::read(&frame.dependency(false, true)).unwrap();
                assert_eq!((last.start, last.structure), (false, None));
            }
            assert_eq!(structure.temporal(5 * of), None);
        }
    }

    /// Reads a structure as its specification says, in other words than it was written.
    struct Reader<'a>(&'a [u8], usize);

    impl Reader<'_> {
        fn take(&mut self, count: usize) -> u32 {
            (0..count).fold(0, |value, _| {
                let bit = self.0[self.1 / 8] >> (7 - self.1 % 8) & 1;
                self.1 += 1;
                value << 1 | u32::from(bit)
            })
        }

        fn below(&mut self, end: u32) -> u32 {
            let wide = end.ilog2() as usize + 1;
            let (short, value) = ((1 << wide) - end, self.take(wide - 1));
            if value < short { value } else { (value << 1) - short + self.take(1) }
        }
    }

    #[test]
    fn the_structure_of_three_sizes_is_that_of_l3t3_key() {
        let written = frames(3)[0].dependency(true, false);
        let mut bits = Reader(&written[3..], 0);
        assert_eq!((bits.take(5), bits.take(6), bits.take(5)), (0b10000, 0, 8));
        let layers: Vec<_> = (0..15).map(|_| bits.take(2)).collect();
        assert_eq!(layers, [0, 1, 1, 0, 2, 0, 1, 1, 0, 2, 0, 1, 1, 0, 3]);
        let mut word = || (0..9).map(|_| char::from(b"-DSR"[bits.take(2) as usize])).collect::<String>();
        let words: Vec<_> = (0..15).map(|_| word()).collect();
        let expected = [
            ["SSSSSSSSS", "SSS------", "-DS------", "--D------", "--D------"],
            ["---SSSSSS", "---SSS---", "----DS---", "-----D---", "-----D---"],
            ["------SSS", "------SSS", "-------DS", "--------D", "--------D"],
        ];
        assert_eq!(words, expected.concat());
        let mut needed = || {
            let mut needed = Vec::new();
            while bits.take(1) == 1 {
                needed.push(bits.take(4) + 1);
            }
            needed
        };
        let needed: Vec<_> = (0..15).map(|_| needed()).collect();
        let of_upper = [vec![1], vec![12], vec![6], vec![3], vec![3]];
        assert_eq!(needed[..5], [vec![], vec![12], vec![6], vec![3], vec![3]]);
        assert_eq!((&needed[5..10], &needed[10..]), (&of_upper[..], &of_upper[..]));
        assert_eq!(bits.below(10), 3);
        let protected: Vec<_> = (0..9).map(|_| bits.below(3)).collect();
        assert_eq!(protected, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        let back: Vec<_> = (0..15).map(|_| [bits.take(4), bits.take(4), bits.take(4)]).collect();
        let smallest = [[0, 0, 0], [12, 11, 10], [6, 5, 4], [3, 2, 1], [9, 8, 7]];
        let middle = [[1, 1, 1], [1, 12, 11], [7, 6, 5], [4, 3, 2], [10, 9, 8]];
        let largest = [[2, 1, 1], [2, 1, 12], [8, 7, 6], [5, 4, 3], [11, 10, 9]];
        assert_eq!(back, [smallest, middle, largest].concat());
        assert_eq!(bits.take(1), 0);
        assert_eq!(bits.1.div_ceil(8), written.len() - 3, "and nothing behind it");
    }

    #[test]
    fn the_structure_of_one_size_fits_a_short_extension() {
        let written = frames(1)[0].dependency(true, false);
        let known = [0x80, 0x02, 0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x26];
        assert_eq!((written.len(), written[3..].len()), (16, known.len()));
    }
}
