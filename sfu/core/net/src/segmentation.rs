//! Whether a socket lets the kernel cut large messages into datagrams (UDP generic segmentation offload).

/// Datagrams that one message may be cut into: the bound of every kernel that can cut at all (UDP_MAX_SEGMENTS).
const MOST_SEGMENTS: usize = 64;
/// So many refusals without a success between them mean that the device cannot, and not that one path is narrow.
const MOST_REFUSALS: u32 = 16;

/// Sticky for each socket: what was found not to work is not tried for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segmentation {
    possible: bool,
    refusals: u32,
}

impl Segmentation {
    /// Used if the kernel knows the option.
    pub(crate) fn new(possible: bool) -> Segmentation {
        Segmentation { possible, refusals: 0 }
    }

    pub(crate) fn is_on(self) -> bool {
        self.possible && self.refusals < MOST_REFUSALS
    }

    /// How many datagrams to put into one message.
    pub(crate) fn most_segments(self) -> usize {
        if self.is_on() { MOST_SEGMENTS } else { 1 }
    }

    /// A message was taken, to be cut up or not.
    pub(crate) fn worked(&mut self, cut: bool) {
        if cut && self.is_on() {
            self.refusals = 0;
        }
    }

    /// A message to be cut up was refused.
    pub(crate) fn failed(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_is_given_up_after_refusals_in_a_row_and_for_good() {
        let mut segmentation = Segmentation::new(true);
        for _ in 0..10 {
            for _ in 0..MOST_REFUSALS - 1 {
                segmentation.failed();
            }
            segmentation.worked(false);
            assert_eq!(segmentation.most_segments(), MOST_SEGMENTS);
            segmentation.worked(true);
        }
        for _ in 0..MOST_REFUSALS {
            segmentation.failed();
        }
        segmentation.worked(true);
        assert_eq!(segmentation.most_segments(), 1);
        assert_eq!(Segmentation::new(false).most_segments(), 1);
    }
}
