//! RTCP to peers, each kind by its timer.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::command::MediaKind;
use crate::counters::{Cell, LegCell};
#[cfg(feature = "faults")]
use crate::fault::Fault;
use crate::id::{TrackId, TransportId};
use crate::memo::Memo;
use crate::receive::{Encoding, Track};
use crate::route::Router;
use crate::route::ingest::LAYERS_INTERVAL;
use crate::route::peer::cname;
use crate::rtcp::{Composer, ReportBlock};
use crate::send::PacketSink;
use crate::speakers::{self, Ranking};
use crate::timer::Timer;
use crate::units::{Ssrc, Time};

/// Reports go to a tenth of the transports at a time, to each once a second.
pub(super) const REPORT_TICK: Duration = Duration::from_millis(100);
const REPORT_PHASES: usize = 10;
/// Assumed of publishers that receive nothing, so that no echo tells.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Lost packets asked for in one message.
const MAX_NACKS: usize = 256;
/// Room that a sender report needs together with the name of its source.
const SENDER_REPORT_ROOM: usize = 28 + 28;
/// A key frame is asked for again only from an encoding that sent something within this time.
const SENDING: Duration = Duration::from_secs(1);

impl Router {
    /// Does what is due. Call [`Router::flush`] afterwards.
    ///
    /// What finds no room in `sink` stays due.
    pub fn handle_timeout(&mut self, now: Time, sink: &mut impl PacketSink) {
        // The flush that follows sees for itself what has waited long enough.
        self.timers.take(Timer::Sound, now);
        if self.timers.take(Timer::Keyframe, now) {
            self.send_keyframe_requests(now, sink);
        }
        if self.timers.take(Timer::Nack, now) {
            self.send_nacks(now, sink);
        }
        if self.timers.take(Timer::TransportCc, now) {
            self.send_arrivals(now, sink);
        }
        if self.timers.take(Timer::Report, now) {
            self.send_reports(now, sink);
        }
        if self.timers.take(Timer::Speakers, now) {
            self.rank_speakers(now, sink);
        }
        if self.timers.take(Timer::Layers, now) {
            self.check_layers(now, sink);
        }
    }

    fn send_keyframe_requests(&mut self, now: Time, sink: &mut impl PacketSink) {
        for track in self.tracks.values_mut() {
            sink.blame(track.transport);
            for place in 0..track.encodings.len() {
                let due = track.encodings[place].stream.as_ref().map_or(Time::NEVER, |s| s.requests.due());
                if due <= now && sink.room() > 0 {
                    if let Some(home) = track.home {
                        let memo = Memo::KeyframeWanted { track: home, encoding: place as u8 };
                        self.memos.tell(&self.counters, home.worker(), memo);
                    } else if let Some(peer) = self.peers.get(track.transport)
                        && send_keyframe_request(track, place, peer.feedback_ssrc, sink)
                    {
                        self.counters.add(Cell::PliUp, 1);
                    }
                    if let Some(stream) = &mut track.encodings[place].stream {
                        stream.requests.sent(now);
                    }
                } else if due != Time::NEVER {
                    self.timers.advance(Timer::Keyframe, due.max(now));
                }
            }
        }
    }

    fn send_nacks(&mut self, now: Time, sink: &mut impl PacketSink) {
        for track in self.tracks.values_mut() {
            let Some(peer) = self.peers.get(track.transport) else { continue };
            sink.blame(track.transport);
            let round_trip = peer.round_trip.unwrap_or(DEFAULT_ROUND_TRIP);
            for encoding in &mut track.encodings {
                let (Some(media), Some(stream)) = (encoding.ssrc, &mut encoding.stream) else { continue };
                let Some(due) = stream.nacks.due() else { continue };
                if due <= now && sink.room() > 0 {
                    let mut lost = ArrayVec::<u16, MAX_NACKS>::new();
                    stream
                        .nacks
                        .take_due(now, stream.newest, round_trip, |seq| lost.try_push(seq.wire()).is_ok());
                    let mut composer = Composer::new();
                    composer.nack(peer.feedback_ssrc, media, &lost);
                    if !lost.is_empty() && sink.send_rtcp(track.transport, composer.bytes()) {
                        self.counters.add(Cell::NackUp, lost.len() as u64);
                    }
                }
                if let Some(due) = stream.nacks.due() {
                    self.timers.advance(Timer::Nack, due.max(now));
                }
            }
        }
    }

