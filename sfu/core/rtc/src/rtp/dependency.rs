//! Dependency descriptor (RTP payload format for AV1, appendix A), as far as forwarding needs it: frame number,
//! start of frame, and the temporal layer through the template structure that key frames carry.

use crate::rtp::Bits;

/// Most templates a structure can have: their ids have six bits.
const MAX_TEMPLATES: usize = 64;

/// Where the 16 bits of the frame number stand in the extension.
pub const FRAME_NUMBER_AT: usize = 1;

/// The fields that every descriptor has, and the structure if it is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of the frame.
    pub start: bool,
    /// Which template the frame follows.
    pub template: u8,
    /// Counts frames of all layers, modulo 65,536.
    pub frame_number: u16,
    /// Sent with key frames; later descriptors are read by it.
    pub structure: Option<Structure>,
}

/// The temporal layer of each template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    first: u8,
    count: u8,
    temporal: [u8; MAX_TEMPLATES],
}

impl Structure {
    /// Temporal layer of the frames that follow `template`; `None` when the structure has no such template.
    pub fn temporal(&self, template: u8) -> Option<u8> {
        let index = template.wrapping_sub(self.first) & 0x3f;
        (index < self.count).then(|| self.temporal[usize::from(index)])
    }
}

/// Reads a descriptor; `None` when it is cut short or its structure makes no sense.
pub fn read(data: &[u8]) -> Option<Descriptor> {
    let mandatory: &[u8; 3] = data.first_chunk()?;
    let mut descriptor = Descriptor {
        start: mandatory[0] & 0x80 != 0,
        template: mandatory[0] & 0x3f,
        frame_number: u16::from_be_bytes([mandatory[1], mandatory[2]]),
        structure: None,
    };
    if data.len() > 3 {
        let mut bits = Bits::new(&data[3..]);
        let attached = bits.flag()?;
        bits.take(4)?; // active decode targets, custom dependencies, distances and chains follow
        if attached {
            descriptor.structure = Some(read_structure(&mut bits)?);
        }
    }
    Some(descriptor)
}

fn read_structure(bits: &mut Bits) -> Option<Structure> {
    let first = bits.take(6)? as u8;
    bits.take(5)?; // number of decode targets
    let mut structure = Structure { first, count: 0, temporal: [0; MAX_TEMPLATES] };
    let mut temporal = 0;
    loop {
        *structure.temporal.get_mut(usize::from(structure.count))? = temporal;
        structure.count += 1;
        match bits.take(2)? {
            0 => {}
            1 => temporal = (temporal + 1).min(7),
            2 => temporal = 0,
            _ => return Some(structure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Three temporal layers in one spatial layer (L1T3), templates 0 to 3: layers 0, 1, 2, 2 would need idc 1, 1, 0.
    fn l1t3() -> Vec<u8> {
        let fields = [(1, 1), (0, 4), (0, 6), (2, 5), (1, 2), (1, 2), (0, 2), (3, 2)];
        let bits: Vec<u8> = fields
            .iter()
            .flat_map(|&(value, count)| (0..count).rev().map(move |i| (value >> i & 1) as u8))
            .collect();
        let mut out = vec![0xc0, 0x01, 0x02];
        out.extend(
            bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |all, (i, bit)| all | bit << (7 - i))),
        );
        out
    }

    #[test]
    fn a_structure_tells_the_temporal_layer_of_each_template() {
        let descriptor = read(&l1t3()).unwrap();
        assert_eq!((descriptor.start, descriptor.template, descriptor.frame_number), (true, 0, 0x102));
        let structure = descriptor.structure.unwrap();
        let read: Vec<_> = (0..6).map(|template| structure.temporal(template)).collect();
        assert_eq!(read, [Some(0), Some(1), Some(2), Some(2), None, None]);
    }

    #[test]
    fn a_short_descriptor_has_the_mandatory_fields_only() {
        let descriptor = read(&[0x45, 0, 9]).unwrap();
        assert_eq!((descriptor.start, descriptor.template, descriptor.frame_number), (false, 5, 9));
        assert_eq!(descriptor.structure, None);
        assert_eq!(read(&[0x45, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_layers_stay_in_range(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(Descriptor { structure: Some(structure), .. }) = read(&bytes) {
                prop_assert!((0..=255).all(|template| structure.temporal(template).is_none_or(|t| t < 8)));
            }
        }
    }
}
