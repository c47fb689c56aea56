//! Errors of the core as Python exceptions.

use net::{Busy, StartError};
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(sfu._core, CoreBusy, PyException, "A table or the command queue is full.");
pyo3::create_exception!(
    sfu._core,
    SdpError,
    PyValueError,
    "The text is not a session description that we read; `line` counts from 1, 0 when the whole is meant."
);

/// An SdpError with its line.
pub(crate) fn sdp(py: Python<'_>, text: &str, line: usize) -> PyErr {
    let error = SdpError::new_err(text.to_owned());
    match error.value(py).setattr("line", line) {
        Ok(()) => error,
        Err(failed) => failed,
    }
}

/// Says which table or queue is full.
pub(crate) fn busy(busy: Busy) -> PyErr {
    CoreBusy::new_err(busy.to_string())
}

/// OSError with its number and the address that was refused.
pub(crate) fn start(error: StartError) -> PyErr {
    let text = error.to_string();
    match error {
        StartError::Bind(_, cause) | StartError::System(cause) => {
            PyOSError::new_err((cause.raw_os_error().unwrap_or(0), text))
        }
        StartError::AlreadyStarted => PyRuntimeError::new_err(text),
    }
}
