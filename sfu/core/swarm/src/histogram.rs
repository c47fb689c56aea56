//! How long packets took, sorted by bounds that grow by an eighth to a sixteenth of themselves.

use std::time::Duration;

/// Bounds to each doubling.
const STEPS: u64 = 8;
/// The first bound but one; below it a bucket is one microsecond wide.
const FINEST: u64 = STEPS;
/// Doublings above [`FINEST`]: the last bound is 16.8 s.
const DOUBLINGS: usize = 21;
const BUCKETS: usize = FINEST as usize + DOUBLINGS * STEPS as usize + 1;

/// Counts of durations by bucket; the last is for what is beyond every bound.
#[derive(Debug, Clone)]
pub struct Histogram([u64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram([0; BUCKETS])
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)] += 1;
    }

    /// The counts, in the order of the bounds.
    pub fn counts(&self) -> &[u64] {
        &self.0
    }

    /// The bound of each bucket but the last, in microseconds: what is counted there took less.
    pub fn bounds_micros() -> impl Iterator<Item = u64> {
        let coarse = (0..DOUBLINGS)
            .flat_map(|doubling| (1..=STEPS).map(move |step| (FINEST + step * FINEST / STEPS) << doubling));
        (1..=FINEST).chain(coarse)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < FINEST {
        return micros as usize;
    }
    let doubling = (micros / FINEST).ilog2() as usize;
    let step = (micros >> doubling) - FINEST;
    (FINEST as usize + doubling * STEPS as usize + step as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_counted_under_the_first_bound_above_it() {
        let bounds: Vec<u64> = Histogram::bounds_micros().collect();
        assert_eq!(bounds.len() + 1, BUCKETS);
        assert!(bounds.is_sorted());
        for micros in (0..2_000).chain([12_345, 999_999, 1_000_000, 16_777_215, 16_777_216, u64::MAX]) {
            let expected = bounds.iter().position(|&bound| micros < bound).unwrap_or(BUCKETS - 1);
            assert_eq!(bucket(micros), expected, "{micros}");
        }
    }
}
