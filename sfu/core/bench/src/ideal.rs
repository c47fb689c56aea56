//! L3: the least that a fan-out can cost: for each destination and packet a header of 20 bytes is copied and patched,
//! the shared payload encrypted into the send slot, and each destination's packets leave as one message.

use std::io;
use std::net::SocketAddr;

use net::clock::Clock;
use net::socket::UdpSocket;
use net::transmit::Transmitter;
use rtc::counters::Counters;
use rtc::event::SrtpProfile;
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;
use rtc::transport::srtp::Sender;
use rtc::units::SeqNo;

use crate::crypto::sender;
use crate::sinks::Sinks;
use crate::{PAYLOAD, Plan, Row, row};

const HEADER: [u8; 20] = [0x90, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xbe, 0xde, 0, 1, 0x31, 0, 0, 0];

/// The ideal fan-out, ready to flush.
pub(crate) struct FanOut {
    _sinks: Sinks,
    destinations: Vec<(SocketAddr, Sender)>,
    per_flush: usize,
    payload: Vec<u8>,
    next: SeqNo,
    sockets: [UdpSocket; 1],
    outbox: Outbox,
    transmitter: Transmitter,
    counters: Counters,
    clock: Clock,
    send: bool,
}

impl FanOut {
    pub(crate) fn new(destinations: usize, per_flush: usize) -> io::Result<FanOut> {
        let sinks = Sinks::new(destinations)?;
        let addresses = sinks.addresses()?;
        let sockets = [UdpSocket::bind_first("127.0.0.1:0".parse().expect("an address"), false)?];
        Ok(FanOut {
            _sinks: sinks,
            // The worker's own handshakes end with this cipher.
            destinations: addresses.into_iter().map(|to| (to, sender(SrtpProfile::AeadAes256Gcm))).collect(),
            per_flush,
            payload: vec![0x5a; PAYLOAD],
            next: SeqNo(1),
            outbox: Outbox::new(destinations * per_flush),
            transmitter: Transmitter::new(&sockets),
            sockets,
            counters: Counters::new(1),
            clock: Clock::start(),
            send: true,
        })
    }

    /// Fans out one batch; returns how many packets left.
    pub(crate) fn flush(&mut self) -> usize {
        for (remote, sender) in &self.destinations {
            for number in 0..self.per_flush {
                let index = SeqNo(self.next.0 + number as u64);
                self.outbox.push_with(Path { socket: 0, remote: *remote }, TrafficClass::Video, |slot| {
                    let len = HEADER.len() + self.payload.len();
                    slot[..HEADER.len()].copy_from_slice(&HEADER);
                    slot[2..4].copy_from_slice(&index.wire().to_be_bytes());
                    slot[HEADER.len()..len].copy_from_slice(&self.payload);
                    sender.protect_rtp(index, HEADER.len(), slot, len)
                });
            }
        }
        self.next = SeqNo(self.next.0 + self.per_flush as u64);
        let packets = self.outbox.len();
        if self.send {
            self.transmitter.send(&self.sockets, &mut self.outbox, &self.counters, &self.clock);
        } else {
            self.outbox.clear();
        }
        packets
    }
}

pub(crate) fn rows(plan: &Plan) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &per_flush in &plan.per_flush {
        let mut fan_out = FanOut::new(plan.destinations, per_flush)?;
        rows.push(row(plan, "L3", "ideal fan-out", per_flush, || fan_out.flush()));
    }
    let mut fan_out = FanOut::new(plan.destinations, 8)?;
    fan_out.send = false;
    rows.push(row(plan, "L3", "the same without sending", 8, || fan_out.flush()));
    Ok(rows)
}