    fn send_arrivals(&mut self, now: Time, sink: &mut impl PacketSink) {
        for slot in 0..self.peers.slots() {
            let Some((transport, peer)) = self.peers.at_mut(slot) else { continue };
            let Some(arrivals) = &mut peer.arrivals else { continue };
            sink.blame(transport);
            while arrivals.pending() {
                let mut composer = Composer::new();
                if sink.room() == 0 {
                    self.timers.advance(Timer::TransportCc, now);
                    return;
                }
                if !arrivals.report(&mut composer, peer.feedback_ssrc) {
                    break;
                }
                sink.send_rtcp(transport, composer.bytes());
            }
        }
    }

    fn send_reports(&mut self, now: Time, sink: &mut impl PacketSink) {
        if self.peers.len() > 0 {
            self.timers.advance(Timer::Report, now + REPORT_TICK);
        }
        while let Some(track) = self.first_reports.pop() {
            self.send_first_reports(now, track, sink);
        }
        let phase = self.report_phase;
        self.report_phase = (phase + 1) % REPORT_PHASES;
        for slot in (phase..self.peers.slots()).step_by(REPORT_PHASES) {
            let Some((transport, _)) = self.peers.at_mut(slot) else { continue };
            sink.blame(transport);
            #[cfg(feature = "faults")]
            self.faults.strike(Fault::Report(transport));
            self.measure(now, transport);
            self.send_receiver_report(now, transport, sink);
            self.send_up_cap(transport, sink);
            self.send_sender_reports(now, transport, sink);
        }
    }

    /// Tells a publisher how its streams arrive.
    fn send_receiver_report(&mut self, now: Time, transport: TransportId, sink: &mut impl PacketSink) {
        let Some(peer) = self.peers.get(transport).filter(|peer| peer.connected) else { return };
        let mut blocks = ArrayVec::<ReportBlock, 31>::new();
        let mut jitter_micros = 0;
        for &id in &peer.tracks {
            let Some(track) = self.tracks.get_mut(id) else { continue };
            let clock_rate = u64::from(track.clock_rate());
            for encoding in &mut track.encodings {
                let Some(block) = report_block(now, encoding) else { continue };
                jitter_micros = jitter_micros.max(u64::from(block.jitter) * 1_000_000 / clock_rate);
                if let Some(stream) = &mut encoding.stream {
                    self.counters.leg_add(transport, LegCell::LostUp, stream.reception.newly_lost());
                }
                if blocks.is_full() {
                    flush_blocks(transport, peer.feedback_ssrc, &peer.cname, &mut blocks, sink);
                }
                blocks.push(block);
            }
        }
        if !blocks.is_empty() {
            self.counters.leg_set(transport, LegCell::JitterUpMicros, jitter_micros);
            flush_blocks(transport, peer.feedback_ssrc, &peer.cname, &mut blocks, sink);
        }
    }

    /// Tells a subscriber which instants the timestamps of its streams mean.
    fn send_sender_reports(&mut self, now: Time, transport: TransportId, sink: &mut impl PacketSink) {
        let Some(peer) = self.peers.get(transport).filter(|peer| peer.connected) else { return };
        let mut composer = Composer::new();
        for &id in &peer.subscriptions {
            if composer.room() < SENDER_REPORT_ROOM {
                sink.send_rtcp(transport, composer.bytes());
                composer.clear();
            }
            let Some(subscription) = self.subscriptions.get_mut(id) else { continue };
            let Some(track) = self.tracks.get(subscription.track) else { continue };
            let cname = cname(self.name_seed, track.transport);
            add_sender_report(now, &mut composer, subscription, track, &cname);
        }
        if !composer.is_empty() {
            sink.send_rtcp(transport, composer.bytes());
        }
    }

    /// Passes the first report of a track on without waiting for the subscribers' turn: until then sound and
    /// picture may be apart, and the round trip is unknown.
    fn send_first_reports(&mut self, now: Time, track: TrackId, sink: &mut impl PacketSink) {
        let Some(track) = self.tracks.get(track) else { return };
        let cname = cname(self.name_seed, track.transport);
        sink.blame(track.transport);
        for &id in &track.subscriptions {
            let Some(subscription) = self.subscriptions.get_mut(id) else { continue };
            let connected = self.peers.get(subscription.transport).is_some_and(|peer| peer.connected);
            if connected && subscription.reports.never_reported() && sink.room() > 0 {
                let mut composer = Composer::new();
                add_sender_report(now, &mut composer, subscription, track, &cname);
                if !composer.is_empty() {
                    sink.send_rtcp(subscription.transport, composer.bytes());
                }
            }
        }
    }

