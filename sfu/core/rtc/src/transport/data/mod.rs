//! Data channels: SCTP (RFC 8831, RFC 9260) on top of `sctp-proto`, and DCEP (RFC 8832).
//!
//! The peer opens the association and the channels. Messages stay in SCTP until the worker asks for them, so a
//! worker that is busy holds the peer back. Whatever a peer does wrong here ends its association at most: media
//! goes on.

mod config;
pub mod dcep;
mod guard;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, DatagramEvent, Endpoint, EndpointEvent, Event, Payload,
    PayloadProtocolIdentifier as Ppid, ReliabilityType, StreamEvent,
};

pub(super) use self::config::DataConfig;
use self::config::RECEIVE_BUFFER;
use self::dcep::Reliability;
#[cfg(test)]
pub(super) use self::guard::crc32c;
use self::guard::{Guard, Refusal};
use super::TransportEvent;
use super::dtls::{instant, time};
use crate::counters::Counters;
use crate::drop_reason::DropReason;
use crate::units::Time;

/// Largest message that is accepted or sent, in bytes.
pub const MAX_MESSAGE: usize = 256 * 1_024;
/// Most channels of one peer.
pub const MAX_CHANNELS: usize = 32;
/// Most bytes that wait for a peer; what comes on top is dropped.
pub const MAX_SEND_BUFFER: usize = 1_024 * 1_024;

/// Larger packets of SCTP are not sent: acknowledgements of thousands of holes, which only an attacker makes, and
/// which no datagram could carry.
const MAX_PACKET: usize = 1_400;
/// Most messages, and bytes of them, that wait for their channel to be opened.
const MAX_EARLY: usize = 64;
const MAX_EARLY_BYTES: usize = MAX_MESSAGE;
/// Where SCTP believes its peer to be; DTLS knows better.
const BELOW: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5_000);

/// The association of one peer and its channels.
pub(super) struct Data {
    config: DataConfig,
    epoch: Instant,
    counters: Counters,
    /// Largest message the peer takes.
    max_send: usize,
    state: State,
    channels: Vec<Channel>,
    /// The channel that is read next, so that a busy one does not starve the others.
    turn: usize,
    early: VecDeque<Early>,
    /// Packets that the outbox had no room for.
    unsent: VecDeque<Bytes>,
    /// SCTP was touched outside of a packet or timer and may have something to send.
    touched: Option<Time>,
}

enum State {
    /// The description has no data section.
    Refused,
    /// The peer has not begun.
    Waiting,
    Open(Box<Open>),
    /// Ended; media goes on. There is no second association on a transport.
    Over,
}

struct Open {
    endpoint: Endpoint,
    handle: AssociationHandle,
    association: Association,
    guard: Guard,
    established: bool,
}

struct Channel {
    id: u16,
    open: bool,
    /// There may be a message to read.
    readable: bool,
}

/// A message for a channel that is not open yet.
struct Early {
    channel: u16,
    binary: bool,
    payload: Box<[u8]>,
}

impl Data {
    pub(super) fn new(epoch: Instant, config: DataConfig, counters: Counters) -> Data {
        Data {
            config,
            epoch,
            counters,
            max_send: MAX_MESSAGE,
            state: State::Refused,
            channels: Vec::new(),
            turn: 0,
            early: VecDeque::new(),
            unsent: VecDeque::new(),
            touched: None,
        }
    }

    /// Takes what the peer's description says of data. `max_message_size` 0 is no limit (RFC 8841, section 6.1).
    pub(super) fn set_remote(&mut self, offered: bool, max_message_size: u32) {
        self.max_send = match usize::try_from(max_message_size) {
            Ok(size) if size > 0 => size.min(MAX_MESSAGE),
            _ => MAX_MESSAGE,
        };
        if offered && matches!(self.state, State::Refused) {
            self.state = State::Waiting;
        }
    }

    /// Number of channels that the peer opened.
    pub(super) fn open_channels(&self) -> usize {
        self.channels.iter().filter(|channel| channel.open).count()
    }

    /// Takes an SCTP packet.
    pub(super) fn handle_packet(&mut self, now: Time, packet: &[u8]) -> Result<(), DropReason> {
        if matches!(self.state, State::Waiting) {
            self.accept(now, packet)?;
        } else if let State::Open(open) = &mut self.state {
            open.guard.admit(now, packet, open.established).map_err(DropReason::from)?;
            let data = Bytes::copy_from_slice(packet);
            match open.endpoint.handle(instant(self.epoch, now), BELOW, None, None, data) {
                Some((_, DatagramEvent::AssociationEvent(event))) => open.association.handle_event(event),
                Some((second, DatagramEvent::NewAssociation(_))) => {
                    open.endpoint.handle_event(second, EndpointEvent::drained());
                    return Err(DropReason::SctpMalformed);
                }
                None => return Err(DropReason::SctpMalformed),
            }
        } else {
            return Err(DropReason::SctpMalformed);
        }
        self.take_events(guard::aborts(packet));
        Ok(())
    }

