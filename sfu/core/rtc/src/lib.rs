//! The packet core of Colloque without sockets, threads or clocks.
//!
//! A [`worker::Worker`] is fed datagrams, commands and the time, and yields datagrams and events. Start reading at
//! [`worker`]: its `handle_datagram` is the table of contents of the packet's way through the crate.
#![forbid(unsafe_code)]

pub mod command;
pub mod counters;
pub mod demux;
pub mod drop_reason;
pub mod event;
#[cfg(feature = "faults")]
pub mod fault;
pub mod id;
pub mod memo;
pub mod outbox;
pub mod path;
pub mod receive;
pub mod route;
pub mod rtcp;
pub mod rtp;
pub mod send;
pub mod speakers;
pub mod timer;
pub mod transport;
mod transports;
pub mod units;
pub mod worker;
