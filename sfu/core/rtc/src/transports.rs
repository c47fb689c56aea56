//! The transports of a worker: a flat table by slot, their wake-ups, and the way packets leave through them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::counters::Counters;
use crate::drop_reason::DropReason;
use crate::event::Event;
use crate::id::TransportId;
use crate::outbox::{Outbox, TrafficClass};
use crate::path::PathKind;
use crate::send::{Outgoing, PacketSink};
use crate::timer::Timer;
use crate::transport::{Transport, TransportEvent};
use crate::units::Time;

/// Every transport of one worker.
pub(crate) struct Transports {
    entries: Vec<Option<Entry>>,
    max: usize,
    len: usize,
    /// Wake-ups by time. An entry whose time is no longer its transport's `due` is stale and skipped.
    due: BinaryHeap<Reverse<(Time, TransportId)>>,
    /// Transports whose events found no room.
    with_events: VecDeque<TransportId>,
}

struct Entry {
    id: TransportId,
    transport: Transport,
    due: Time,
    with_events: bool,
}

impl Transports {
    /// An empty table for at most `max` transports.
    pub(crate) fn new(max: usize) -> Transports {
        Transports { entries: Vec::new(), max, len: 0, due: BinaryHeap::new(), with_events: VecDeque::new() }
    }

    /// Number of transports.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts a transport into its slot.
    pub(crate) fn insert(&mut self, id: TransportId, transport: Transport) -> Result<(), DropReason> {
        let slot = id.slot();
        if slot >= self.max {
            return Err(DropReason::TableFull);
        }
        if slot >= self.entries.len() {
            self.entries.resize_with(slot + 1, || None);
        }
        if self.entries[slot].is_some() {
            return Err(DropReason::TableFull);
        }
        self.entries[slot] = Some(Entry { id, transport, due: Time::NEVER, with_events: false });
        self.len += 1;
        Ok(())
    }

    /// Takes a transport out of the table.
    pub(crate) fn remove(&mut self, id: TransportId) -> Option<Transport> {
        let entry = self.entries.get_mut(id.slot())?;
        if entry.as_ref().is_none_or(|entry| entry.id != id) {
            return None;
        }
        self.len -= 1;
        entry.take().map(|entry| entry.transport)
    }

    /// The transport with this id, if it is still there.
    pub(crate) fn get_mut(&mut self, id: TransportId) -> Option<&mut Transport> {
        self.entry(id).map(|entry| &mut entry.transport)
    }

    /// The earliest wake-up.
    pub(crate) fn poll_timeout(&self) -> Option<(Time, Timer)> {
        // A stale entry may wake the worker early; it never lets it sleep too long.
        let Reverse((at, id)) = self.due.peek()?;
        let why = self.entries.get(id.slot()).and_then(|entry| entry.as_ref()?.transport.poll_timeout());
        Some((*at, why.map_or(Timer::Consent, |(_, timer)| timer)))
    }

