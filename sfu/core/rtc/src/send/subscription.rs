//! One track delivered to one transport.
//!
//! A subscription follows the order of arrival of the encoding it gets (*current*) with a cursor of its own. When
//! another encoding becomes its target it also watches that one for a key frame, while the current one flows on;
//! the key frame begins the next stretch. Sound has no key frames and begins with any packet.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::command::{ExtensionIds, LayerPlan, MAX_PAYLOADS, MediaKind, Mid, PayloadMap, SubscriptionParams};
use crate::id::{SubscriptionId, TrackId, TransportId};
use crate::outbox::TrafficClass;
use crate::receive::{Stored, Stream, Track, keyframe};
use crate::send::reports::Reports;
use crate::send::resend::Allowance;
use crate::send::rewrite::Rewriter;
use crate::send::select::{self, TemporalFilter};
use crate::send::sent::Source;
use crate::send::timestamps::{self, Before};
use crate::send::write::{Appearance, PacketSink, Scratch};
use crate::units::{Pt, SeqNo, Ssrc, Time};

/// A subscription that begins takes a key frame of this age from the history, instead of asking for another one:
/// people who join together cost the publisher one key frame, and nobody waits for the throttle of requests.
const FRESH_KEY_FRAME: Duration = keyframe::MIN_INTERVAL;
/// A switch takes a key frame of this age from the history: an encoding that begins does so with one, before anybody
/// could wait for it. An older one would set the picture back.
const KEY_FRAME_JUST_NOW: Duration = Duration::from_millis(50);
/// Packets of a key frame that came before its start are looked for this far back: when the start was lost and
/// repaired, all the others did.
const REORDERED: u64 = 1_024;

/// A track delivered to a transport.
pub struct Subscription {
    /// Its name.
    pub id: SubscriptionId,
    /// What is delivered.
    pub track: TrackId,
    /// To whom.
    pub transport: TransportId,
    /// SSRC of its packets.
    pub ssrc: Ssrc,
    /// SSRC of retransmissions.
    pub rtx_ssrc: Option<Ssrc>,
    /// What it should get.
    pub plan: LayerPlan,
    /// Reports sent and heard.
    pub reports: Reports,
    /// The event about its current encoding waits to be taken.
    pub announces: bool,
    pub(super) rewriter: Rewriter,
    pub(super) allowance: Allowance,
    kind: MediaKind,
    mid: Mid,
    payloads: ArrayVec<PayloadMap, MAX_PAYLOADS>,
    /// For each payload type of the publisher, 1 + the place in `payloads`; 0 if it is not forwarded.
    table: [u8; 128],
    next_rtx: SeqNo,
    current: Option<Current>,
    waiting: Option<Waiting>,
    filter: TemporalFilter,
    /// What it gets at most, whatever the plan.
    limit: LayerPlan,
    /// More packets of the picture that was sent last may come.
    mid_picture: bool,
}

/// The encoding that flows.
#[derive(Debug, Clone, Copy)]
struct Current {
    encoding: u8,
    epoch: u8,
    /// Next packet in the order of arrival.
    cursor: u64,
}

/// The encoding whose key frame is waited for.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    encoding: u8,
    /// Next packet to look at.
    cursor: u64,
    asked: bool,
}

/// What came of one turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pumped {
    /// Room ran out: more is to be sent.
    pub more: bool,
    /// A key frame of this encoding is needed.
    pub ask: Option<u8>,
    /// What flows is not what flowed before: something else, or nothing.
    pub switched: bool,
    /// The stretch that began comes from another encoding than the one before.
    pub changed_encoding: bool,
    /// Packets sent.
    pub packets: u64,
    /// Payload bytes sent.
    pub bytes: u64,
}

impl Subscription {
    /// A subscription that has sent nothing; numbers go from `first` and `first_rtx` on.
    pub fn new(
        id: SubscriptionId,
        kind: MediaKind,
        params: &SubscriptionParams,
        first: SeqNo,
        first_rtx: SeqNo,
    ) -> Subscription {
        let mut table = [0; 128];
        for (place, map) in params.payloads.iter().enumerate() {
            table[usize::from(map.up.0 & 0x7f)] = place as u8 + 1;
        }
        let remembered = match kind {
            MediaKind::Audio => 256,
            MediaKind::Video => 1_024,
        };
        Subscription {
            id,
            track: params.track,
            transport: params.transport,
            ssrc: params.ssrc,
            rtx_ssrc: params.rtx_ssrc,
            plan: params.plan,
            reports: Reports::default(),
            announces: false,
            rewriter: Rewriter::new(remembered, first),
            allowance: Allowance::new(kind),
            kind,
            mid: params.mid,
            payloads: params.payloads.clone(),
            table,
            next_rtx: first_rtx,
            current: None,
            waiting: None,
            filter: TemporalFilter::new(params.plan.temporal),
            limit: LayerPlan { encoding: Some(u8::MAX), temporal: u8::MAX },
            mid_picture: false,
        }
    }

