//! The two wake-up protocols between Python and the workers, and among these, without the file descriptors they ring.
//!
//! * [`Doorbell`], worker to Python: *the writer pushes, then sets the flag, and rings only if the flag was clear; the
//!   reader hears the bell, clears the flag, then takes all.* However many events come, Python is woken once a visit.
//! * [`Sleeper`], Python and other workers to a worker, and "there is room again" the same way: *who is about to sleep
//!   says so, then looks once more; who has brought something looks whether the other sleeps.* A worker that is awake
//!   costs no system call.
//!
//! `tests/wake_model.rs` runs this very file under loom through every interleaving.

use crate::sync::atomic::{AtomicBool, Ordering, fence};

/// Set from the ring of a bell until the reader comes to take everything.
pub(crate) struct Doorbell {
    rung: AtomicBool,
}

impl Doorbell {
    pub(crate) fn new() -> Doorbell {
        Doorbell { rung: AtomicBool::new(false) }
    }

    /// After pushing: true when the bell must be rung.
    pub(crate) fn must_ring(&self) -> bool {
        !self.rung.swap(true, Ordering::AcqRel)
    }

    /// After hearing the bell and before taking. A read-modify-write, so that everything pushed before a `must_ring`
    /// that came earlier is seen by what follows.
    pub(crate) fn clear(&self) {
        self.rung.swap(false, Ordering::AcqRel);
    }
}

/// One side of a queue that may go to sleep.
pub(crate) struct Sleeper {
    asleep: AtomicBool,
}

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        Sleeper { asleep: AtomicBool::new(false) }
    }

    /// Before sleeping: from now on the other side will wake this one. Look at the queue once more after it.
    pub(crate) fn announce(&self) {
        self.asleep.swap(true, Ordering::AcqRel);
        // Orders the swap before the second look: with the fence in `must_wake` one of the two sides sees the other.
        fence(Ordering::SeqCst);
    }

    /// After sleeping, or when the second look found something.
    pub(crate) fn awake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// After a change that the sleeper waits for: true when it must be woken, and only to one caller.
    pub(crate) fn must_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }
}