    /// Takes the next transport whose time has come.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<TransportId> {
        while let Some(&Reverse((at, id))) = self.due.peek() {
            if at > now {
                return None;
            }
            self.due.pop();
            if let Some(entry) = self.entry(id)
                && entry.due == at
            {
                entry.due = Time::NEVER;
                return Some(id);
            }
        }
        None
    }

    /// Makes sure that the worker wakes up in time for a transport that was just used.
    pub(crate) fn reschedule(&mut self, id: TransportId) {
        let Some(entry) = self.entry(id) else { return };
        let Some((at, _)) = entry.transport.poll_timeout() else { return };
        // A later time is noticed when the earlier one fires: so a busy transport costs no heap work per packet.
        if at < entry.due {
            entry.due = at;
            self.due.push(Reverse((at, id)));
        }
    }

    /// Remembers that a transport has events for which there was no room.
    pub(crate) fn mark_with_events(&mut self, id: TransportId) {
        if let Some(entry) = self.entry(id)
            && !std::mem::replace(&mut entry.with_events, true)
        {
            self.with_events.push_back(id);
        }
    }

    /// The transport that waits longest for room for its events.
    pub(crate) fn pop_with_events(&mut self) -> Option<TransportId> {
        while let Some(id) = self.with_events.pop_front() {
            if let Some(entry) = self.entry(id) {
                entry.with_events = false;
                return Some(id);
            }
        }
        None
    }

    /// The next event of a transport, in the words of the border.
    pub(crate) fn poll_event(&mut self, now: Time, id: TransportId) -> Option<Event> {
        let transport = id;
        Some(match self.get_mut(id)?.poll_event(now)? {
            TransportEvent::Connected { path, profile } => Event::TransportConnected {
                transport,
                path: PathKind::Udp,
                ipv6: path.is_ipv6(),
                srtp_profile: profile,
            },
            TransportEvent::PathChanged { path } => {
                Event::PathChanged { transport, path: PathKind::Udp, ipv6: path.is_ipv6() }
            }
            TransportEvent::Silent => Event::TransportSilent { transport },
            TransportEvent::Resumed => Event::TransportResumed { transport },
            TransportEvent::Failed(reason) => Event::TransportFailed { transport, reason },
            TransportEvent::ChannelOpened { channel, label } => {
                Event::DataChannelOpened { transport, channel, label }
            }
            TransportEvent::Data { channel, binary, payload } => {
                Event::DataReceived { transport, channel, binary, payload }
            }
        })
    }

    fn entry(&mut self, id: TransportId) -> Option<&mut Entry> {
        self.entries.get_mut(id.slot())?.as_mut().filter(|entry| entry.id == id)
    }
}

/// Where the router's packets go: encrypted in place, in the outbox.
pub(crate) struct Sink<'a> {
    transports: &'a mut Transports,
    out: &'a mut Outbox,
    counters: &'a Counters,
    culprit: &'a mut Option<TransportId>,
}

impl<'a> Sink<'a> {
    /// A sink for the length of one call into the router.
    pub(crate) fn new(
        transports: &'a mut Transports,
        out: &'a mut Outbox,
        counters: &'a Counters,
        culprit: &'a mut Option<TransportId>,
    ) -> Sink<'a> {
        Sink { transports, out, counters, culprit }
    }

    /// Lets `write` fill and encrypt a datagram for `to`; false when it has no path or there is no room.
    fn push(
        &mut self,
        to: TransportId,
        class: TrafficClass,
        arrival: Option<Time>,
        write: impl FnOnce(&mut Transport, &mut [u8]) -> Option<usize>,
    ) -> bool {
        let Some(transport) = self.transports.get_mut(to) else { return false };
        let Some(path) = transport.path().filter(|_| transport.is_connected()) else { return false };
        if self.out.room() == 0 {
            self.counters.dropped(DropReason::OutboxFull);
            return false;
        }
        // The keys and counters at work in here are the receiver's.
        let sender = self.culprit.replace(to);
        let sent = self.out.push_arrived(path, class, arrival, |slot| write(transport, slot)).is_some();
        *self.culprit = sender;
        if !sent {
            self.counters.dropped(DropReason::TooLong);
        }
        sent
    }
}

impl PacketSink for Sink<'_> {
    fn room(&self) -> usize {
        self.out.room()
    }

    fn blame(&mut self, transport: TransportId) {
        *self.culprit = Some(transport);
    }

    fn send_rtp(&mut self, to: TransportId, packet: &Outgoing<'_>) -> bool {
        self.push(to, packet.class, packet.arrival, |transport, slot| {
            let mut len = 0;
            for part in [packet.header, packet.prefix, packet.payload, packet.filler] {
                slot.get_mut(len..len + part.len())?.copy_from_slice(part);
                len += part.len();
            }
            transport.protect_rtp(packet.index, packet.header.len(), slot, len)
        })
    }

    fn send_rtcp(&mut self, to: TransportId, compound: &[u8]) -> bool {
        self.push(to, TrafficClass::Video, None, |transport, slot| {
            slot.get_mut(..compound.len())?.copy_from_slice(compound);
            transport.protect_rtcp(slot, compound.len())
        })
    }
}
