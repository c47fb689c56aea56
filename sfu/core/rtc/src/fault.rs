//! Panics on order, so that tests can see what one costs. Never part of a release: the feature `faults` is asked for
//! by the tests of the workspace alone.

use crate::id::{TrackId, TransportId};

/// Where a panic is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// When a datagram of this transport is handled.
    Datagram(TransportId),
    /// When this track is forwarded to a subscriber.
    FanOut(TrackId),
    /// When this transport's turn for reports comes.
    Report(TransportId),
    /// When events of this transport are pulled.
    Event(TransportId),
}

/// The panic that was ordered, which comes every time until another is.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    ordered: Option<Fault>,
}

impl Faults {
    /// Orders a panic, or none.
    pub(crate) fn order(&mut self, fault: Option<Fault>) {
        self.ordered = fault;
    }

    /// Panics if this is where one was ordered.
    pub(crate) fn strike(&self, here: Fault) {
        assert!(self.ordered != Some(here), "a fault that a test ordered");
    }
}