    /// The encoding that flows.
    pub fn current(&self) -> Option<u8> {
        self.current.map(|current| current.encoding)
    }

    /// The encoding that a key-frame request of the subscriber is about.
    pub fn requested(&self) -> Option<u8> {
        self.current().or(self.waiting.map(|waiting| waiting.encoding))
    }

    /// The encoding whose key frame is waited for.
    pub fn waiting(&self) -> Option<u8> {
        self.waiting.map(|waiting| waiting.encoding)
    }

    /// The next numbers: of packets and of retransmissions.
    pub fn next_numbers(&self) -> (SeqNo, SeqNo) {
        (self.rewriter.sent.next(), self.next_rtx)
    }

    /// What is taken from the publisher's timestamps, for the current encoding.
    pub fn timestamp_offset(&self) -> Option<u32> {
        self.current.and_then(|_| self.rewriter.segment()).map(|segment| segment.timestamp_offset)
    }

    /// Nothing that was sent can be sent again: the same number must never stand for another packet.
    pub fn forget_sent(&mut self) {
        self.rewriter.sent.forget();
    }

    /// Gets no more than `limit` from the next picture on, whatever the plan says.
    pub fn limit_to(&mut self, limit: LayerPlan) {
        if !self.mid_picture {
            self.limit = limit;
        }
    }

    /// Makes up its mind which encoding to get; called when the plan or the track has changed.
    pub fn aim(&mut self, now: Time, track: &Track) -> Pumped {
        let before = self.current();
        let stream = |encoding: u8| track.encodings.get(usize::from(encoding))?.stream.as_deref();
        let wanted = select::encoding(self.allowed(), track.encodings.len(), track.available(now));
        let mut pumped = Pumped::default();
        if track.paused || wanted.is_none() {
            self.current = None;
            self.waiting = None;
        }
        let followed = |c: &Current| stream(c.encoding).is_some_and(|s| s.epoch == c.epoch);
        let started_over = self.current.filter(|current| !followed(current)).map(|c| c.encoding);
        self.current = self.current.filter(followed);
        match wanted.filter(|_| !track.paused) {
            Some(wanted) if self.current() == Some(wanted) => self.waiting = None,
            Some(wanted) if self.waiting() != Some(wanted) => {
                let mut waiting = self.wait_for(now, wanted, stream(wanted));
                if started_over == Some(wanted) {
                    // All that is known of it belongs to the new start, also what came before this turn.
                    waiting = Waiting { encoding: wanted, cursor: 0, asked: false };
                }
                pumped.ask = (waiting.asked && self.kind == MediaKind::Video).then_some(wanted);
                self.waiting = Some(waiting);
            }
            _ => {}
        }
        pumped.switched = self.current() != before;
        pumped
    }

    /// Sends what has come since the last turn, as far as there is room.
    pub fn pump(
        &mut self,
        now: Time,
        track: &Track,
        extensions: &ExtensionIds,
        scratch: &mut Scratch,
        sink: &mut impl PacketSink,
    ) -> Pumped {
        let mut pumped = self.aim(now, track);
        let start = self.find_start(track, &mut pumped);
        let until = start.map_or(Time::NEVER, |(_, at)| at);
        let mut way = Way { track, extensions, scratch, sink, pumped: &mut pumped };
        if self.forward(&mut way, until) {
            if let Some((nth, _)) = start {
                way.pumped.changed_encoding = self.switch(track, nth);
                way.pumped.switched = true;
                way.pumped.more = !self.forward(&mut way, Time::NEVER);
            }
        } else {
            way.pumped.more = true;
        }
        self.reports.count(pumped.packets, pumped.bytes);
        self.allowance.earn(pumped.bytes);
        pumped
    }

