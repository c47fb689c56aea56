//! The `Swarm` class: synthetic participants for load tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::swarm::audio::AudioConfig;
use ::swarm::clip::{Clip, Filmed};
use ::swarm::codec::VideoCodec;
use ::swarm::figures::Figures;
use ::swarm::histogram::Histogram;
use ::swarm::line::MAX_PAYLOAD;
use ::swarm::participant::News;
use ::swarm::reception::{Format, Formats};
use ::swarm::stamp::STAMP;
use ::swarm::video::{Amount, EncodingConfig, VideoConfig};
use ::swarm::{Connection, SwarmConfig};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rtc::command::Fingerprint;
use sim::browser::Server;

use crate::args::{self, wrong};

/// Most threads: more cores than that need another machine for the server anyway.
const MAX_THREADS: usize = 64;

/// A participant's DTLS has finished; times in milliseconds since it was added.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct SwarmConnected {
    participant: usize,
    ice_ms: f64,
    dtls_ms: f64,
    srtp_profile: String,
}

/// The first packet of a kind of media has come.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct SwarmMediaStarted {
    participant: usize,
    kind: &'static str,
    after_ms: f64,
}

/// The server ended a participant's connection, or it broke.
#[pyclass(frozen, get_all, module = "sfu._core")]
pub(crate) struct SwarmClosed {
    participant: usize,
}

/// Synthetic participants over real sockets.
#[pyclass(frozen, module = "sfu._core")]
pub(crate) struct Swarm {
    swarm: ::swarm::Swarm,
    fingerprint: String,
    clip: Option<Arc<Clip>>,
}

#[pymethods]
impl Swarm {
    #[new]
    #[pyo3(signature = (*, threads = 1, check_every = 1, seed = 0, clip = None))]
    fn new(
        threads: usize,
        check_every: u32,
        seed: u64,
        clip: Option<(String, Vec<Vec<Filmed>>)>,
    ) -> PyResult<Swarm> {
        if !(1..=MAX_THREADS).contains(&threads) {
            return Err(wrong(format!("threads: 1 to {MAX_THREADS}")));
        }
        if check_every == 0 {
            return Err(wrong("check_every: 1 or more"));
        }
        let clip = clip.map(|(codec, encodings)| film(&codec, &encodings)).transpose()?;
        let config = SwarmConfig { threads, check_every, clip: clip.clone(), seed };
        let swarm = ::swarm::Swarm::start(config)?;
        let Fingerprint(digest) = swarm.fingerprint();
        let fingerprint = digest.map(|byte| format!("{byte:02X}")).join(":");
        Ok(Swarm { swarm, fingerprint, clip })
    }

