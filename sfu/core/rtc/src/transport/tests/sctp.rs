//! The peer's SCTP association: it begins, as browsers do.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event, Payload,
    PayloadProtocolIdentifier as Ppid, ReliabilityType, StreamEvent, TransportConfig,
};

use crate::transport::data::dcep::{self, Reliability};
use crate::transport::dtls::{instant, time};
use crate::units::Time;

pub(super) struct Sctp {
    epoch: Instant,
    endpoint: Endpoint,
    handle: AssociationHandle,
    pub(super) association: Association,
    pub(super) connected: bool,
    pub(super) lost: bool,
    /// Messages that came, by stream.
    pub(super) messages: Vec<(u16, Ppid, Vec<u8>)>,
    /// Streams that were reset.
    pub(super) finished: Vec<u16>,
    /// Reads nothing, as a page that hangs.
    pub(super) deaf: bool,
}

impl Sctp {
    pub(super) fn new(epoch: Instant) -> Sctp {
        let mut config = ClientConfig::new();
        let big = 64 * 1_024 * 1_024;
        config.transport = Arc::new(
            TransportConfig::default()
                .with_max_send_message_size(big)
                .with_max_receive_message_size(big)
                .with_rto_initial_ms(500)
                .with_rto_min_ms(220),
        );
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::new()), None);
        let (handle, association) = endpoint.connect(config, "127.0.0.1:5000".parse().unwrap()).unwrap();
        let (connected, lost) = (false, false);
        let (messages, finished) = (Vec::new(), Vec::new());
        Sctp { epoch, endpoint, handle, association, connected, lost, messages, finished, deaf: false }
    }

    pub(super) fn timeout(&self) -> Time {
        self.association.poll_timeout().map_or(Time::NEVER, |at| time(self.epoch, at))
    }

    pub(super) fn receive(&mut self, now: Time, packet: &[u8]) {
        let remote = "127.0.0.1:5000".parse().unwrap();
        let packet = Bytes::copy_from_slice(packet);
        match self.endpoint.handle(instant(self.epoch, now), remote, None, None, packet) {
            Some((handle, DatagramEvent::AssociationEvent(event))) => {
                assert_eq!(handle, self.handle);
                self.association.handle_event(event);
            }
            _ => panic!("the server sends only what belongs to the association"),
        }
        self.events();
    }

    pub(super) fn flush(&mut self, now: Time) -> Vec<Bytes> {
        let now = instant(self.epoch, now);
        self.association.handle_timeout(now);
        self.events();
        let mut packets = Vec::new();
        while let Some(transmit) = self.association.poll_transmit(now) {
            if let Payload::RawEncode(more) = transmit.payload {
                packets.extend(more);
            }
        }
        packets
    }

    fn events(&mut self) {
        while let Some(event) = self.association.poll() {
            match event {
                Event::Connected => self.connected = true,
                Event::AssociationLost { .. } | Event::HandshakeFailed { .. } => self.lost = true,
                Event::Stream(StreamEvent::Finished { id }) => self.finished.push(id),
                _ => {}
            }
        }
        for id in self.association.stream_ids() {
            while !self.deaf
                && let Ok(mut stream) = self.association.stream(id)
                && let Ok(Some(chunks)) = stream.read_sctp()
            {
                let mut message = vec![0; chunks.len()];
                chunks.read(&mut message).unwrap();
                self.messages.push((id, chunks.ppi, message));
            }
        }
    }

    pub(super) fn open(&mut self, id: u16, ordered: bool, reliability: Reliability, label: &str) {
        let mut stream = self.association.open_stream(id, Ppid::Binary).unwrap();
        stream.set_reliability_params(false, ReliabilityType::Reliable, 0).unwrap();
        stream.write_with_ppi(&dcep::open(ordered, reliability, label), Ppid::Dcep).unwrap();
    }

    pub(super) fn send(&mut self, id: u16, ppid: Ppid, message: &[u8]) {
        self.association.stream(id).unwrap().write_with_ppi(message, ppid).unwrap();
    }
}
