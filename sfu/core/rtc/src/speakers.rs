//! Who speaks: loudness from the audio levels that publishers write into their packets (RFC 6464), ranked in groups.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::event::MAX_SPEAKERS;
use crate::id::{GroupId, TrackId};
use crate::units::Time;

/// How often groups are ranked.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// Speech rises within a syllable and falls over a pause between words.
const ATTACK: Duration = Duration::from_millis(100);
const RELEASE: Duration = Duration::from_millis(300);
/// Without packets for this long a track is silent: muted, or saving packets.
const SILENT_AFTER: Duration = Duration::from_millis(200);
/// Loudness at which someone begins to speak: -45 dBov, above the noise of a room.
const BEGINS: u8 = 82;
/// Loudness below which someone has stopped: lower, so that pauses do not flicker.
const STOPS: u8 = 70;
/// Smallest change of loudness that is announced.
const STEP: u8 = 8;

/// The smoothed loudness of one track, 0 (silent) to 127 (loudest).
#[derive(Debug, Clone, Copy, Default)]
pub struct Loudness {
    /// In 1/65,536.
    level: i64,
    at: Time,
    speaks: bool,
}

impl Loudness {
    /// A packet says that sound was `below_full` dB below the loudest possible, 0 to 127.
    pub fn hear(&mut self, now: Time, below_full: u8) {
        self.approach(now, 127 - below_full.min(127));
    }

    /// The loudness now, if that counts as speaking.
    pub fn speaking(&mut self, now: Time) -> Option<u8> {
        if now.since(self.at) > SILENT_AFTER {
            self.approach(now, 0);
        }
        let level = (self.level >> 16) as u8;
        self.speaks = level >= if self.speaks { STOPS } else { BEGINS };
        self.speaks.then_some(level)
    }

    fn approach(&mut self, now: Time, level: u8) {
        let target = i64::from(level) << 16;
        let constant = if target > self.level { ATTACK } else { RELEASE };
        // A long gap counts as three time constants: the past is then all but forgotten.
        let passed = now.since(self.at).min(constant * 3).as_micros() as i64;
        self.level += (target - self.level) * passed / (passed + constant.as_micros() as i64);
        self.at = now;
    }
}

/// Speakers of one group, loudest first.
pub type Ranking = ArrayVec<(TrackId, u8), MAX_SPEAKERS>;

/// The tracks that are ranked together.
pub struct Group {
    /// Its number.
    pub id: GroupId,
    /// Its tracks.
    pub members: Vec<TrackId>,
    /// What was found last and is worth telling.
    pub ranking: Ranking,
    /// The event about it waits to be taken.
    pub announces: bool,
}

impl Group {
    /// A group without tracks.
    pub fn new(id: GroupId) -> Group {
        Group { id, members: Vec::new(), ranking: Ranking::new(), announces: false }
    }

    /// Takes a new ranking; true if it differs enough from the last one to be told.
    pub fn update(&mut self, ranking: Ranking) -> bool {
        let level_before =
            |track| self.ranking.iter().find(|(other, _)| *other == track).map(|&(_, level)| level);
        let differs = ranking.len() != self.ranking.len()
            || ranking.iter().any(|&(track, level)| {
                level_before(track).is_none_or(|before| level.abs_diff(before) >= STEP)
            });
        if differs {
            self.ranking = ranking;
        }
        differs
    }
}

/// Puts a speaker into a ranking, loudest first; the quietest falls out when there are too many.
pub fn rank(ranking: &mut Ranking, track: TrackId, level: u8) {
    let at = ranking.iter().position(|&(_, other)| other < level).unwrap_or(ranking.len());
    if at == MAX_SPEAKERS {
        return;
    }
    if ranking.is_full() {
        ranking.pop();
    }
    ranking.insert(at, (track, level));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(loudness: &mut Loudness, from_ms: u64, to_ms: u64, below_full: u8) {
        for ms in (from_ms..to_ms).step_by(20) {
            loudness.hear(Time::from_millis(ms), below_full);
        }
    }

    #[test]
    fn speech_is_noticed_within_two_hundred_milliseconds_and_noise_never() {
        let mut speech = Loudness::default();
        let mut noise = Loudness::default();
        hear(&mut speech, 1_000, 1_200, 25);
        hear(&mut noise, 1_000, 9_000, 65);
        assert!(speech.speaking(Time::from_millis(1_200)).is_some());
        assert_eq!(noise.speaking(Time::from_millis(9_000)), None);
    }

    #[test]
    fn a_pause_between_words_is_not_silence() {
        let mut loudness = Loudness::default();
        hear(&mut loudness, 1_000, 2_000, 25);
        assert!(loudness.speaking(Time::from_millis(2_000)).is_some());
        hear(&mut loudness, 2_000, 2_080, 70);
        assert!(loudness.speaking(Time::from_millis(2_080)).is_some());
        hear(&mut loudness, 2_080, 3_000, 70);
        assert_eq!(loudness.speaking(Time::from_millis(3_000)), None);
    }

    #[test]
    fn a_muted_track_falls_silent() {
        let mut loudness = Loudness::default();
        hear(&mut loudness, 1_000, 2_000, 25);
        for ms in (2_000..3_000).step_by(200) {
            loudness.speaking(Time::from_millis(ms));
        }
        assert_eq!(loudness.speaking(Time::from_millis(3_000)), None);
    }

    #[test]
    fn the_loudest_eight_are_ranked() {
        let mut ranking = Ranking::new();
        for i in 0..20u32 {
            rank(&mut ranking, TrackId::new(0, i, 1), (i * 7 % 20) as u8 + 80);
        }
        let levels: Vec<_> = ranking.iter().map(|&(_, level)| level).collect();
        assert_eq!(levels, [99, 98, 97, 96, 95, 94, 93, 92]);
    }

    #[test]
    fn small_changes_are_not_told() {
        let mut group = Group::new(GroupId(1));
        let track = |i| TrackId::new(0, i, 1);
        let rows: [(&[(u32, u8)], bool); 6] = [
            (&[], false),
            (&[(1, 90)], true),
            (&[(1, 95)], false),
            (&[(1, 98)], true),
            (&[(1, 98), (2, 90)], true),
            (&[(2, 90)], true),
        ];
        for (i, (ranking, told)) in rows.into_iter().enumerate() {
            let ranking = ranking.iter().map(|&(i, level)| (track(i), level)).collect();
            assert_eq!(group.update(ranking), told, "row {i}");
        }
    }
}
