//! Arguments as they come from Python, checked one by one; each error says which argument is wrong and why.

use std::net::IpAddr;

use arrayvec::ArrayVec;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rtc::command::{
    Codec, Extension, ExtensionIds, Fingerprint, IceCredentials, LayerPlan, MAX_ENCODINGS, MediaKind, Mid,
    Rid,
};
use rtc::id::{SubscriptionId, TrackId, TransportId};
use rtc::units::{Kbps, Pt, Ssrc};

/// Most bytes of one message on a data channel: what SDKs cut their packets to is a quarter of it.
pub(crate) const MAX_DATA_MESSAGE: usize = 64 * 1024;

/// Highest bit rate that may be asked for.
const MAX_KBPS: u32 = 1_000_000;

pub(crate) fn wrong(text: impl Into<String>) -> PyErr {
    PyValueError::new_err(text.into())
}

pub(crate) fn ip(name: &str, text: &str) -> PyResult<IpAddr> {
    text.parse().map_err(|_| wrong(format!("{name}: {text:?} is not an IP address")))
}

/// User name fragment and password in the lengths and characters of RFC 8839, section 5.4.
pub(crate) fn credentials(ufrag: &str, pwd: &str) -> PyResult<IceCredentials> {
    let legal =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if !(4..=256).contains(&ufrag.len()) || !legal(ufrag) {
        return Err(wrong("ufrag: 4 to 256 letters, digits, + or /"));
    }
    if !(22..=256).contains(&pwd.len()) || !legal(pwd) {
        return Err(wrong("pwd: 22 to 256 letters, digits, + or /"));
    }
    Ok(IceCredentials { ufrag: ufrag.into(), pwd: pwd.into() })
}

/// Our own credentials, whose ufrag tells the worker that it belongs to.
pub(crate) fn local_credentials(worker: u8, ufrag: &str, pwd: &str) -> PyResult<IceCredentials> {
    let local = credentials(ufrag, pwd)?;
    match local.ufrag.chars().next().and_then(|digit| digit.to_digit(36)) {
        Some(home) if home == u32::from(worker) => Ok(local),
        _ => Err(wrong(format!("ufrag: must begin with its worker, {worker}, as a base-36 digit"))),
    }
}

/// Checks each of `items`, and that there are not more than fit.
pub(crate) fn several<T, U, const N: usize>(
    name: &str,
    items: &[T],
    check: impl Fn(&T) -> PyResult<U>,
) -> PyResult<ArrayVec<U, N>> {
    if items.len() > N {
        return Err(wrong(format!("{name}: at most {N}")));
    }
    items.iter().map(check).collect()
}

pub(crate) fn fingerprint(digest: &[u8]) -> PyResult<Fingerprint> {
    digest.try_into().map(Fingerprint).map_err(|_| wrong("fingerprints: a SHA-256 digest has 32 bytes"))
}

pub(crate) fn extensions(pairs: &[(String, u8)]) -> PyResult<ExtensionIds> {
    let mut ids = ExtensionIds::default();
    for (uri, id) in pairs {
        let known = Extension::ALL.into_iter().find(|extension| extension.uri() == uri);
        let Some(extension) = known else {
            return Err(wrong(format!("extensions: {uri} is not in EXTENSION_URIS")));
        };
        if matches!(id, 0 | 15) || ids.extension(*id).is_some() || ids.id(extension).is_some() {
            return Err(wrong(format!("extensions: id {id} of {uri} is reserved or given twice")));
        }
        ids.set(extension, *id);
    }
    Ok(ids)
}

pub(crate) fn kind(text: &str) -> PyResult<MediaKind> {
    match text {
        "audio" => Ok(MediaKind::Audio),
        "video" => Ok(MediaKind::Video),
        _ => Err(wrong("kind: audio or video")),
    }
}

pub(crate) fn codec(text: &str) -> PyResult<Codec> {
    match text {
        "opus" => Ok(Codec::Opus),
        "red" => Ok(Codec::Red),
        "vp8" => Ok(Codec::Vp8),
        "vp9" => Ok(Codec::Vp9),
        "h264" => Ok(Codec::H264),
        "av1" => Ok(Codec::Av1),
        "opaque" => Ok(Codec::Opaque),
        _ => Err(wrong("codec: opus, red, vp8, vp9, h264, av1 or opaque")),
    }
}

pub(crate) fn mid(text: &str) -> PyResult<Mid> {
    Mid::from(text).map_err(|_| wrong("mid: at most 16 bytes"))
}

pub(crate) fn rid(text: &str) -> PyResult<Rid> {
    match Rid::from(text) {
        Ok(rid) if !rid.is_empty() => Ok(rid),
        _ => Err(wrong("encodings: a rid has 1 to 16 bytes")),
    }
}

pub(crate) fn pt(name: &str, number: u8) -> PyResult<Pt> {
    if number < 128 { Ok(Pt(number)) } else { Err(wrong(format!("{name}: a payload type is 0 to 127"))) }
}

pub(crate) fn ssrc(name: &str, number: u32) -> PyResult<Ssrc> {
    if number > 0 { Ok(Ssrc(number)) } else { Err(wrong(format!("{name}: an SSRC of 0 is reserved"))) }
}

pub(crate) fn kbps(number: u32) -> PyResult<Kbps> {
    if (1..=MAX_KBPS).contains(&number) {
        Ok(Kbps(number))
    } else {
        Err(wrong(format!("kbps: 1 to {MAX_KBPS}")))
    }
}

pub(crate) fn plan(encoding: Option<u8>, temporal: u8) -> PyResult<LayerPlan> {
    encoding_index(encoding)?;
    Ok(LayerPlan { encoding, temporal })
}

pub(crate) fn encoding_index(encoding: Option<u8>) -> PyResult<Option<u8>> {
    match encoding {
        Some(index) if usize::from(index) >= MAX_ENCODINGS => {
            Err(wrong(format!("encoding: 0 to {}", MAX_ENCODINGS - 1)))
        }
        other => Ok(other),
    }
}

/// Defines the check of an id: it must name a worker that exists. Whether the object lives is the worker's to say.
macro_rules! id {
    ($function:ident, $type:ident) => {
        pub(crate) fn $function(id: u64, workers: u8) -> PyResult<$type> {
            match $type(id) {
                id if id.worker() < workers => Ok(id),
                _ => Err(wrong(concat!(stringify!($function), ": not an id that was given out"))),
            }
        }
    };
}

id!(transport, TransportId);
id!(track, TrackId);
id!(subscription, SubscriptionId);
