//! Requests for key frames, throttled: a key frame costs as much as ten other pictures, and fifty subscribers may
//! ask for it at once.

use std::time::Duration;

use crate::units::Time;

/// Requests to one encoding are at least this far apart: two a second at most.
pub const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// The requests of one encoding.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyframeRequests {
    last: Option<Time>,
    wanted: bool,
}

impl KeyframeRequests {
    /// Someone needs a key frame.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// When the request may be sent; never if nobody waits.
    pub fn due(&self) -> Time {
        match (self.wanted, self.last) {
            (false, _) => Time::NEVER,
            (true, None) => Time(0),
            (true, Some(last)) => last + MIN_INTERVAL,
        }
    }

    /// The request was sent.
    pub fn sent(&mut self, now: Time) {
        self.last = Some(now);
        self.wanted = false;
    }

    /// A key frame came: whoever waits has one.
    pub fn came(&mut self) {
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_goes_at_once_and_the_next_half_a_second_later() {
        let mut requests = KeyframeRequests::default();
        assert_eq!(requests.due(), Time::NEVER);
        requests.want();
        assert_eq!(requests.due(), Time(0));
        requests.sent(Time::from_millis(100));
        assert_eq!(requests.due(), Time::NEVER);
        requests.want();
        requests.want();
        assert_eq!(requests.due(), Time::from_millis(600));
        requests.came();
        assert_eq!(requests.due(), Time::NEVER);
    }
}