    /// The next packet to send.
    pub(super) fn poll_packet(&mut self, now: Time) -> Option<Bytes> {
        self.touched = None;
        if self.unsent.is_empty()
            && let State::Open(open) = &mut self.state
            && let Some(transmit) = open.association.poll_transmit(instant(self.epoch, now))
            && let Payload::RawEncode(packets) = transmit.payload
        {
            for packet in packets {
                open.guard.sending(&packet, RECEIVE_BUFFER);
                if packet.len() <= MAX_PACKET {
                    self.unsent.push_back(packet);
                } else {
                    self.counters.dropped(DropReason::SctpMalformed);
                }
            }
        }
        self.unsent.pop_front()
    }

    /// When [`Data::handle_timeout`] or [`Data::poll_packet`] should be called.
    pub(super) fn timeout(&self) -> Option<Time> {
        if !self.unsent.is_empty() {
            return Some(Time(0));
        }
        let State::Open(open) = &self.state else { return None };
        let timer = open.association.poll_timeout().map(|at| time(self.epoch, at));
        [timer, self.touched].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        if let State::Open(open) = &mut self.state {
            open.association.handle_timeout(instant(self.epoch, now));
            self.take_events(false);
        }
    }

    /// Sends a message, at once or when its channel is open.
    pub(super) fn send(
        &mut self,
        now: Time,
        channel: u16,
        binary: bool,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        if payload.len() > self.max_send || matches!(self.state, State::Over | State::Refused) {
            return Err(DropReason::DataOverflow);
        }
        if self.channels.iter().any(|known| known.id == channel && known.open) {
            return self.write(now, channel, binary, payload);
        }
        let waiting: usize = self.early.iter().map(|early| early.payload.len()).sum();
        if self.early.len() >= MAX_EARLY || waiting + payload.len() > MAX_EARLY_BYTES {
            return Err(DropReason::DataOverflow);
        }
        self.early.push_back(Early { channel, binary, payload: payload.into() });
        Ok(())
    }

    /// The next opened channel or message. Taking it opens the window for the peer to send more.
    pub(super) fn poll_event(&mut self, now: Time) -> Option<TransportEvent> {
        for _ in 0..self.channels.len() {
            self.turn = (self.turn + 1) % self.channels.len().max(1);
            while self.channels.get(self.turn).is_some_and(|channel| channel.readable) {
                let at = self.turn;
                let Some((ppid, message)) = self.read(at) else {
                    if let Some(channel) = self.channels.get_mut(at) {
                        channel.readable = false;
                    }
                    self.take_events(false);
                    break;
                };
                self.touched = Some(now);
                if let Some(event) = self.interpret(now, at, ppid, message) {
                    return Some(event);
                }
            }
        }
        None
    }

