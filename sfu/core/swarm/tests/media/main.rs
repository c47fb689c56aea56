//! Sources and receivers in virtual time: what a camera or a microphone sends, and what a receiver makes of it.

mod bench;
mod layered;
mod receivers;
mod sources;
