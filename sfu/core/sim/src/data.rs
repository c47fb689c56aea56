//! The browser's SCTP association and data channels (RFC 8831, RFC 8832).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::units::Time;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event, Payload,
    PayloadProtocolIdentifier as Ppid, ReliabilityType, StreamEvent,
};

/// SCTP inside DTLS has no addresses; the crate wants one all the same.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5_000);
const DCEP_ACK: u8 = 0x02;
const DCEP_OPEN: u8 = 0x03;

/// Something that happened on a data channel.
pub(crate) enum DataEvent {
    Opened(u16),
    Message { channel: u16, binary: bool, payload: Vec<u8> },
}

/// One association and its channels.
pub(crate) struct Data {
    epoch: Instant,
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    established: bool,
    /// Channels and messages that wait for the association.
    waiting: VecDeque<Waiting>,
    events: VecDeque<DataEvent>,
    /// Whether anybody opened a channel: a browser without one does not begin SCTP.
    wanted: bool,
    transport_ready: bool,
}

enum Waiting {
    Open { channel: u16, label: String, reliable: bool },
    Message { channel: u16, binary: bool, payload: Vec<u8> },
}

/// Where the type of the first chunk stands, behind the common header, and the type of INIT (RFC 9260, section 3).
const CHUNK_TYPE_AT: usize = 12;
const CHUNK_INIT: u8 = 1;

impl Data {
    pub(crate) fn new(epoch: Instant) -> Data {
        Data {
            epoch,
            endpoint: Endpoint::new(Arc::new(EndpointConfig::new()), None),
            association: None,
            established: false,
            waiting: VecDeque::new(),
            events: VecDeque::new(),
            wanted: false,
            transport_ready: false,
        }
    }

    /// DTLS is there.
    pub(crate) fn connect(&mut self, now: Time) {
        self.transport_ready = true;
        self.maybe_start(now);
    }

    pub(crate) fn open(&mut self, now: Time, channel: u16, label: &str, reliable: bool) {
        self.wanted = true;
        self.waiting.push_back(Waiting::Open { channel, label: label.to_owned(), reliable });
        self.maybe_start(now);
        self.settle();
    }

    pub(crate) fn send(&mut self, _now: Time, channel: u16, binary: bool, payload: &[u8]) {
        self.waiting.push_back(Waiting::Message { channel, binary, payload: payload.to_vec() });
        self.settle();
    }

    pub(crate) fn handle_datagram(&mut self, now: Time, packet: &[u8]) {
        // It opens its association itself. Servers that open one too (pion) take ours when theirs is not answered.
        if packet.get(CHUNK_TYPE_AT) == Some(&CHUNK_INIT) {
            return;
        }
        let now = self.instant(now);
        let handled = self.endpoint.handle(now, NOWHERE, None, None, Bytes::copy_from_slice(packet));
        let Some((_, DatagramEvent::AssociationEvent(event))) = handled else { return };
        if let Some((_, association)) = &mut self.association {
            association.handle_event(event);
        }
        self.settle();
    }

    pub(crate) fn poll_timeout(&self) -> Time {
        let at = self.association.as_ref().and_then(|(_, association)| association.poll_timeout());
        at.map_or(Time::NEVER, |at| {
            let after = at.saturating_duration_since(self.epoch).as_nanos().div_ceil(1_000);
            Time(u64::try_from(after).unwrap_or(u64::MAX))
        })
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        let now = self.instant(now);
        if let Some((_, association)) = &mut self.association
            && association.poll_timeout().is_some_and(|at| at <= now)
        {
            association.handle_timeout(now);
        }
        self.settle();
    }

    pub(crate) fn poll_transmit(&mut self, now: Time) -> Option<Vec<u8>> {
        let now = self.instant(now);
        let (_, association) = self.association.as_mut()?;
        match association.poll_transmit(now)?.payload {
            Payload::RawEncode(parts) => Some(parts.concat()),
            Payload::PartialDecode(_) => None,
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<DataEvent> {
        self.events.pop_front()
    }

    fn maybe_start(&mut self, _now: Time) {
        if self.wanted && self.transport_ready && self.association.is_none() {
            self.association = self.endpoint.connect(ClientConfig::new(), NOWHERE).ok();
        }
    }

    /// Takes what the association has, and gives it what waits.
    fn settle(&mut self) {
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(event) = association.poll_endpoint_event() {
            let _ = self.endpoint.handle_event(*handle, event);
        }
        let mut readable = Vec::new();
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.established = true,
                Event::Stream(StreamEvent::Readable { id } | StreamEvent::Opened { id }) => readable.push(id),
                _ => {}
            }
        }
        for id in readable {
            let Ok(mut stream) = association.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read_sctp() {
                let mut payload = vec![0; chunks.len()];
                let _ = chunks.read(&mut payload);
                match chunks.ppi {
                    Ppid::Dcep if payload.first() == Some(&DCEP_ACK) => {
                        self.events.push_back(DataEvent::Opened(id));
                    }
                    Ppid::Dcep => {}
                    ppid => {
                        if matches!(ppid, Ppid::StringEmpty | Ppid::BinaryEmpty) {
                            payload.clear();
                        }
                        let binary = matches!(ppid, Ppid::Binary | Ppid::BinaryEmpty);
                        self.events.push_back(DataEvent::Message { channel: id, binary, payload });
                    }
                }
            }
        }
        if self.established {
            while let Some(waiting) = self.waiting.pop_front() {
                carry_out(association, waiting);
            }
        }
    }

    fn instant(&self, now: Time) -> Instant {
        self.epoch + Duration::from_micros(now.micros())
    }
}

fn carry_out(association: &mut Association, waiting: Waiting) {
    match waiting {
        Waiting::Open { channel, label, reliable } => {
            let Ok(mut stream) = association.open_stream(channel, Ppid::Binary) else { return };
            let _ = stream.write_with_ppi(&open_message(&label, reliable), Ppid::Dcep);
            if !reliable {
                let _ = stream.set_reliability_params(true, ReliabilityType::Rexmit, 0);
            }
        }
        Waiting::Message { channel, binary, payload } => {
            let Ok(mut stream) = association.stream(channel) else { return };
            let _ = match (binary, payload.is_empty()) {
                (true, false) => stream.write_with_ppi(&payload, Ppid::Binary),
                (true, true) => stream.write_with_ppi(&[0], Ppid::BinaryEmpty),
                (false, false) => stream.write_with_ppi(&payload, Ppid::String),
                (false, true) => stream.write_with_ppi(&[0], Ppid::StringEmpty),
            };
        }
    }
}

/// DATA_CHANNEL_OPEN (RFC 8832, section 5.1).
fn open_message(label: &str, reliable: bool) -> Vec<u8> {
    let kind: u8 = if reliable { 0x00 } else { 0x81 };
    let mut message = vec![DCEP_OPEN, kind, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&(label.len() as u16).to_be_bytes());
    message.extend_from_slice(&[0, 0]);
    message.extend_from_slice(label.as_bytes());
    message
}