    /// Begins an association if the packet asks for one.
    fn accept(&mut self, now: Time, packet: &[u8]) -> Result<(), DropReason> {
        let mut guard = Guard::new(now);
        guard.admit(now, packet, false).map_err(DropReason::from)?;
        let mut endpoint = Endpoint::new(self.config.endpoint.clone(), Some(self.config.server.clone()));
        let data = Bytes::copy_from_slice(packet);
        match endpoint.handle(instant(self.epoch, now), BELOW, None, None, data) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                let established = false;
                self.state =
                    State::Open(Box::new(Open { endpoint, handle, association, guard, established }));
                Ok(())
            }
            _ => Err(DropReason::SctpMalformed),
        }
    }

    fn take_events(&mut self, aborted: bool) {
        let State::Open(open) = &mut self.state else { return };
        let mut over = false;
        while let Some(event) = open.association.poll() {
            match event {
                Event::Connected => open.established = true,
                Event::HandshakeFailed { .. } | Event::AssociationLost { .. } => over = true,
                Event::Stream(StreamEvent::Opened { id }) => {
                    // The queue of `accept_stream` only tells the same again.
                    let _ = open.association.accept_stream();
                    self.channels.push(Channel { id, open: false, readable: true });
                }
                Event::Stream(StreamEvent::Readable { id }) => {
                    let known = self.channels.iter_mut().find(|channel| channel.id == id);
                    known.into_iter().for_each(|channel| channel.readable = true);
                }
                Event::Stream(StreamEvent::Finished { id }) => {
                    self.channels.retain(|channel| channel.id != id)
                }
                _ => {}
            }
        }
        while open.association.poll_endpoint_event().is_some_and(|event| event.is_drained()) {
            over = true;
        }
        if over || self.channels.len() > MAX_CHANNELS {
            self.end(aborted);
        }
    }

    /// Ends the association and says so to the peer, unless it was the peer who ended it.
    fn end(&mut self, aborted: bool) {
        if let State::Open(open) = &mut self.state {
            open.endpoint.handle_event(open.handle, EndpointEvent::drained());
            self.unsent.clear();
            if !aborted {
                self.counters.dropped(DropReason::SctpMalformed);
                self.unsent.extend(open.guard.abort().map(|packet| Bytes::copy_from_slice(&packet)));
            }
        }
        self.state = State::Over;
        self.channels.clear();
        self.early.clear();
    }

    /// Reads a message from the channel at `at`.
    fn read(&mut self, at: usize) -> Option<(Ppid, Box<[u8]>)> {
        let State::Open(open) = &mut self.state else { return None };
        let chunks = open.association.stream(self.channels.get(at)?.id).ok()?.read_sctp().ok()??;
        open.guard.released(chunks.chunks.len());
        let mut message = vec![0; chunks.len()];
        let len = chunks.read(&mut message).ok()?;
        message.truncate(len);
        Some((chunks.ppi, message.into_boxed_slice()))
    }

    /// Does what a message asks for, or hands it on.
    fn interpret(&mut self, now: Time, at: usize, ppid: Ppid, message: Box<[u8]>) -> Option<TransportEvent> {
        let channel = self.channels.get(at)?;
        let (id, open) = (channel.id, channel.open);
        let data = |binary, payload| Some(TransportEvent::Data { channel: id, binary, payload });
        match ppid {
            Ppid::Dcep => return self.control(now, at, &message),
            Ppid::String if open => return data(false, message),
            Ppid::Binary if open => return data(true, message),
            Ppid::StringEmpty if open => return data(false, Box::default()),
            Ppid::BinaryEmpty if open => return data(true, Box::default()),
            // Of a kind that RFC 8831 does not have, or before the channel was opened.
            _ => self.counters.dropped(DropReason::SctpMalformed),
        }
        None
    }

    /// Takes a DCEP message.
    fn control(&mut self, now: Time, at: usize, message: &[u8]) -> Option<TransportEvent> {
        let State::Open(open) = &mut self.state else { return None };
        let channel = self.channels.get_mut(at)?;
        let mut stream = open.association.stream(channel.id).ok()?;
        match dcep::Message::parse(message) {
            Some(dcep::Message::Open { ordered, reliability, label }) if !channel.open => {
                // The answer is always reliable and in order (RFC 8832, section 6).
                let _ = stream.set_reliability_params(false, ReliabilityType::Reliable, 0);
                let _ = stream.write_with_ppi(&dcep::ACK, Ppid::Dcep);
                let (kind, value) = match reliability {
                    Reliability::Reliable => (ReliabilityType::Reliable, 0),
                    Reliability::Retransmits(count) => (ReliabilityType::Rexmit, count),
                    Reliability::Lifetime(ms) => (ReliabilityType::Timed, ms),
                };
                let _ = stream.set_reliability_params(!ordered, kind, value);
                channel.open = true;
                let event = TransportEvent::ChannelOpened { channel: channel.id, label: label.into() };
                let id = channel.id;
                self.send_early(now, id);
                return Some(event);
            }
            Some(dcep::Message::Ack) => {}
            Some(dcep::Message::Open { .. }) => self.counters.dropped(DropReason::SctpMalformed),
            None => {
                self.counters.dropped(DropReason::SctpMalformed);
                if !channel.open {
                    let _ = stream.close();
                }
            }
        }
        None
    }

    /// Sends what waited for `channel`.
    fn send_early(&mut self, now: Time, channel: u16) {
        let (ready, waiting) =
            std::mem::take(&mut self.early).into_iter().partition(|early| early.channel == channel);
        self.early = waiting;
        let ready: VecDeque<Early> = ready;
        for early in ready {
            if let Err(reason) = self.write(now, channel, early.binary, &early.payload) {
                self.counters.dropped(reason);
            }
        }
    }

    /// Gives a message to SCTP.
    fn write(&mut self, now: Time, channel: u16, binary: bool, payload: &[u8]) -> Result<(), DropReason> {
        let State::Open(open) = &mut self.state else { return Err(DropReason::DataOverflow) };
        let mut buffered = 0;
        for channel in &self.channels {
            let stream = open.association.stream(channel.id);
            buffered += stream.and_then(|stream| stream.buffered_amount()).unwrap_or(0);
        }
        if buffered + payload.len() > MAX_SEND_BUFFER {
            return Err(DropReason::DataOverflow);
        }
        // SCTP cannot carry nothing, so nothing is one byte with a mark (RFC 8831, section 6.6).
        let (ppid, payload): (_, &[u8]) = match (binary, payload) {
            (true, []) => (Ppid::BinaryEmpty, &[0]),
            (false, []) => (Ppid::StringEmpty, &[0]),
            (true, payload) => (Ppid::Binary, payload),
            (false, payload) => (Ppid::String, payload),
        };
        let mut stream = open.association.stream(channel).map_err(|_| DropReason::DataOverflow)?;
        stream.write_with_ppi(payload, ppid).map_err(|_| DropReason::DataOverflow)?;
        self.touched = Some(now);
        Ok(())
    }
}

impl From<Refusal> for DropReason {
    fn from(refusal: Refusal) -> DropReason {
        match refusal {
            Refusal::Malformed => DropReason::SctpMalformed,
            Refusal::TooMuch => DropReason::DataOverflow,
        }
    }
}
