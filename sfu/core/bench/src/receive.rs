//! L2: taking datagrams from the kernel. What sends them is not counted.

use std::io;

use net::clock::{Clock, thread_time};
use net::receive::ReceiveBatch;
use net::socket::UdpSocket;
use net::transmit::Transmitter;
use rtc::counters::Counters;
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;

use crate::{PAYLOAD, Plan, Row};

/// Datagrams that wait when a sample begins to read: they fit the receive buffer.
const WAITING: usize = 1_024;

pub(crate) fn rows(plan: &Plan) -> io::Result<Vec<Row>> {
    let any = "127.0.0.1:0".parse().expect("an address");
    let ours = UdpSocket::bind_first(any, false)?;
    let theirs = [UdpSocket::bind_first(any, false)?];
    let (clock, counters) = (Clock::start(), Counters::new(1));
    let mut transmitter = Transmitter::new(&theirs);
    let mut batch = ReceiveBatch::new();
    let mut rows = Vec::new();
    for &per_message in &plan.per_flush {
        let mut outbox = Outbox::new(WAITING);
        let mut samples = Vec::new();
        for _ in 0..plan.rounds {
            let (mut took, mut datagrams) = (0.0, 0);
            while took < plan.seconds * 1e9 {
                for number in 0..WAITING / per_message {
                    // Another size ends the run that the kernel would put together.
                    let bytes = vec![0x5a; PAYLOAD + 36 + number % 2];
                    for _ in 0..per_message {
                        let path = Path { socket: 0, remote: ours.local() };
                        outbox.push(path, TrafficClass::Video, &bytes);
                    }
                    transmitter.send(&theirs, &mut outbox, &counters, &clock);
                }
                let start = thread_time();
                loop {
                    let mut came = 0;
                    let haul = batch.receive(
                        &ours,
                        || clock.reading(),
                        |received| {
                            std::hint::black_box(received.bytes[0]);
                            came += 1;
                        },
                    );
                    datagrams += came;
                    if haul.messages == 0 {
                        break;
                    }
                }
                took += (thread_time() - start).as_nanos() as f64;
            }
            samples.push(took / f64::from(datagrams.max(1)));
        }
        let what = if per_message == 1 { "recvmmsg" } else { "recvmmsg with GRO" };
        rows.push(Row { level: "L2", what: what.into(), per_flush: per_message, ns_per_packet: samples });
    }
    Ok(rows)
}
