//! Events as frozen Python objects, made only when Python comes to take them.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use rtc::event::Event;

/// Defines event classes with keyword constructors, so that tests can make them too.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ })+) => {
        $(
            $(#[$doc])*
            #[pyclass(frozen, get_all, module = "sfu._core")]
            pub(crate) struct $name { $($field: $type),+ }

            #[pymethods]
            impl $name {
                #[new]
                #[pyo3(signature = (*, $($field),+))]
                fn new($($field: $type),+) -> $name {
                    $name { $($field),+ }
                }
            }
        )+

        /// Adds the classes, and `Event`, the union of them.
        pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
            let py = module.py();
            $(module.add_class::<$name>()?;)+
            let classes = [$(py.get_type::<$name>().into_any()),+];
            let mut union = classes[0].clone();
            for class in &classes[1..] {
                union = union.bitor(class)?;
            }
            module.add("Event", union)
        }
    };
}

events! {
    /// ICE has a nominated pair, DTLS the right fingerprint and SRTP its keys.
    TransportConnected { transport: u64, path: String, ipv6: bool, srtp_profile: String }
    /// Media moved to another address of the peer.
    PathChanged { transport: u64, path: String, ipv6: bool }
    /// Nothing authentic has come for 3 s.
    TransportSilent { transport: u64 }
    /// Something came again after silence.
    TransportResumed { transport: u64 }
    /// The transport is over and must be closed.
    TransportFailed { transport: u64, reason: String }
    /// The first packet of an encoding has come.
    TrackStarted { track: u64, encoding: u8, pt: u8 }
    /// Which encodings are being sent now: bit 0 is the lowest.
    LayersChanged { track: u64, active: u8 }
    /// The encoding that a subscription gets now; None when paused or not started.
    LayerSwitched { subscription: u64, encoding: Option<u8> }
    /// What each encoding takes on the way, the lowest first, in kbps by temporal layer with those below it.
    RatesChanged { track: u64, rates: Py<PyList> }
    /// Who speaks in a group among the tracks at home on one worker, loudest first, as (track, level).
    SpeakersChanged { worker: u8, group: u32, speakers: Py<PyList> }
    /// The peer opened a data channel.
    DataChannelOpened { transport: u64, channel: u16, label: String }
    /// A message came on a data channel.
    DataReceived { transport: u64, channel: u16, binary: bool, payload: Py<PyBytes> }
    /// This many events were lost because nobody took them.
    EventsDropped { count: u64 }
}

/// The Python object of an event.
pub(crate) fn to_python(py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
    fn object<T: PyClass + Into<PyClassInitializer<T>>>(py: Python<'_>, value: T) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, value)?.into_any())
    }
    match event {
        Event::TransportConnected { transport, path, ipv6, srtp_profile } => object(
            py,
            TransportConnected {
                transport: transport.0,
                path: path.label().into(),
                ipv6,
                srtp_profile: srtp_profile.label().into(),
            },
        ),
        Event::PathChanged { transport, path, ipv6 } => {
            object(py, PathChanged { transport: transport.0, path: path.label().into(), ipv6 })
        }
        Event::TransportSilent { transport } => object(py, TransportSilent { transport: transport.0 }),
        Event::TransportResumed { transport } => object(py, TransportResumed { transport: transport.0 }),
        Event::TransportFailed { transport, reason } => {
            object(py, TransportFailed { transport: transport.0, reason: reason.label().into() })
        }
        Event::TrackStarted { track, encoding, pt } => {
            object(py, TrackStarted { track: track.0, encoding, pt: pt.0 })
        }
        Event::LayersChanged { track, active } => object(py, LayersChanged { track: track.0, active }),
        Event::LayerSwitched { subscription, encoding } => {
            object(py, LayerSwitched { subscription: subscription.0, encoding })
        }
        Event::RatesChanged { track, rates } => {
            let rates = rates.into_iter().map(|[base, middle, all]| (base.0, middle.0, all.0));
            let rates = PyList::new(py, rates.collect::<Vec<_>>())?.unbind();
            object(py, RatesChanged { track: track.0, rates })
        }
        Event::SpeakersChanged { worker, group, speakers } => {
            let speakers = speakers.into_iter().map(|(track, level)| (track.0, level)).collect::<Vec<_>>();
            object(
                py,
                SpeakersChanged { worker, group: group.0, speakers: PyList::new(py, speakers)?.unbind() },
            )
        }
        Event::DataChannelOpened { transport, channel, label } => {
            object(py, DataChannelOpened { transport: transport.0, channel, label: label.into() })
        }
        Event::DataReceived { transport, channel, binary, payload } => {
            let payload = PyBytes::new(py, &payload).unbind();
            object(py, DataReceived { transport: transport.0, channel, binary, payload })
        }
        Event::EventsDropped { count } => object(py, EventsDropped { count }),
    }
}
