//! Is the peer still there? (RFC 7675, from the side that is checked.)

use std::time::Duration;

use crate::event::FailReason;
use crate::units::Time;

/// A peer that sends media is missed after this: the page can say so within three seconds.
const QUIET_AFTER_MEDIA: Duration = Duration::from_secs(3);
/// A peer that sends no media checks its path every 2.5 s (Chromium) or 4 to 6 s (Firefox, RFC 7675 section 5.1):
/// less than this would cry wolf.
const QUIET_WITHOUT_MEDIA: Duration = Duration::from_secs(7);
/// Media that came so shortly before the last sign of life counts as flowing when the silence began.
const MEDIA_WAS_FLOWING: Duration = Duration::from_secs(2);
/// Sending stops. RFC 7675 allows 30 s; a network that was away for 10 s may still come back.
const CONSENT: Duration = Duration::from_secs(15);
/// A first check must come in this time after the description.
const FIRST_CHECK: Duration = Duration::from_secs(30);

/// Signs of life of one peer.
pub(super) struct Liveness {
    described: Option<Time>,
    heard: Option<Time>,
    media: Option<Time>,
    silent: bool,
}

/// What [`Liveness`] noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    Silent,
    Resumed,
    Gone(FailReason),
}

impl Liveness {
    pub(super) fn new() -> Liveness {
        Liveness { described: None, heard: None, media: None, silent: false }
    }

    /// The peer's description is known; from now on it should check.
    pub(super) fn described(&mut self, now: Time) {
        self.described.get_or_insert(now);
    }

    /// Something authentic came.
    pub(super) fn heard(&mut self, now: Time) -> Option<Notice> {
        self.heard = Some(now);
        std::mem::take(&mut self.silent).then_some(Notice::Resumed)
    }

    /// Authentic media or reports came.
    pub(super) fn heard_media(&mut self, now: Time) -> Option<Notice> {
        self.media = Some(now);
        self.heard(now)
    }

    /// When to look again. May move on at every packet: asking at the old time does no harm.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.heard {
            None => Some(self.described? + FIRST_CHECK),
            Some(heard) if self.silent => Some(heard + CONSENT),
            Some(heard) => Some(heard + self.quiet(heard)),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Time) -> Option<Notice> {
        if now < self.deadline()? {
            return None;
        }
        match self.heard {
            None => Some(Notice::Gone(FailReason::IceTimeout)),
            Some(heard) if now.since(heard) >= CONSENT => Some(Notice::Gone(FailReason::ConsentExpired)),
            Some(_) => {
                self.silent = true;
                Some(Notice::Silent)
            }
        }
    }

    fn quiet(&self, heard: Time) -> Duration {
        let flowing = self.media.is_some_and(|media| heard.since(media) < MEDIA_WAS_FLOWING);
        if flowing { QUIET_AFTER_MEDIA } else { QUIET_WITHOUT_MEDIA }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: u64) -> Time {
        Time::from_millis(s * 1_000)
    }

    #[test]
    fn a_peer_that_never_checks_is_given_up_after_thirty_seconds() {
        let mut liveness = Liveness::new();
        assert_eq!(liveness.deadline(), None);
        liveness.described(seconds(1));
        liveness.described(seconds(20));
        assert_eq!(liveness.deadline(), Some(seconds(31)));
        assert_eq!(liveness.handle_timeout(seconds(30)), None);
        assert_eq!(liveness.handle_timeout(seconds(31)), Some(Notice::Gone(FailReason::IceTimeout)));
    }

    #[test]
    fn silence_after_media_is_told_after_three_seconds_and_its_end_at_once() {
        let mut liveness = Liveness::new();
        liveness.heard_media(seconds(10));
        assert_eq!(liveness.heard(seconds(11)), None);
        assert_eq!(liveness.deadline(), Some(seconds(14)));
        assert_eq!(liveness.handle_timeout(seconds(14)), Some(Notice::Silent));
        assert_eq!(liveness.handle_timeout(seconds(15)), None);
        assert_eq!(liveness.heard(seconds(16)), Some(Notice::Resumed));
        assert_eq!(liveness.heard(seconds(16)), None);
    }

    #[test]
    fn a_peer_without_media_may_pause_for_as_long_as_firefox_does() {
        let mut liveness = Liveness::new();
        liveness.heard(seconds(10));
        assert_eq!(liveness.handle_timeout(seconds(16)), None);
        assert_eq!(liveness.handle_timeout(seconds(17)), Some(Notice::Silent));
    }

    #[test]
    fn consent_ends_fifteen_seconds_after_the_last_sign_of_life() {
        let mut liveness = Liveness::new();
        liveness.heard(seconds(10));
        liveness.handle_timeout(seconds(17));
        assert_eq!(liveness.deadline(), Some(seconds(25)));
        assert_eq!(liveness.handle_timeout(seconds(25)), Some(Notice::Gone(FailReason::ConsentExpired)));
    }
}
