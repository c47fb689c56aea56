//! L1: handing datagrams to the kernel, with nothing in them.

use std::io;

use net::clock::Clock;
use net::socket::UdpSocket;
use net::transmit::Transmitter;
use rtc::counters::Counters;
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;

use crate::sinks::Sinks;
use crate::{PAYLOAD, Plan, Row, row};

/// Bytes of a datagram: payload, header, extension and tag.
const DATAGRAM: usize = PAYLOAD + 36;

pub(crate) fn rows(plan: &Plan) -> io::Result<Vec<Row>> {
    let sinks = Sinks::new(plan.destinations)?;
    let addresses = sinks.addresses()?;
    let socket = UdpSocket::bind_first("127.0.0.1:0".parse().expect("an address"), false)?;
    let bytes = vec![0x5a; DATAGRAM];
    let mut rows = Vec::new();
    let mut next = 0;
    let plain = std::net::UdpSocket::bind("127.0.0.1:0")?;
    plain.set_nonblocking(true)?;
    rows.push(row(plan, "L1", "sendto", 1, || {
        next = (next + 1) % addresses.len();
        // What a full queue refuses costs as much as what it takes.
        let _ = plain.send_to(&bytes, addresses[next]);
        1
    }));
    let (counters, clock, sockets) = (Counters::new(1), Clock::start(), [socket]);
    for &per_flush in &plan.per_flush {
        let mut outbox = Outbox::new(addresses.len() * per_flush);
        let mut transmitter = Transmitter::new(&sockets);
        let what = if per_flush == 1 { "sendmmsg" } else { "sendmmsg with GSO" };
        rows.push(row(plan, "L1", what, per_flush, || {
            for &remote in &addresses {
                for _ in 0..per_flush {
                    outbox.push(Path { socket: 0, remote }, TrafficClass::Video, &bytes);
                }
            }
            let datagrams = outbox.len();
            transmitter.send(&sockets, &mut outbox, &counters, &clock);
            datagrams
        }));
    }
    Ok(rows)
}
