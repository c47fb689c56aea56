//! What arrives from publishers: streams put in order, kept for a while, measured and asked for again.

pub mod arrivals;
pub mod history;
pub mod keyframe;
pub mod nack;
pub mod rate;
pub mod reception;
pub mod relay;
pub mod stream;
pub mod track;

pub use history::{Content, History, Stored};
pub use relay::Relay;
pub use stream::{Encoding, Stream};
pub use track::Track;
