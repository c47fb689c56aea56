//! A network that delays, loses, reorders and doubles, the same way for the same seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use rtc::units::Time;

/// What one direction does to datagrams. Shares are from 0.0 to 1.0.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Time on the way.
    pub delay: Duration,
    /// Added to the delay, evenly from zero to this: reorders when larger than the gap between datagrams.
    pub jitter: Duration,
    /// Share that never arrives.
    pub loss: f64,
    /// Share that arrives twice, the second time after another delay.
    pub duplicate: f64,
}

impl Link {
    /// A cable: one millisecond and nothing lost.
    pub const CLEAN: Link =
        Link { delay: Duration::from_millis(1), jitter: Duration::ZERO, loss: 0.0, duplicate: 0.0 };
}

/// One datagram on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it is for.
    pub to: SocketAddr,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// All datagrams on their way.
pub struct Network {
    rng: ChaCha12Rng,
    link: Link,
    on_the_way: BinaryHeap<Reverse<(Time, u64, Datagram)>>,
    sent: u64,
}

impl Network {
    /// An empty network whose links are all like `link`.
    pub fn new(link: Link, seed: u64) -> Network {
        let rng = ChaCha12Rng::seed_from_u64(seed);
        Network { rng, link, on_the_way: BinaryHeap::new(), sent: 0 }
    }

    /// Treats datagrams sent from now on like `link` says.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Takes a datagram; it may be lost, or come more than once.
    pub fn send(&mut self, now: Time, datagram: Datagram) {
        if self.chance(self.link.loss) {
            return;
        }
        if self.chance(self.link.duplicate) {
            self.carry(now, datagram.clone());
        }
        self.carry(now, datagram);
    }

    /// When the next datagram arrives.
    pub fn poll_timeout(&self) -> Time {
        self.on_the_way.peek().map_or(Time::NEVER, |Reverse((at, _, _))| *at)
    }

    /// The next datagram that has arrived by `now`.
    pub fn receive(&mut self, now: Time) -> Option<Datagram> {
        if self.poll_timeout() > now {
            return None;
        }
        self.on_the_way.pop().map(|Reverse((_, _, datagram))| datagram)
    }

    fn carry(&mut self, now: Time, datagram: Datagram) {
        let jitter = self.link.jitter.mul_f64(self.share());
        self.sent += 1;
        self.on_the_way.push(Reverse((now + self.link.delay + jitter, self.sent, datagram)));
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    fn share(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / f64::from(u32::MAX)
    }
}