    /// SHA-256 of the certificate that every participant shows, as in a=fingerprint.
    #[getter]
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Ends the threads; participants vanish.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.swarm.stop());
    }

    /// A descriptor that is readable when drain has something to give.
    fn fileno(&self) -> i32 {
        self.swarm.event_fd()
    }

    /// Takes everything that participants have to tell.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        self.swarm.drain().into_iter().map(|(participant, news)| to_python(py, participant, news)).collect()
    }

    /// For each thread the numbers that snapshot_layout names, as little-endian u64.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let rows = py.detach(|| self.swarm.snapshot());
        PyBytes::new(py, &rows.concat())
    }

    /// The names of the first numbers of a thread, and the bounds of the counts that follow.
    #[staticmethod]
    fn snapshot_layout(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let layout = PyDict::new(py);
        layout.set_item("figures", Figures::NAMES)?;
        layout.set_item("latency_bounds_us", Histogram::bounds_micros().collect::<Vec<_>>())?;
        Ok(layout)
    }

    /// Adds a participant that connects at once.
    #[pyo3(signature = (
        *, ufrag, pwd, address, port, remote_ufrag, remote_pwd, remote_fingerprint, extensions, payloads
    ))]
    #[allow(clippy::too_many_arguments)] // all by keyword
    fn add_participant(
        &self,
        ufrag: &str,
        pwd: &str,
        address: &str,
        port: u16,
        remote_ufrag: &str,
        remote_pwd: &str,
        remote_fingerprint: &[u8],
        extensions: Vec<(String, u8)>,
        payloads: Vec<(u8, String)>,
    ) -> PyResult<usize> {
        let mut formats = Formats::default();
        for (pt, name) in &payloads {
            formats.set(args::pt("payloads", *pt)?, format(name)?);
        }
        let connection = Connection {
            ice: args::credentials(ufrag, pwd)?,
            server: Server {
                address: SocketAddr::new(args::ip("address", address)?, port),
                ice: args::credentials(remote_ufrag, remote_pwd)?,
                fingerprint: args::fingerprint(remote_fingerprint)?,
            },
            extensions: args::extensions(&extensions)?,
            formats,
        };
        self.swarm.connect(connection).map_err(|error| {
            PyOSError::new_err((error.raw_os_error().unwrap_or(0), "no socket for another participant"))
        })
    }

    /// Lets a participant send pictures; encodings are (rid, ssrc, rtx_ssrc, kilobits per second of each spatial
    /// layer), lowest first.
    #[pyo3(signature = (
        participant, *, mid, codec, pt, rtx_pt, frames_per_second, encodings, packets = None, filmed = false,
        phase_ms = 0.0
    ))]
    #[allow(clippy::too_many_arguments)] // all but the first by keyword
    fn add_video(
        &self,
        participant: usize,
        mid: &str,
        codec: &str,
        pt: u8,
        rtx_pt: Option<u8>,
        frames_per_second: u32,
        encodings: Vec<(Option<String>, u32, u32, Vec<u32>)>,
        packets: Option<(u16, u16)>,
        filmed: bool,
        phase_ms: f64,
    ) -> PyResult<()> {
        let Format::Video(codec) = format(codec)? else { return Err(wrong("codec: vp8, h264, vp9 or av1")) };
        if !(1..=1_000).contains(&frames_per_second) {
            return Err(wrong("frames_per_second: 1 to 1000"));
        }
        if codec != VideoCodec::Vp9 && encodings.iter().any(|(_, _, _, layers)| layers.len() > 1) {
            return Err(wrong("encodings: only vp9 has more than one spatial layer"));
        }
        if encodings.iter().any(|(_, _, _, layers)| layers.is_empty()) {
            return Err(wrong("encodings: each has a spatial layer"));
        }
        let frames: usize = encodings.iter().map(|(_, _, _, layers)| layers.len()).sum();
        let encoding = |(rid, ssrc, rtx_ssrc, kilobits): &(Option<String>, u32, u32, Vec<u32>)| {
            Ok(EncodingConfig {
                rid: rid.as_deref().map(args::rid).transpose()?,
                ssrc: args::ssrc("encodings", *ssrc)?.0,
                rtx_ssrc: args::ssrc("encodings", *rtx_ssrc)?.0,
                kilobits: args::several("encodings", kilobits, |layer| Ok(*layer))?,
            })
        };
        let amount = match packets {
            None if filmed => match &self.clip {
                Some(clip) if clip.codec() == codec && clip.encodings() == frames => {
                    Amount::Clip(Arc::clone(clip))
                }
                _ => {
                    return Err(wrong(
                        "filmed: there is no clip of this codec and number of encodings and layers",
                    ));
                }
            },
            None => Amount::Rate,
            Some((count, bytes)) if (1..=500).contains(&count) => {
                Amount::Packets(count, payload_bytes(bytes)?)
            }
            Some(_) => return Err(wrong("packets: 1 to 500 in a picture")),
        };
        let config = VideoConfig {
            mid: args::mid(mid)?,
            codec,
            pt: args::pt("pt", pt)?,
            rtx_pt: rtx_pt.map(|pt| args::pt("rtx_pt", pt)).transpose()?,
            interval: Duration::from_secs(1) / frames_per_second,
            amount,
            encodings: args::several("encodings", &encodings, encoding)?,
            phase: phase(phase_ms)?,
        };
        self.swarm.add_video(participant, config);
        Ok(())
    }

    /// Lets a participant send sound.
    #[pyo3(signature = (
        participant, *, mid, pt, ssrc, packets_per_second, packet_bytes, spurts = false, phase_ms = 0.0, seed = 0
    ))]
    #[allow(clippy::too_many_arguments)] // all but the first by keyword
    fn add_audio(
        &self,
        participant: usize,
        mid: &str,
        pt: u8,
        ssrc: u32,
        packets_per_second: u32,
        packet_bytes: u16,
        spurts: bool,
        phase_ms: f64,
        seed: u64,
    ) -> PyResult<()> {
        if !(1..=1_000).contains(&packets_per_second) {
            return Err(wrong("packets_per_second: 1 to 1000"));
        }
        let config = AudioConfig {
            mid: args::mid(mid)?,
            pt: args::pt("pt", pt)?,
            ssrc: args::ssrc("ssrc", ssrc)?.0,
            interval: Duration::from_secs(1) / packets_per_second,
            bytes: payload_bytes(packet_bytes)?.into(),
            spurts,
            phase: phase(phase_ms)?,
            seed,
        };
        self.swarm.add_audio(participant, config);
        Ok(())
    }

    /// Sends only some encodings of a camera: bit 0 of the mask is the lowest. Cameras count from 0.
    fn set_active(&self, participant: usize, camera: usize, mask: u8) {
        self.swarm.set_active(participant, camera, mask);
    }

    /// Mutes or unmutes a microphone. Microphones count from 0.
    fn set_audible(&self, participant: usize, microphone: usize, on: bool) {
        self.swarm.set_audible(participant, microphone, on);
    }

    /// Tells a participant what the packets of some SSRCs are resends of, as (resend, original).
    fn pair_resends(&self, participant: usize, resends: Vec<(u32, u32)>) {
        self.swarm.pair(participant, resends);
    }

    /// Lets a participant vanish; one that is gone is ignored.
    fn remove_participant(&self, participant: usize) {
        self.swarm.remove(participant);
    }
}

