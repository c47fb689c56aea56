//! Processor time of this thread.

use std::time::Duration;

use net::clock::thread_time;

/// A look at the clock costs some tens of nanoseconds: so much work is done between two.
const CHUNK_PACKETS: usize = 2_000;
/// Share of a sample's time that is run before it counts: caches, branch predictors and queues settle.
const WARM_UP: f64 = 0.2;

/// Runs work for a time and counts what it did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    seconds: f64,
}

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    packets: usize,
    took: Duration,
}

impl Sample {
    /// Nanoseconds of processor time for each packet.
    pub(crate) fn ns_per_packet(&self) -> f64 {
        self.took.as_nanos() as f64 / self.packets.max(1) as f64
    }
}

impl Meter {
    /// A run of so many processor seconds.
    pub(crate) fn new(seconds: f64) -> Meter {
        Meter { seconds }
    }

    /// Repeats `work`, which returns how many packets it handled.
    pub(crate) fn run(&self, work: impl FnMut() -> usize) -> Sample {
        self.run_prepared(|| (), work)
    }

    /// The same, where `work` returns 0 when `prepare` has to be called again, whose time does not count.
    pub(crate) fn run_prepared(&self, mut prepare: impl FnMut(), mut work: impl FnMut() -> usize) -> Sample {
        spend(self.seconds * WARM_UP, &mut prepare, &mut work);
        spend(self.seconds, &mut prepare, &mut work)
    }
}

fn spend(seconds: f64, prepare: &mut impl FnMut(), work: &mut impl FnMut() -> usize) -> Sample {
    let until = Duration::from_secs_f64(seconds);
    let mut sample = Sample { packets: 0, took: Duration::ZERO };
    while sample.took < until {
        prepare();
        let start = thread_time();
        let mut chunk = 0;
        while chunk < CHUNK_PACKETS {
            match work() {
                0 => break,
                packets => chunk += packets,
            }
        }
        sample.took += thread_time() - start;
        sample.packets += chunk;
    }
    sample
}
