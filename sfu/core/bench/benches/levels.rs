//! All levels as a table, for work on the core: `cargo bench -p colloque-bench`. `colloque bench` is for everybody else.
#![allow(missing_docs)]

use bench::{Plan, Row, forward, limit};

fn main() {
    let plan = Plan { destinations: 64, per_flush: vec![1, 2, 4, 8, 16], rounds: 3, seconds: 0.5 };
    let rows =
        if std::env::args().any(|argument| argument == "limit") { limit(&plan) } else { forward(&plan) };
    for Row { level, what, per_flush, ns_per_packet } in rows.expect("sockets on loopback") {
        let mut sorted = ns_per_packet;
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        println!("{level} {what:48} {per_flush:3} {median:8.1} ns {:8.0} kpps", 1e6 / median);
    }
}