fn to_python(py: Python<'_>, participant: usize, news: News) -> PyResult<Py<PyAny>> {
    Ok(match news {
        News::Connected { path_after, keys_after, profile } => {
            let srtp_profile = profile.label().into();
            let (ice_ms, dtls_ms) = (millis(path_after), millis(keys_after));
            Py::new(py, SwarmConnected { participant, ice_ms, dtls_ms, srtp_profile })?.into_any()
        }
        News::MediaStarted { video, after } => {
            let kind = if video { "video" } else { "audio" };
            Py::new(py, SwarmMediaStarted { participant, kind, after_ms: millis(after) })?.into_any()
        }
        News::Closed => Py::new(py, SwarmClosed { participant })?.into_any(),
    })
}

fn film(codec: &str, encodings: &[Vec<Filmed>]) -> PyResult<Arc<Clip>> {
    let Format::Video(codec) = format(codec)? else { return Err(wrong("clip: vp8, h264, vp9 or av1")) };
    Ok(Arc::new(Clip::new(codec, encodings).map_err(|said| wrong(format!("clip: {said}")))?))
}

fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

fn phase(millis: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(millis / 1_000.0).map_err(|_| wrong("phase_ms: 0 or more"))
}

fn payload_bytes(bytes: u16) -> PyResult<u16> {
    // A VP8 descriptor and a stamp have to fit.
    let least = STAMP + 8;
    if (least..=MAX_PAYLOAD).contains(&usize::from(bytes)) {
        Ok(bytes)
    } else {
        Err(wrong(format!("a payload has {least} to {MAX_PAYLOAD} bytes")))
    }
}

fn format(name: &str) -> PyResult<Format> {
    match name {
        "opus" => Ok(Format::Opus),
        "vp8" => Ok(Format::Video(VideoCodec::Vp8)),
        "h264" => Ok(Format::Video(VideoCodec::H264)),
        "vp9" => Ok(Format::Video(VideoCodec::Vp9)),
        "av1" => Ok(Format::Video(VideoCodec::Av1)),
        "rtx" => Ok(Format::Resend),
        _ => Err(wrong("payloads: opus, vp8, h264, vp9, av1 or rtx")),
    }
}
