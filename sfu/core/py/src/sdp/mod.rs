//! Session descriptions as Python sees them.

mod read;
mod words;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::errors;

pub(crate) use read::MAX_BYTES;

/// Lines before the first media section, and the sections.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct SessionDescription {
    ufrag: Option<String>,
    pwd: Option<String>,
    ice_options: Py<PyList>,
    setup: Option<&'static str>,
    fingerprints: Py<PyList>,
    bundle: Py<PyList>,
    extmap_allow_mixed: bool,
    media: Py<PyList>,
}

/// One m= section: only what the section itself says, nothing is inherited from the session.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct MediaSection {
    kind: String,
    mid: Option<String>,
    port: u16,
    protocol: String,
    direction: &'static str,
    rtcp_mux: bool,
    ufrag: Option<String>,
    pwd: Option<String>,
    setup: Option<&'static str>,
    fingerprints: Py<PyList>,
    payloads: Py<PyList>,
    extensions: Py<PyList>,
    rids: Py<PyList>,
    simulcast_send: Py<PyList>,
    simulcast_recv: Py<PyList>,
    ssrcs: Py<PyList>,
    ssrc_groups: Py<PyList>,
    msid: Option<(String, String)>,
    sctp_port: Option<u16>,
    max_message_size: Option<u64>,
    bundle_only: bool,
    candidates: usize,
}

/// One payload type, in the order of the m= line.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct SdpPayload {
    pt: u8,
    name: String,
    clock_rate: u32,
    channels: u32,
    fmtp: String,
    feedback: Py<PyList>,
}

/// Reads a session description; raises SdpError when it is malformed or over a bound.
#[pyfunction]
pub(crate) fn parse_sdp(py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<SessionDescription> {
    let Ok(text) = text.to_cow() else {
        return Err(errors::sdp(py, "not valid Unicode", 0));
    };
    let read = py.detach(|| read::read(&text));
    let description = read.map_err(|read::Malformed { line, text }| match line {
        0 => errors::sdp(py, &text, 0),
        line => errors::sdp(py, &format!("line {line}: {text}"), line),
    })?;
    let media: Vec<_> =
        description.media.into_iter().map(|section| media_section(py, section)).collect::<PyResult<_>>()?;
    Ok(SessionDescription {
        fingerprints: fingerprints(py, &description.transport)?,
        ufrag: description.transport.ufrag,
        pwd: description.transport.pwd,
        ice_options: list(py, description.ice_options)?,
        setup: description.transport.setup,
        bundle: list(py, description.bundle)?,
        extmap_allow_mixed: description.extmap_allow_mixed,
        media: list(py, media)?,
    })
}

fn media_section(py: Python<'_>, section: read::Section) -> PyResult<MediaSection> {
    let payload = |payload: read::Payload| -> PyResult<SdpPayload> {
        Ok(SdpPayload {
            pt: payload.pt,
            name: payload.name,
            clock_rate: payload.clock_rate,
            channels: payload.channels,
            fmtp: payload.fmtp,
            feedback: list(py, payload.feedback)?,
        })
    };
    let payloads: Vec<_> = section.payloads.into_iter().map(payload).collect::<PyResult<_>>()?;
    Ok(MediaSection {
        kind: section.kind,
        mid: section.mid,
        port: section.port,
        protocol: section.protocol,
        direction: section.direction,
        rtcp_mux: section.rtcp_mux,
        fingerprints: fingerprints(py, &section.transport)?,
        ufrag: section.transport.ufrag,
        pwd: section.transport.pwd,
        setup: section.transport.setup,
        payloads: list(py, payloads)?,
        extensions: list(py, section.extensions)?,
        rids: list(py, section.rids)?,
        simulcast_send: list(py, section.simulcast_send)?,
        simulcast_recv: list(py, section.simulcast_recv)?,
        ssrcs: list(py, section.ssrcs)?,
        ssrc_groups: list(py, section.ssrc_groups)?,
        msid: section.msid,
        sctp_port: section.sctp_port,
        max_message_size: section.max_message_size,
        bundle_only: section.bundle_only,
        candidates: section.candidates,
    })
}

fn fingerprints(py: Python<'_>, transport: &read::Transport) -> PyResult<Py<PyList>> {
    let pairs: Vec<_> =
        transport.fingerprints.iter().map(|(hash, digest)| (hash, PyBytes::new(py, digest))).collect();
    list(py, pairs)
}

/// Made once, when the description is read: an attribute that is looked at in a loop must not be made each time.
fn list<'py, T: IntoPyObject<'py>>(py: Python<'py>, items: Vec<T>) -> PyResult<Py<PyList>> {
    Ok(PyList::new(py, items)?.unbind())
}
