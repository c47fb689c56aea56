//! A simulated browser, network and clock.
//!
//! [`browser::Browser`] is the other end of a transport: it controls ICE, begins DTLS, and speaks SRTP and SCTP with
//! the modules that the server uses, keys swapped. [`network::Network`] carries datagrams with seeded delay, loss,
//! reordering and duplication; [`world::World`] joins browsers and one or more workers by it in virtual time.
#![forbid(unsafe_code)]

pub mod browser;
pub mod call;
pub mod cinema;
mod data;
pub mod lanes;
pub mod media;
pub mod network;
pub mod world;
