//! What this machine can do at most, and what the packet core makes of it, by levels.
//!
//! | level | what runs |
//! |---|---|
//! | L0 | encryption alone |
//! | L1 | sending alone: one by one, by sendmmsg, as messages that the kernel cuts up |
//! | L2 | receiving alone: datagram by datagram, and put together by the kernel |
//! | L3 | the ideal fan-out: copy a header, patch it, encrypt into the send slot, send |
//! | L4 | the real worker with the real sender under the same load |
//!
//! All levels measure the processor time of their own thread. Datagrams go to sockets on loopback that nobody reads,
//! so that the receiving side costs as little as it can: what a network card would cost is not in the figures, on any
//! level alike.

mod crypto;
mod forward;
mod ideal;
mod meter;
mod receive;
mod send;
mod sinks;

use meter::Meter;

/// Bytes of a forwarded payload: a packet of a 720p picture.
pub const PAYLOAD: usize = 1_160;
/// Bytes of sound in one packet.
pub const SOUND: usize = 120;

/// Most destinations of a fan-out: as many as the simulated worker has transports for, beside the publisher.
pub const MOST_DESTINATIONS: usize = 500;

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// L0 to L4.
    pub level: &'static str,
    /// What was done.
    pub what: String,
    /// Packets of one destination in one flush; 0 where that means nothing.
    pub per_flush: usize,
    /// Nanoseconds of processor time for each packet, one of each round.
    pub ns_per_packet: Vec<f64>,
}

/// How long and on what to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Destinations of the fan-out.
    pub destinations: usize,
    /// Packets of one destination in one flush, each its own row.
    pub per_flush: Vec<usize>,
    /// Rounds, each a sample of every row.
    pub rounds: usize,
    /// Processor seconds of one sample.
    pub seconds: f64,
}

/// Measures L0 to L3.
///
/// # Errors
/// The system refused a socket.
pub fn limit(plan: &Plan) -> std::io::Result<Vec<Row>> {
    let mut rows = crypto::rows(plan);
    rows.extend(send::rows(plan)?);
    rows.extend(receive::rows(plan)?);
    rows.extend(ideal::rows(plan)?);
    Ok(rows)
}

/// Measures L3 and L4 side by side, so that their ratio is of one run.
///
/// # Errors
/// The system refused a socket.
pub fn forward(plan: &Plan) -> std::io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &per_flush in &plan.per_flush {
        let mut ideal = ideal::FanOut::new(plan.destinations, per_flush)?;
        let mut real = forward::Forwarding::new(plan.destinations, per_flush)?;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        // Turn about, so that a change of the machine's pace meets both.
        for _ in 0..plan.rounds {
            first.push(Meter::new(plan.seconds).run(|| ideal.flush()).ns_per_packet());
            second.push(real.sample(&Meter::new(plan.seconds)).ns_per_packet());
        }
        let row =
            |level, what: &str, ns_per_packet| Row { level, what: what.into(), per_flush, ns_per_packet };
        rows.push(row("L3", "ideal fan-out", first));
        rows.push(row("L4", "worker and sender", second));
    }
    Ok(rows)
}

/// Runs one kind of work for every round.
fn row(
    plan: &Plan,
    level: &'static str,
    what: impl Into<String>,
    per_flush: usize,
    mut work: impl FnMut() -> usize,
) -> Row {
    let ns_per_packet =
        (0..plan.rounds).map(|_| Meter::new(plan.seconds).run(&mut work).ns_per_packet()).collect();
    Row { level, what: what.into(), per_flush, ns_per_packet }
}