    /// Sends again what was granted.
    pub fn resend(
        &mut self,
        seq: SeqNo,
        track: &Track,
        extensions: &ExtensionIds,
        scratch: &mut Scratch,
        sink: &mut impl PacketSink,
    ) -> bool {
        let Some(&sent) = self.rewriter.sent.get(seq) else { return false };
        let stream = track.encodings.get(usize::from(sent.stream().encoding)).and_then(|e| e.stream.as_ref());
        let Some(stream) = stream.filter(|s| Source::new(sent.stream().encoding, s.epoch) == sent.stream())
        else {
            return false;
        };
        let found = stream.recall(sent.source).and_then(|s| Some((s, stream.history.content(s)?)));
        let Some(((stored, content), map)) = found.and_then(|f| Some((f, self.map(f.0.pt)?))) else {
            return false;
        };
        let (ssrc, pt, number) = match self.rtx_ssrc.zip(map.down_rtx) {
            Some((ssrc, pt)) => (ssrc, pt, self.next_rtx),
            None => (self.ssrc, map.down, seq),
        };
        let repair = ssrc != self.ssrc;
        let look = Appearance {
            class: self.class(),
            fresh: false,
            ssrc,
            pt,
            seq: number,
            original: repair.then_some(seq),
            // As it was the packet must be the same to the last bit: its SRTP index is used a second time.
            mid: (repair || sent.with_mid()).then_some(&self.mid),
            extensions,
            filler: if repair { 0 } else { stored.filler },
            strip_red: map.strip_red,
        };
        let out = scratch.media(stored, content, &sent, &look);
        let done = sink.send_rtp(self.transport, &out);
        if repair {
            self.next_rtx = self.next_rtx.next();
        }
        done
    }

    /// The plan, as far as the limit lets it.
    fn allowed(&self) -> LayerPlan {
        LayerPlan {
            encoding: self.plan.encoding.zip(self.limit.encoding).map(|(plan, limit)| plan.min(limit)),
            temporal: self.plan.temporal.min(self.limit.temporal),
        }
    }

    fn class(&self) -> TrafficClass {
        match self.kind {
            MediaKind::Audio => TrafficClass::Audio,
            MediaKind::Video => TrafficClass::Video,
        }
    }

    fn map(&self, pt: Pt) -> Option<PayloadMap> {
        let place = usize::from(self.table[usize::from(pt.0 & 0x7f)]);
        self.payloads.get(place.checked_sub(1)?).copied()
    }

    fn wait_for(&self, now: Time, encoding: u8, stream: Option<&Stream>) -> Waiting {
        let Some(stream) = stream else { return Waiting { encoding, cursor: 0, asked: false } };
        let last_sent = self.rewriter.last().map_or(Time(0), |last| last.arrival);
        let fresh = stream.last_key.filter(|key| match self.current {
            Some(_) => now.since(key.at) <= KEY_FRAME_JUST_NOW,
            None => now.since(key.at) <= FRESH_KEY_FRAME && key.at > last_sent,
        });
        match fresh {
            Some(key) => Waiting { encoding, cursor: key.nth, asked: false },
            None => Waiting { encoding, cursor: stream.history.arrived(), asked: true },
        }
    }

    /// Looks for the packet to go over to the awaited encoding with: its number in the order of arrival.
    fn find_start(&mut self, track: &Track, pumped: &mut Pumped) -> Option<(u64, Time)> {
        let waiting = self.waiting.as_mut()?;
        let stream = track.encodings.get(usize::from(waiting.encoding))?.stream.as_ref()?;
        let arrived = stream.history.arrived();
        let from = waiting.cursor.max(stream.history.oldest());
        for nth in from..arrived {
            let Some(stored) = stream.history.nth(nth) else { continue };
            let mapped = self.table[usize::from(stored.pt.0 & 0x7f)] != 0;
            let starts = self.kind == MediaKind::Audio || begins_key_frame(stream, stored);
            if mapped && starts && !stored.padding {
                waiting.cursor = nth;
                return Some((nth, stored.arrival));
            }
        }
        if arrived > from && !waiting.asked && self.kind == MediaKind::Video {
            waiting.asked = true;
            pumped.ask = Some(waiting.encoding);
        }
        waiting.cursor = arrived;
        None
    }