    fn rank_speakers(&mut self, now: Time, sink: &mut impl PacketSink) {
        if !self.groups.is_empty() {
            self.timers.advance(Timer::Speakers, now + speakers::INTERVAL);
        }
        for group in &mut self.groups {
            let mut ranking = Ranking::new();
            for &member in &group.members {
                let Some(track) = self.tracks.get_mut(member) else { continue };
                sink.blame(track.transport);
                let level = track.loudness.speaking(now);
                if let Some(level) = level.filter(|_| !track.paused) {
                    speakers::rank(&mut ranking, member, level);
                }
            }
            if group.update(ranking) {
                Router::announce_group(&mut self.events, group);
            }
        }
        self.groups.retain(|group| !group.members.is_empty() || group.announces);
    }

    /// Notices encodings that have stopped, and asks again for key frames that did not come.
    fn check_layers(&mut self, now: Time, sink: &mut impl PacketSink) {
        if self.tracks.values().any(|track| track.kind == MediaKind::Video && track.active() != 0) {
            self.timers.advance(Timer::Layers, now + LAYERS_INTERVAL);
        }
        for slot in 0..self.tracks.slots() {
            let Some((id, track)) = self.tracks.at_mut(slot) else { continue };
            if track.kind == MediaKind::Audio {
                continue;
            }
            sink.blame(track.transport);
            let changed = track.notice_stopped(now);
            let active = track.active() != 0;
            if changed {
                self.layers_changed(now, id);
            } else if active {
                self.queue(id); // what was expected for a while may not have come
            }
        }
        for subscription in self.subscriptions.values_mut() {
            let Some(encoding) = subscription.waiting() else { continue };
            let Some(track) = self.tracks.get_mut(subscription.track) else { continue };
            sink.blame(track.transport);
            let stream = track.encodings.get_mut(usize::from(encoding)).and_then(|e| e.stream.as_mut());
            if let Some(stream) = stream
                && track.kind == MediaKind::Video
                && now.since(stream.last_packet) < SENDING
            {
                stream.requests.want();
                self.timers.advance(Timer::Keyframe, stream.requests.due().max(now));
            }
        }
    }
}

fn send_keyframe_request(track: &mut Track, place: usize, sender: Ssrc, sink: &mut impl PacketSink) -> bool {
    let newest_pt = {
        let Some(stream) = track.encodings[place].stream.as_ref() else { return false };
        stream.history.get(stream.newest).map(|stored| stored.pt)
    };
    let Some(media) = track.encodings[place].ssrc else { return false };
    let (pli, fir) = newest_pt.and_then(|pt| track.media(pt)).map_or((true, false), |f| (f.pli, f.fir));
    let mut composer = Composer::new();
    if !pli && fir {
        let Some(stream) = track.encodings[place].stream.as_mut() else { return false };
        stream.intra_requests = stream.intra_requests.wrapping_add(1);
        composer.full_intra_request(sender, media, stream.intra_requests);
    } else {
        composer.picture_loss(sender, media);
    }
    sink.send_rtcp(track.transport, composer.bytes())
}

fn report_block(now: Time, encoding: &mut Encoding) -> Option<ReportBlock> {
    let ssrc = encoding.ssrc?;
    let stream = encoding.stream.as_mut()?;
    let loss = stream.reception.report();
    let (last_sr, delay) = stream.clock.map_or((0, 0), |clock| {
        let held = (now.since(clock.at).as_micros() << 16) / 1_000_000;
        (clock.info.ntp.middle(), u32::try_from(held).unwrap_or(u32::MAX))
    });
    Some(ReportBlock {
        ssrc,
        fraction_lost: loss.fraction,
        lost: loss.total,
        highest: stream.newest.0 as u32,
        jitter: stream.reception.jitter(),
        last_sr,
        delay,
    })
}

fn flush_blocks(
    transport: TransportId,
    sender: Ssrc,
    cname: &str,
    blocks: &mut ArrayVec<ReportBlock, 31>,
    sink: &mut impl PacketSink,
) {
    let mut composer = Composer::new();
    composer.receiver_report(sender, blocks);
    composer.source_description(sender, cname);
    sink.send_rtcp(transport, composer.bytes());
    blocks.clear();
}

fn add_sender_report(
    now: Time,
    composer: &mut Composer,
    subscription: &mut crate::send::Subscription,
    track: &Track,
    cname: &str,
) {
    let (Some(encoding), Some(offset)) = (subscription.current(), subscription.timestamp_offset()) else {
        return;
    };
    let stream = track.encodings.get(usize::from(encoding)).and_then(|e| e.stream.as_ref());
    let Some(clock) = stream.and_then(|stream| stream.clock).filter(|_| subscription.reports.any_sent())
    else {
        return;
    };
    let info = subscription.reports.make(now, &clock, offset, track.clock_rate());
    composer.sender_report(subscription.ssrc, &info, &[]);
    composer.source_description(subscription.ssrc, cname);
}
