//! How many bits a second an encoding takes on the way, by temporal layer: what layers are chosen by where there is a
//! budget.

use crate::units::{Kbps, Time};

/// Temporal layers that are told apart; higher ones count as the last.
pub const TEMPORAL_LAYERS: usize = 3;

/// What one packet takes beside its payload: RTP header and extensions, SRTP tag, UDP and IPv4.
const OVERHEAD_BYTES: u64 = 60;

/// Below this, what was told is not corrected: it would decide nothing.
const SLACK: u32 = 16;

/// Counts the bytes of one encoding, and says when a rate that was told is no longer about right.
#[derive(Debug, Default)]
pub struct Rate {
    bytes: [u64; TEMPORAL_LAYERS],
    since: Option<Time>,
    /// Smoothed, of each layer with those below it.
    rates: [Kbps; TEMPORAL_LAYERS],
    told: [Kbps; TEMPORAL_LAYERS],
}

impl Rate {
    /// Counts a packet of a temporal layer.
    pub fn count(&mut self, temporal: u8, payload: usize) {
        let layer = usize::from(temporal).min(TEMPORAL_LAYERS - 1);
        self.bytes[layer] += payload as u64 + OVERHEAD_BYTES;
    }

    /// Ends a stretch of about a second; true when the rates differ much from what was told.
    pub fn measure(&mut self, now: Time) -> bool {
        let Some(since) = self.since.replace(now) else {
            self.bytes = [0; TEMPORAL_LAYERS]; // half a stretch says nothing
            return false;
        };
        let micros = now.since(since).as_micros().max(1) as u64;
        let mut sum = 0;
        for (rate, bytes) in self.rates.iter_mut().zip(std::mem::take(&mut self.bytes)) {
            sum += bytes;
            let fresh = u32::try_from(sum * 8_000 / micros).unwrap_or(u32::MAX);
            // What has stopped takes nothing; else a key frame should not look like a rate.
            let known = rate.0 > 0 && sum > 0;
            *rate = Kbps(if known { rate.0 / 2 + fresh / 2 } else { fresh });
        }
        self.rates.iter().zip(&self.told).any(|(rate, told)| differ(rate.0, told.0))
    }

    /// The rates, of each temporal layer with those below it; taken as told.
    pub fn tell(&mut self) -> [Kbps; TEMPORAL_LAYERS] {
        self.told = self.rates;
        self.rates
    }
}

/// More than a sixth up, or a quarter down: what is too high costs somebody a picture, what is too low only sharpness.
fn differ(rate: u32, told: u32) -> bool {
    rate > told + told / 6 + SLACK || rate + told / 4 + SLACK < told || (rate == 0) != (told == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One second of `packets` packets of 940 bytes, a third in each temporal layer; what is told after it.
    fn second(rate: &mut Rate, at: u64, packets: u64) -> Option<[u32; TEMPORAL_LAYERS]> {
        (0..packets).for_each(|n| rate.count((n % 3) as u8, 940));
        rate.measure(Time::from_millis(at * 1_000)).then(|| rate.tell().map(|rate| rate.0))
    }

    #[test]
    fn a_rate_is_told_when_it_begins_changes_and_stops_but_not_while_it_is_steady() {
        let mut rate = Rate::default();
        assert_eq!(second(&mut rate, 1, 150), None);
        assert_eq!(second(&mut rate, 2, 150), Some([400, 800, 1_200]));
        assert_eq!((3..60).find_map(|at| second(&mut rate, at, 150 + at % 2 * 12)), None);
        let risen = (60..70).find_map(|at| second(&mut rate, at, 300)).unwrap();
        assert!(risen[2] > 1_400, "{risen:?}");
        assert_eq!((70..80).filter_map(|at| second(&mut rate, at, 0)).collect::<Vec<_>>(), [[0, 0, 0]]);
    }

    #[test]
    fn a_layer_above_the_third_counts_as_the_third() {
        let mut rate = Rate::default();
        rate.measure(Time(0));
        rate.count(7, 940);
        assert!(rate.measure(Time::from_millis(1_000)));
        assert_eq!(rate.tell(), [Kbps(0), Kbps(0), Kbps(8)]);
    }
}
