//! The `Core` class.

use std::sync::Arc;
use std::time::Duration;

use net::clock::Clock;
use net::{CoreConfig, MediaAddress};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rtc::command::{
    EncodingParams, Fingerprint, PayloadMap, PayloadParams, RemoteParams, SubscriptionParams, TrackParams,
};
use rtc::counters::{Cell, LegCell};
use rtc::drop_reason::DropReason;
use rtc::id::GroupId;
use rtc::transport::TransportShared;
use rtc::units::Pt;

use crate::args::{self, wrong};
use crate::errors;
use crate::events;

/// Most transports of one worker that may be asked for.
const MAX_TRANSPORTS: usize = 65_536;

/// One payload type of a published track.
#[pyclass(frozen, module = "sfu._core")]
pub(crate) struct Payload {
    params: PayloadParams,
    #[pyo3(get)]
    codec: String,
}

#[pymethods]
impl Payload {
    #[new]
    #[pyo3(signature = (
        pt, codec, clock_rate, *, rtx_pt = None, nack = false, pli = false, fir = false, transport_cc = false
    ))]
    #[allow(clippy::too_many_arguments)] // a row of plain values, all but three by keyword
    fn new(
        pt: u8,
        codec: String,
        clock_rate: u32,
        rtx_pt: Option<u8>,
        nack: bool,
        pli: bool,
        fir: bool,
        transport_cc: bool,
    ) -> PyResult<Payload> {
        if clock_rate == 0 {
            return Err(wrong("clock_rate: more than 0"));
        }
        let params = PayloadParams {
            pt: args::pt("pt", pt)?,
            codec: args::codec(&codec)?,
            clock_rate,
            rtx_pt: rtx_pt.map(|pt| args::pt("rtx_pt", pt)).transpose()?,
            nack,
            pli,
            fir,
            transport_cc,
        };
        Ok(Payload { params, codec })
    }

    #[getter]
    fn pt(&self) -> u8 {
        self.params.pt.0
    }

    #[getter]
    fn clock_rate(&self) -> u32 {
        self.params.clock_rate
    }

    #[getter]
    fn rtx_pt(&self) -> Option<u8> {
        self.params.rtx_pt.map(|Pt(number)| number)
    }

    #[getter]
    fn nack(&self) -> bool {
        self.params.nack
    }

    #[getter]
    fn pli(&self) -> bool {
        self.params.pli
    }

    #[getter]
    fn fir(&self) -> bool {
        self.params.fir
    }

    #[getter]
    fn transport_cc(&self) -> bool {
        self.params.transport_cc
    }
}

/// The packet core: worker threads behind queues.
#[pyclass(frozen, module = "sfu._core")]
pub(crate) struct Core {
    pub(crate) core: net::Core,
    pub(crate) workers: u8,
    fingerprint: String,
}

#[pymethods]
impl Core {
    #[new]
    #[allow(clippy::too_many_arguments)] // all by keyword
    #[pyo3(signature = (*, udp_port, addresses, workers = 1, max_transports = 4096, marks = false, busy_poll_us = 0, audio_gather_ms = 1, steering = true))]
    fn new(
        udp_port: u16,
        addresses: Vec<(String, String)>,
        workers: u8,
        max_transports: usize,
        marks: bool,
        busy_poll_us: u16,
        audio_gather_ms: u8,
        steering: bool,
    ) -> PyResult<Core> {
        if addresses.is_empty() || addresses.len() > net::MAX_ADDRESSES {
            return Err(wrong(format!("addresses: 1 to {} pairs", net::MAX_ADDRESSES)));
        }
        if !(1..=net::MAX_WORKERS).contains(&workers) {
            return Err(wrong(format!("workers: 1 to {}", net::MAX_WORKERS)));
        }
        if !(1..=MAX_TRANSPORTS).contains(&max_transports) {
            return Err(wrong(format!("max_transports: 1 to {MAX_TRANSPORTS}")));
        }
        let pair = |(bind, announce): &(String, String)| {
            let (bind, announce) = (args::ip("addresses", bind)?, args::ip("addresses", announce)?);
            if bind.is_ipv4() != announce.is_ipv4() || announce.is_unspecified() {
                return Err(wrong(format!("addresses: {bind} cannot be announced as {announce}")));
            }
            Ok(MediaAddress { bind, announce })
        };
        let addresses = addresses.iter().map(pair).collect::<PyResult<_>>()?;
        let clock = Clock::start();
        let shared = TransportShared::generate(clock.epoch());
        let shared = shared.ok_or_else(|| PyRuntimeError::new_err("no certificate could be made"))?;
        let Fingerprint(digest) = shared.fingerprint();
        let fingerprint = digest.map(|byte| format!("{byte:02X}")).join(":");
        let busy_poll = Duration::from_micros(busy_poll_us.into());
        let audio_gather = Duration::from_millis(audio_gather_ms.into());
        let config = CoreConfig {
            udp_port,
            addresses,
            workers,
            max_transports,
            marks,
            busy_poll,
            audio_gather,
            steering,
        };
        Ok(Core { core: net::Core::new(config, Arc::new(shared), clock)?, workers, fingerprint })
    }

