//! Which encoding and which temporal layers a subscription gets.

use crate::command::LayerPlan;
use crate::receive::Stored;
use crate::units::RtpTime;

/// The encoding to go for: the target of the plan, or what stands in for it while it is not being sent.
///
/// `active` has a bit for each encoding that is being sent, bit 0 the lowest. While none is, the plan's target is
/// waited for. `None` when the plan pauses the subscription.
pub fn encoding(plan: LayerPlan, encodings: usize, active: u8) -> Option<u8> {
    let target = plan.encoding?.min(encodings.saturating_sub(1).min(7) as u8);
    let up_to_target = active & (0xff >> (7 - target));
    Some(if up_to_target != 0 {
        7 - up_to_target.leading_zeros() as u8
    } else if active != 0 {
        active.trailing_zeros() as u8
    } else {
        target
    })
}

/// Lets temporal layers through up to a limit, whole pictures at a time.
#[derive(Debug, Clone, Copy)]
pub struct TemporalFilter {
    current: u8,
    /// Timestamp of the newest picture and whether it is sent.
    picture: Option<(RtpTime, bool)>,
}

impl TemporalFilter {
    /// A filter for a stretch that begins with a key frame.
    pub fn new(target: u8) -> TemporalFilter {
        TemporalFilter { current: target, picture: None }
    }

    /// Whether the packet is sent, if `target` is the highest layer wanted.
    ///
    /// Layers are taken away at once and added only where nothing that was left out is needed: at a picture marked
    /// so, or, for codecs that do not mark them, at one of the base layer.
    pub fn admits(&mut self, stored: &Stored, target: u8) -> bool {
        let picture = &stored.picture;
        if let Some((timestamp, sent)) = self.picture
            && timestamp == stored.timestamp
        {
            return sent;
        }
        if target < self.current {
            self.current = target;
        } else if target > self.current {
            let marks = picture.close_gaps; // VP8 marks the pictures at which layers may be added
            let may_add = picture.switch_up && picture.temporal <= target
                || !marks && picture.start && picture.temporal == 0;
            if may_add {
                self.current = target;
            }
        }
        let sent = picture.temporal <= self.current;
        let newer =
            self.picture.is_none_or(|(newest, _)| stored.timestamp.0.wrapping_sub(newest.0) as i32 > 0);
        if newer {
            self.picture = Some((stored.timestamp, sent));
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::Picture;

    #[test]
    fn the_nearest_lower_encoding_stands_in_and_else_the_lowest() {
        // (target, encodings that are sent, expected)
        let rows = [
            (0, 0b111, 0),
            (2, 0b111, 2),
            (2, 0b011, 1),
            (2, 0b001, 0),
            (1, 0b101, 0),
            (0, 0b110, 1),
            (1, 0b100, 2),
            (2, 0b000, 2),
            (9, 0b111, 2),
        ];
        for (target, active, expected) in rows {
            let plan = LayerPlan { encoding: Some(target), temporal: 255 };
            assert_eq!(encoding(plan, 3, active), Some(expected), "{target} of {active:b}");
        }
        assert_eq!(encoding(LayerPlan { encoding: None, temporal: 255 }, 3, 7), None);
        assert_eq!(encoding(LayerPlan { encoding: Some(255), temporal: 255 }, 0, 0), Some(0));
    }

    #[test]
    fn layers_go_at_once_and_come_back_at_a_marked_picture() {
        // (timestamp, temporal layer, marked, target, sent)
        let rows = [
            (1, 0, true, 2, true),
            (2, 2, false, 2, true),
            (3, 1, false, 0, false),
            (3, 1, false, 2, false), // the same picture
            (4, 2, false, 2, false),
            (5, 0, false, 2, true),
            (6, 2, false, 2, false),
            (7, 1, true, 2, true),
            (8, 2, false, 2, true),
        ];
        let mut filter = TemporalFilter::new(2);
        for (timestamp, temporal, switch_up, target, expected) in rows {
            let picture =
                Picture { temporal, switch_up, close_gaps: true, start: true, ..Picture::default() };
            let stored = Stored { timestamp: RtpTime(timestamp), picture, ..Stored::default() };
            assert_eq!(filter.admits(&stored, target), expected, "picture {timestamp}");
        }
    }

    #[test]
    fn codecs_without_marks_get_layers_back_at_the_base_layer() {
        let rows = [(1, 0, 0, true), (2, 1, 1, false), (3, 0, 1, true), (4, 1, 1, true)];
        let mut filter = TemporalFilter::new(0);
        for (timestamp, temporal, target, expected) in rows {
            let picture = Picture { temporal, start: true, ..Picture::default() };
            let stored = Stored { timestamp: RtpTime(timestamp), picture, ..Stored::default() };
            assert_eq!(filter.admits(&stored, target), expected, "picture {timestamp}");
        }
    }
}