    /// Begins a stretch with packet `nth` of the awaited encoding; true if the one before was from another.
    fn switch(&mut self, track: &Track, nth: u64) -> bool {
        let Some(waiting) = self.waiting.take() else { return false };
        let stream_of = |encoding: u8| track.encodings.get(usize::from(encoding))?.stream.as_deref();
        let Some(stream) = stream_of(waiting.encoding) else { return false };
        let Some(first) = stream.history.nth(nth) else { return false };
        let source = Source::new(waiting.encoding, stream.epoch);
        let rate = track.media(first.pt).map_or(1, |format| format.clock_rate);
        let before = self.rewriter.segment().zip(self.rewriter.last());
        let offset = match before {
            Some((segment, last)) => {
                let kept = first.timestamp.0.wrapping_sub(segment.timestamp_offset);
                let later = kept.wrapping_sub(last.timestamp.0) as i32 > 0;
                if segment.source == source && later {
                    segment.timestamp_offset
                } else {
                    let clock = stream_of(segment.source.encoding)
                        .filter(|s| Source::new(segment.source.encoding, s.epoch) == segment.source)
                        .and_then(|s| s.clock);
                    let before = Before { last, offset: segment.timestamp_offset, clock };
                    timestamps::offset(Some(before), first, stream.clock, rate)
                }
            }
            None => 0,
        };
        let changed = before.is_some_and(|(segment, _)| segment.source.encoding != waiting.encoding);
        self.rewriter.begin(source, first, offset);
        self.filter = TemporalFilter::new(self.allowed().temporal);
        self.current = Some(Current {
            encoding: waiting.encoding,
            epoch: stream.epoch,
            cursor: nth.saturating_sub(REORDERED).max(stream.history.oldest()),
        });
        changed
    }

    /// Sends packets of the current encoding that came up to `until`; false when room ran out.
    fn forward(&mut self, way: &mut Way<impl PacketSink>, until: Time) -> bool {
        let Some(mut current) = self.current else { return true };
        let Some(stream) = way.track.encodings[usize::from(current.encoding)].stream.as_deref() else {
            return true;
        };
        let mut room = true;
        while current.cursor < stream.history.arrived() {
            if let Some(stored) = stream.history.nth(current.cursor) {
                if stored.arrival > until {
                    break;
                }
                if way.sink.room() == 0 {
                    room = false;
                    break;
                }
                self.forward_one(way, stream, stored);
                current.cursor += 1;
            } else {
                current.cursor = (current.cursor + 1).max(stream.history.oldest());
            }
        }
        self.current = Some(current);
        room
    }

    fn forward_one(&mut self, way: &mut Way<impl PacketSink>, stream: &Stream, stored: &Stored) {
        let map = self.map(stored.pt);
        let wanted = map.is_some_and(|map| !stored.padding && (!map.strip_red || stored.picture.primary > 0));
        if !wanted || !self.filter.admits(stored, self.allowed().temporal) {
            self.leave_out(way, stored, map);
            return;
        }
        let Some((map, content)) = map.zip(stream.history.content(stored)) else { return };
        let with_mid = !self.reports.confirmed;
        let Some(seq) = self.rewriter.place(stored, with_mid) else { return };
        let Some(sent) = self.rewriter.sent.get(seq) else { return };
        let look = Appearance {
            class: self.class(),
            fresh: true,
            ssrc: self.ssrc,
            pt: map.down,
            seq,
            original: None,
            mid: with_mid.then_some(&self.mid),
            extensions: way.extensions,
            filler: stored.filler,
            strip_red: map.strip_red,
        };
        self.mid_picture = !stored.marker;
        let out = way.scratch.media(stored, content, sent, &look);
        if way.sink.send_rtp(self.transport, &out) {
            way.pumped.packets += 1;
            way.pumped.bytes += (out.prefix.len() + out.payload.len()) as u64;
        }
    }

    /// Does not send a packet, so that no hole is left where it would have been.
    fn leave_out(&mut self, way: &mut Way<impl PacketSink>, stored: &Stored, map: Option<PayloadMap>) {
        let Some(seq) = self.rewriter.skip(stored) else { return };
        let Some((map, segment)) = map.or(self.payloads.first().copied()).zip(self.rewriter.segment()) else {
            return;
        };
        let look = Appearance {
            class: self.class(),
            fresh: true,
            ssrc: self.ssrc,
            pt: map.down,
            seq,
            original: None,
            mid: None,
            extensions: way.extensions,
            filler: 0,
            strip_red: false,
        };
        let out = way.scratch.padding(stored, segment.timestamp_offset, &look);
        way.sink.send_rtp(self.transport, &out);
    }
}

/// A decoder may start with this packet: none before it belongs to the same picture.
fn begins_key_frame(stream: &Stream, stored: &Stored) -> bool {
    let before = || stream.history.get(SeqNo(stored.seq.0 - 1));
    stored.picture.key_start
        && before().is_none_or(|before| before.padding || before.timestamp != stored.timestamp)
}

/// What a packet needs on its way through a subscription.
struct Way<'a, S> {
    track: &'a Track,
    extensions: &'a ExtensionIds,
    scratch: &'a mut Scratch,
    sink: &'a mut S,
    pumped: &'a mut Pumped,
}
