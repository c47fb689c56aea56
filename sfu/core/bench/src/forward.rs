//! L4: a real worker with transports that have shaken hands, and the real sender.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use net::clock::Clock;
use net::socket::UdpSocket;
use net::transmit::Transmitter;
use rtc::counters::Counters;
use rtc::outbox::Outbox;
use sim::call::{Call, VIDEO_PT};
use sim::network::Link;

use crate::PAYLOAD;
use crate::meter::{Meter, Sample};
use crate::sinks::Sinks;

/// Flushes whose packets are encrypted beforehand, at one time; then the next are, which is not counted.
const RECORDED: usize = 64;
/// As from a camera with 30 pictures a second, each of which is a flush.
const INTERVAL: Duration = Duration::from_millis(33);

/// A worker under load.
pub(crate) struct Forwarding {
    _sinks: Sinks,
    call: Call,
    per_flush: usize,
    recorded: Vec<Vec<Vec<u8>>>,
    sockets: [UdpSocket; 1],
    outbox: Outbox,
    transmitter: Transmitter,
    counters: Counters,
    clock: Clock,
}

impl Forwarding {
    pub(crate) fn new(destinations: usize, per_flush: usize) -> io::Result<Forwarding> {
        let sinks = Sinks::new(destinations)?;
        let publisher: SocketAddr = ([198, 51, 100, 1], 40_000).into();
        let addresses: Vec<_> = std::iter::once(publisher).chain(sinks.addresses()?).collect();
        let call = Call::at(Link::CLEAN, 7, 1, &addresses);
        let sockets = [UdpSocket::bind_first("127.0.0.1:0".parse().expect("an address"), false)?];
        Ok(Forwarding {
            _sinks: sinks,
            call,
            per_flush,
            recorded: Vec::new(),
            outbox: Outbox::new(net::OUTBOX),
            transmitter: Transmitter::new(&sockets),
            sockets,
            counters: Counters::new(1),
            clock: Clock::start(),
        })
    }

    /// Runs the worker for as long as `meter` says.
    pub(crate) fn sample(&mut self, meter: &Meter) -> Sample {
        let this = RefCell::new(self);
        meter.run_prepared(|| this.borrow_mut().record(), || this.borrow_mut().flush())
    }

    /// Takes in a batch of datagrams and forwards it; returns how many packets left, 0 when there is no batch.
    fn flush(&mut self) -> usize {
        let Some(mut batch) = self.recorded.pop() else { return 0 };
        self.call.world.skip(INTERVAL);
        for datagram in &mut batch {
            self.call.world.hand_over_into(0, datagram, &mut self.outbox);
        }
        let mut packets = 0;
        loop {
            let more = self.call.world.flush_into(&mut self.outbox);
            packets += self.outbox.len();
            self.transmitter.send(&self.sockets, &mut self.outbox, &self.counters, &self.clock);
            if !more {
                return packets;
            }
        }
    }

    /// Makes sure that there is something to take in.
    fn record(&mut self) {
        if self.recorded.is_empty() {
            // The browsers get the time to show that they are still there.
            self.call.world.run_for(Duration::from_millis(100));
            self.recorded = self.call.record_video(VIDEO_PT, RECORDED, self.per_flush, PAYLOAD);
            self.recorded.reverse();
        }
    }
}
