//! What subscribers get: layers chosen, packets renumbered, lost ones sent again, reports.

pub mod reports;
pub mod resend;
pub mod rewrite;
pub mod select;
pub mod sent;
pub mod subscription;
pub mod timestamps;
pub mod write;

pub use subscription::Subscription;
pub use write::{Outgoing, PacketSink, Scratch};
