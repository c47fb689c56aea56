//! The Python border, `sfu._core`: arguments are checked and turned into commands, events into objects. No logic.
//!
//! `sfu/_core.pyi` is the face; docs/border.md explains it.

mod args;
mod bench;
mod core;
mod errors;
mod events;
mod sdp;
#[cfg(feature = "sim")]
mod simulation;
#[cfg(feature = "sim")]
mod swarm;

use pyo3::prelude::*;

/// The Rust packet core.
#[pymodule]
mod _core {
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;
    use rtc::command::Extension;

    #[pymodule_export]
    use crate::bench::{bench_forward, bench_limit};
    #[pymodule_export]
    use crate::core::{Core, Payload};
    #[pymodule_export]
    use crate::errors::{CoreBusy, SdpError};
    #[pymodule_export]
    use crate::sdp::{MediaSection, SdpPayload, SessionDescription, parse_sdp};

    #[cfg(feature = "sim")]
    #[pymodule_export]
    use crate::simulation::Simulation;
    #[cfg(feature = "sim")]
    #[pymodule_export]
    use crate::swarm::{Swarm, SwarmClosed, SwarmConnected, SwarmMediaStarted};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let uris = Extension::ALL.map(Extension::uri);
        module.add("EXTENSION_URIS", PyTuple::new(module.py(), uris)?)?;
        module.py().get_type::<SdpError>().setattr("line", 0)?;
        module.add("BUILD_COMMIT", env!("COLLOQUE_COMMIT"))?;
        module.add("MAX_SDP_BYTES", crate::sdp::MAX_BYTES)?;
        module.add("MAX_DATA_MESSAGE", crate::args::MAX_DATA_MESSAGE)?;
        crate::events::add_to(module)
    }
}