    /// Binds the media port and starts the workers; OSError names the address that cannot be bound.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.start()).map_err(errors::start)
    }

    /// Ends the worker threads; commands do nothing from then on.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.core.stop());
    }

    /// An eventfd that is readable when drain has something to give.
    fn fileno(&self) -> i32 {
        self.core.event_fd()
    }

    /// Reads the eventfd and takes everything that waits.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let mut taken = Vec::new();
        self.core.drain(&mut taken);
        taken.into_iter().map(|event| events::to_python(py, event)).collect()
    }

    /// For each worker: the number of its legs, then its cells, drops and a row per leg, as little-endian u64.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.snapshot())
    }

    /// The names of the numbers in a snapshot, in their order.
    #[staticmethod]
    fn snapshot_layout(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let layout = PyDict::new(py);
        layout.set_item("cells", Cell::ALL.iter().map(|cell| cell.label()).collect::<Vec<_>>())?;
        layout.set_item("drops", DropReason::ALL.iter().map(|reason| reason.label()).collect::<Vec<_>>())?;
        layout.set_item("legs", LegCell::ALL.iter().map(|cell| cell.label()).collect::<Vec<_>>())?;
        Ok(layout)
    }

    /// The state of every worker as a JSON array; waits for them, so it is not for the event loop.
    fn debug_state(&self, py: Python<'_>) -> String {
        py.detach(|| self.core.debug_state())
    }

    /// SHA-256 of our certificate as in a=fingerprint.
    #[getter]
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Announced address and port of each pair; empty before start.
    #[getter]
    fn candidates(&self) -> Vec<(String, u16)> {
        self.core.candidates().into_iter().map(|address| (address.ip().to_string(), address.port())).collect()
    }

    /// Makes a transport; it answers checks once set_remote has come.
    fn add_transport(&self, worker: u8, ufrag: &str, pwd: &str) -> PyResult<u64> {
        if worker >= self.workers {
            return Err(wrong(format!("worker: 0 to {}", self.workers - 1)));
        }
        let local = args::local_credentials(worker, ufrag, pwd)?;
        self.core.add_transport(worker, local).map(|id| id.0).map_err(errors::busy)
    }

    /// Sets or renews what the peer described of itself; new credentials mean an ICE restart.
    #[pyo3(signature = (transport, *, ufrag, pwd, fingerprints, extensions, sctp_port, max_message_size))]
    #[allow(clippy::too_many_arguments)] // all but the first by keyword
    fn set_remote(
        &self,
        transport: u64,
        ufrag: &str,
        pwd: &str,
        fingerprints: Vec<Vec<u8>>,
        extensions: Vec<(String, u8)>,
        sctp_port: Option<u16>,
        max_message_size: u64,
    ) -> PyResult<()> {
        let remote = RemoteParams {
            ice: args::credentials(ufrag, pwd)?,
            fingerprints: args::several("fingerprints", &fingerprints, |digest| args::fingerprint(digest))?,
            extensions: args::extensions(&extensions)?,
            sctp_port,
            max_message_size: u32::try_from(max_message_size).unwrap_or(u32::MAX),
        };
        let transport = args::transport(transport, self.workers)?;
        self.core.set_remote(transport, remote).map_err(errors::busy)
    }

    /// Accepts new local credentials beside the old ones until a check with the new ones is nominated.
    fn restart_ice(&self, transport: u64, ufrag: &str, pwd: &str) -> PyResult<()> {
        let transport = args::transport(transport, self.workers)?;
        let local = args::local_credentials(transport.worker(), ufrag, pwd)?;
        self.core.restart_ice(transport, local).map_err(errors::busy)
    }

    /// Frees the transport with its tracks and subscriptions.
    fn close_transport(&self, transport: u64) -> PyResult<()> {
        let transport = args::transport(transport, self.workers)?;
        self.core.close_transport(transport).map_err(errors::busy)
    }

    /// Expects media of a published source; encodings are (rid, ssrc, rtx_ssrc), lowest quality first.
    #[pyo3(signature = (transport, *, kind, mid, payloads, encodings))]
    fn add_track(
        &self,
        transport: u64,
        kind: &str,
        mid: &str,
        payloads: Vec<Bound<'_, Payload>>,
        encodings: Vec<(Option<String>, Option<u32>, Option<u32>)>,
    ) -> PyResult<u64> {
        if payloads.is_empty() || encodings.is_empty() {
            return Err(wrong("payloads, encodings: at least one of each"));
        }
        let encoding = |(rid, ssrc, rtx_ssrc): &(Option<String>, Option<u32>, Option<u32>)| {
            Ok(EncodingParams {
                rid: rid.as_deref().map(args::rid).transpose()?,
                ssrc: ssrc.map(|ssrc| args::ssrc("encodings", ssrc)).transpose()?,
                rtx_ssrc: rtx_ssrc.map(|ssrc| args::ssrc("encodings", ssrc)).transpose()?,
            })
        };
        let params = TrackParams {
            transport: args::transport(transport, self.workers)?,
            kind: args::kind(kind)?,
            mid: args::mid(mid)?,
            payloads: args::several("payloads", &payloads, |payload| Ok(payload.get().params))?,
            encodings: args::several("encodings", &encodings, encoding)?,
        };
        self.core.add_track(params).map(|id| id.0).map_err(errors::busy)
    }

    /// Asks the peer to send no more than this, or takes the request back.
    fn set_up_cap(&self, transport: u64, kbps: Option<u32>) -> PyResult<()> {
        let transport = args::transport(transport, self.workers)?;
        self.core.set_up_cap(transport, kbps.map(args::kbps).transpose()?).map_err(errors::busy)
    }

    /// Stops or resumes forwarding of a track to everyone.
    fn pause_track(&self, track: u64, paused: bool) -> PyResult<()> {
        let track = args::track(track, self.workers)?;
        self.core.pause_track(track, paused).map_err(errors::busy)
    }

    /// Frees the track with its subscriptions.
    fn close_track(&self, track: u64) -> PyResult<()> {
        let track = args::track(track, self.workers)?;
        self.core.close_track(track).map_err(errors::busy)
    }

    /// Delivers a track to a transport; payloads are (up, down, down_rtx, strip_red).
    #[pyo3(signature = (track, transport, *, mid, ssrc, rtx_ssrc, payloads, encoding, temporal = 255))]
    #[allow(clippy::too_many_arguments)] // all but the first two by keyword
    fn subscribe(
        &self,
        track: u64,
        transport: u64,
        mid: &str,
        ssrc: u32,
        rtx_ssrc: Option<u32>,
        payloads: Vec<(u8, u8, Option<u8>, bool)>,
        encoding: Option<u8>,
        temporal: u8,
    ) -> PyResult<u64> {
        let payload = |&(up, down, down_rtx, strip_red): &(u8, u8, Option<u8>, bool)| {
            Ok(PayloadMap {
                up: args::pt("payloads", up)?,
                down: args::pt("payloads", down)?,
                down_rtx: down_rtx.map(|pt| args::pt("payloads", pt)).transpose()?,
                strip_red,
            })
        };
        let params = SubscriptionParams {
            track: args::track(track, self.workers)?,
            transport: args::transport(transport, self.workers)?,
            mid: args::mid(mid)?,
            ssrc: args::ssrc("ssrc", ssrc)?,
            rtx_ssrc: rtx_ssrc.map(|ssrc| args::ssrc("rtx_ssrc", ssrc)).transpose()?,
            payloads: args::several("payloads", &payloads, payload)?,
            plan: args::plan(encoding, temporal)?,
        };
        self.core.subscribe(params).map(|id| id.0).map_err(errors::busy)
    }

    /// Ends a delivery.
    fn unsubscribe(&self, subscription: u64) -> PyResult<()> {
        let subscription = args::subscription(subscription, self.workers)?;
        self.core.unsubscribe(subscription).map_err(errors::busy)
    }

    /// Sets which encoding and temporal layer a subscription should get.
    #[pyo3(signature = (subscription, encoding, temporal = 255))]
    fn set_layer_plan(&self, subscription: u64, encoding: Option<u8>, temporal: u8) -> PyResult<()> {
        let subscription = args::subscription(subscription, self.workers)?;
        self.core.set_layer_plan(subscription, args::plan(encoding, temporal)?).map_err(errors::busy)
    }

    /// Asks the publisher for a key frame of one encoding, or of all.
    #[pyo3(signature = (track, encoding = None))]
    fn request_keyframe(&self, track: u64, encoding: Option<u8>) -> PyResult<()> {
        let track = args::track(track, self.workers)?;
        self.core.request_keyframe(track, args::encoding_index(encoding)?).map_err(errors::busy)
    }

    /// Ranks an audio track among the speakers of a group, or of none.
    fn set_audio_group(&self, track: u64, group: Option<u32>) -> PyResult<()> {
        let track = args::track(track, self.workers)?;
        self.core.set_audio_group(track, group.map(GroupId)).map_err(errors::busy)
    }

    /// Sends a message on an open data channel.
    fn send_data(&self, transport: u64, channel: u16, binary: bool, payload: &[u8]) -> PyResult<()> {
        if payload.len() > args::MAX_DATA_MESSAGE {
            return Err(wrong(format!("payload: at most {} bytes", args::MAX_DATA_MESSAGE)));
        }
        let transport = args::transport(transport, self.workers)?;
        self.core.send_data(transport, channel, binary, payload.into()).map_err(errors::busy)
    }
}
