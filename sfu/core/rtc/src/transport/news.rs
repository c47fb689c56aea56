//! What a transport tells its worker.

use super::liveness::Notice;
use crate::event::{FailReason, SrtpProfile};
use crate::path::Path;

/// What a worker should know of a transport.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the fields are what the variants speak of
pub enum TransportEvent {
    /// The handshake has finished with a right certificate, over `path` or over a pair that is nominated. Comes once.
    Connected { path: Path, profile: SrtpProfile },
    /// From now on we send to another path.
    PathChanged { path: Path },
    /// Nothing authentic came for some seconds.
    Silent,
    /// Something came again after that.
    Resumed,
    /// Over: nothing is sent or accepted any more. Comes once.
    Failed(FailReason),
    /// The peer opened a data channel.
    ChannelOpened { channel: u16, label: Box<str> },
    /// A message on a data channel.
    Data { channel: u16, binary: bool, payload: Box<[u8]> },
}

/// Events not yet taken, each kind at most once: what happens faster than it is taken is told by its last state.
#[derive(Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) connected: bool,
    pub(super) path_changed: bool,
    pub(super) silence: Option<Notice>,
    pub(super) failed: Option<FailReason>,
}
