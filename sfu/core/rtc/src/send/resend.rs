//! Answering NACKs of a subscriber from the publisher's history.
//!
//! A request is granted when the packet was sent, is young enough, was not just sent again, and resends stay below
//! the rate of the media itself: a subscriber that claims to lose everything gets at most twice the stream.

use std::time::Duration;

use crate::command::MediaKind;
use crate::drop_reason::DropReason;
use crate::receive::Track;
use crate::receive::history::HistorySize;
use crate::send::sent::{Source, State};
use crate::send::subscription::Subscription;
use crate::units::{SeqNo, Time};

/// A packet is not sent again within one round trip, and this is the shortest that counts.
const MIN_ROUND_TRIP: Duration = Duration::from_millis(20);
/// Assumed until the first measurement.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Bytes that may still be sent again: every byte of media earns one.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    bytes: u64,
    most: u64,
}

impl Allowance {
    /// What may be sent again at first, and saved up at most.
    pub fn new(kind: MediaKind) -> Allowance {
        let most = match kind {
            MediaKind::Audio => 8 << 10,   // half a second at 128 kb/s
            MediaKind::Video => 128 << 10, // half a second at 2 Mb/s
        };
        Allowance { bytes: most / 4, most }
    }

    /// Media was sent.
    pub fn earn(&mut self, bytes: u64) {
        self.bytes = (self.bytes + bytes).min(self.most);
    }

    fn spend(&mut self, bytes: u64) -> bool {
        let enough = self.bytes >= bytes;
        if enough {
            self.bytes -= bytes;
        }
        enough
    }
}

impl Subscription {
    /// Grants a resend of the number `wire`, and counts it as done; the caller then sends it.
    pub fn grant_resend(
        &mut self,
        now: Time,
        track: &Track,
        wire: u16,
        round_trip: Option<Duration>,
    ) -> Result<SeqNo, DropReason> {
        let refused = DropReason::ResendRefused;
        let seq = self.rewriter.sent.next().extend(wire);
        let sent = self.rewriter.sent.get_mut(seq).ok_or(refused)?;
        if !matches!(sent.state(), State::Sent | State::Resent) {
            return Err(refused);
        }
        let apart = round_trip.unwrap_or(DEFAULT_ROUND_TRIP).max(MIN_ROUND_TRIP).as_millis();
        if sent.since_resent(now).is_some_and(|since| u128::from(since) < apart) {
            return Err(refused);
        }
        let source = sent.stream();
        let encoding = track.encodings.get(usize::from(source.encoding)).ok_or(refused)?;
        let stream = encoding.stream.as_ref().ok_or(refused)?;
        let stored = stream.recall(sent.source).ok_or(refused)?;
        let age = now.since(stored.arrival).as_millis() as u64;
        if Source::new(source.encoding, stream.epoch) != source || age > HistorySize::of(track.kind).age_ms {
            return Err(refused);
        }
        let content = stream.history.content(stored).ok_or(refused)?;
        if !self.allowance.spend(content.payload.len() as u64) {
            return Err(refused);
        }
        sent.resent(now);
        Ok(seq)
    }
}
