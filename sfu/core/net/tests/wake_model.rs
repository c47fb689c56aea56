//! The wake-up protocols through every interleaving: nothing pushed is ever left lying while the reader sleeps.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

mod sync {
    pub(crate) mod atomic {
        pub(crate) use loom::sync::atomic::{AtomicBool, Ordering, fence};
    }
}

#[path = "../src/wake.rs"]
mod wake;

use wake::{Doorbell, Sleeper};

/// The tail of a ring: released by the writer, acquired by the reader, as rtrb does it.
struct Ring(AtomicUsize);

impl Ring {
    fn push(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn len(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

#[test]
fn every_event_is_taken_by_a_reader_that_comes_only_when_the_bell_rings() {
    loom::model(|| {
        let state = Arc::new((Doorbell::new(), Ring(AtomicUsize::new(0)), Mutex::new(false)));
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let state = Arc::clone(&state);
                thread::spawn(move || {
                    let (bell, ring, eventfd) = &*state;
                    ring.push();
                    if bell.must_ring() {
                        *eventfd.lock().unwrap() = true;
                    }
                })
            })
            .collect();
        let (bell, ring, eventfd) = &*state;
        let visit = || {
            let heard = std::mem::take(&mut *eventfd.lock().unwrap());
            heard.then(|| {
                bell.clear();
                ring.len()
            })
        };
        let mut taken = visit().unwrap_or(0);
        for writer in writers {
            writer.join().unwrap();
        }
        while let Some(seen) = visit() {
            taken = seen;
        }
        assert_eq!(taken, 2);
    });
}

#[test]
fn a_worker_never_sleeps_beside_an_order() {
    sleeps_only_beside_nothing(1, 2);
}

#[test]
fn a_worker_never_sleeps_beside_what_one_of_two_others_brought() {
    sleeps_only_beside_nothing(2, 1);
}

fn sleeps_only_beside_nothing(senders: usize, orders_of_each: usize) {
    let mut model = loom::model::Builder::new();
    // Every known fault of such protocols shows within three switches; without a bound it takes a minute.
    model.preemption_bound = Some(3);
    model.check(move || {
        let state = Arc::new((Sleeper::new(), Ring(AtomicUsize::new(0)), Mutex::new(false), Condvar::new()));
        let senders: Vec<_> = (0..senders)
            .map(|_| {
                let state = Arc::clone(&state);
                thread::spawn(move || {
                    let (sleeper, ring, eventfd, readable) = &*state;
                    for _ in 0..orders_of_each {
                        ring.push();
                        if sleeper.must_wake() {
                            *eventfd.lock().unwrap() = true;
                            readable.notify_one();
                        }
                    }
                })
            })
            .collect();
        let (sleeper, ring, eventfd, readable) = &*state;
        loop {
            let taken = ring.len();
            if taken == senders.len() * orders_of_each {
                break;
            }
            sleeper.announce();
            if ring.len() == taken {
                let mut rung = eventfd.lock().unwrap();
                while !*rung {
                    rung = readable.wait(rung).unwrap(); // for ever if nobody rings: loom reports a deadlock
                }
                *rung = false;
            }
            sleeper.awake();
        }
        for sender in senders {
            sender.join().unwrap();
        }
    });
}
