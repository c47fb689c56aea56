//! The media path from end to end in virtual time: scripted publishers, a router, and a sink that records.

mod forwarding;
mod hostile;
mod loss;
mod reports;
mod simulcast;
mod sound;
mod support;
