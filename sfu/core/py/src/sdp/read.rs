//! Text to values, without Python.
//!
//! Mozilla's reader takes one line at a time; which section a line belongs to, and which lines matter, is decided
//! here. Lines that we keep as written (fmtp, rtcp-fb) or only count (candidates) never reach it: it would refuse an
//! offer for forms that browsers really use, and a candidate's address is not ours to look at. Every step is linear in
//! the text.

use std::collections::HashMap;

use webrtc_sdp::attribute_type::{SdpAttribute, SdpAttributeGroupSemantic, SdpAttributeSimulcastVersion};
use webrtc_sdp::error::SdpParserError;
use webrtc_sdp::{SdpType, parse_sdp_line};

use super::words::{direction_word, group_word, setup_word, single_direction_word};

/// Most bytes read: sixty video sections of today's browsers.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// Most lines read.
const MAX_LINES: usize = 16_384;
/// Most bytes of one line.
const MAX_LINE: usize = 4_096;
/// Most media sections read.
const MAX_SECTIONS: usize = 256;
/// Most payload types of all sections: browsers list 25 in a section of video.
const MAX_PAYLOADS: usize = 8_192;
/// Feedback kept of one payload type, and lines for all of them read in one section: browsers use five.
const MAX_FEEDBACK: usize = 8;
/// Payload types are 7 bits (RFC 3550).
const PAYLOAD_TYPES: usize = 128;

/// What is wrong, and in which line counted from 1; 0 when the whole is meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A session description.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) transport: Transport,
    pub(crate) ice_options: Vec<String>,
    pub(crate) bundle: Vec<Vec<String>>,
    pub(crate) extmap_allow_mixed: bool,
    pub(crate) media: Vec<Section>,
    payloads: usize,
}

/// What may stand at session level or in a section.
#[derive(Debug, Default)]
pub(crate) struct Transport {
    pub(crate) ufrag: Option<String>,
    pub(crate) pwd: Option<String>,
    pub(crate) setup: Option<&'static str>,
    pub(crate) fingerprints: Vec<(String, Vec<u8>)>,
}

/// An m= section.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) kind: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    pub(crate) transport: Transport,
    pub(crate) mid: Option<String>,
    pub(crate) direction: &'static str,
    pub(crate) rtcp_mux: bool,
    pub(crate) payloads: Vec<Payload>,
    pub(crate) extensions: Vec<(u16, String, Option<&'static str>)>,
    pub(crate) rids: Vec<(String, &'static str)>,
    pub(crate) simulcast_send: Vec<Vec<String>>,
    pub(crate) simulcast_recv: Vec<Vec<String>>,
    pub(crate) ssrcs: Vec<(u32, Option<String>, Option<String>)>,
    pub(crate) ssrc_groups: Vec<(&'static str, Vec<u32>)>,
    pub(crate) msid: Option<(String, String)>,
    pub(crate) sctp_port: Option<u16>,
    pub(crate) max_message_size: Option<u64>,
    pub(crate) bundle_only: bool,
    pub(crate) candidates: usize,
    payload_index: [u8; PAYLOAD_TYPES],
    wildcards: usize,
    ssrc_index: HashMap<u32, usize>,
}

/// A payload type of a section.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) pt: u8,
    pub(crate) name: String,
    pub(crate) clock_rate: u32,
    pub(crate) channels: u32,
    pub(crate) fmtp: String,
    pub(crate) feedback: Vec<String>,
}

/// Reads a session description.
pub(crate) fn read(text: &str) -> Result<Description, Malformed> {
    if text.len() > MAX_BYTES {
        return Err(whole(format!("longer than {MAX_BYTES} bytes")));
    }
    let mut description = Description::default();
    let mut number = 0;
    for line in text.split('\n') {
        number += 1;
        if number > MAX_LINES {
            return Err(whole(format!("more than {MAX_LINES} lines")));
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.is_empty() {
            description.line(line, number).map_err(|text| Malformed { line: number, text })?;
        } else if number == 1 {
            break; // the first line must say v=0
        }
    }
    if !text.starts_with("v=0") {
        return Err(Malformed { line: 1, text: "a session description begins with v=0".into() });
    }
    Ok(description)
}

impl Description {
    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        if line.len() > MAX_LINE {
            return Err(format!("longer than {MAX_LINE} bytes"));
        }
        if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err("a control character".into());
        }
        let (kind, value) = line.split_once('=').ok_or("not of the form x=...")?;
        match kind {
            "m" if self.media.len() == MAX_SECTIONS => Err(format!("more than {MAX_SECTIONS} sections")),
            "m" => {
                let section = Section::open(value)?;
                self.payloads += section.payloads.len();
                self.media.push(section);
                if self.payloads > MAX_PAYLOADS {
                    return Err(format!("more than {MAX_PAYLOADS} payload types"));
                }
                Ok(())
            }
            "a" => self.attribute(line, value, number),
            _ if kind.len() == 1 => Ok(()), // names, times and addresses are not what we decide by
            _ => Err("not of the form x=...".into()),
        }
    }

    fn attribute(&mut self, line: &str, value: &str, number: usize) -> Result<(), String> {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match (name, self.media.last_mut()) {
            ("candidate", Some(section)) => section.candidates += 1,
            ("fmtp", Some(section)) => section.add_fmtp(value),
            ("rtcp-fb", Some(section)) => section.add_feedback(value),
            ("rid", Some(section)) => {
                // Restrictions of a stream are not ours to enforce, and the reader takes only some of their forms.
                let mut words = value.split_whitespace();
                let (id, direction) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
                if let Some(attribute) = read_line(&format!("a=rid:{id} {direction}"), number)? {
                    section.set(attribute);
                }
            }
            (name, section) if is_read(name) => {
                let Some(attribute) = read_line(line, number)? else { return Ok(()) };
                match section {
                    Some(section) => section.set(attribute),
                    None => self.set(attribute),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, attribute: SdpAttribute) {
        match attribute {
            SdpAttribute::ExtmapAllowMixed => self.extmap_allow_mixed = true,
            SdpAttribute::IceOptions(options) => self.ice_options = options,
            SdpAttribute::Group(group) => {
                if matches!(group.semantics, SdpAttributeGroupSemantic::Bundle) {
                    self.bundle.push(group.tags);
                }
            }
            other => self.transport.set(other),
        }
    }
}

impl Transport {
    fn set(&mut self, attribute: SdpAttribute) {
        match attribute {
            SdpAttribute::IceUfrag(ufrag) => self.ufrag = Some(ufrag),
            SdpAttribute::IcePwd(pwd) => self.pwd = Some(pwd),
            SdpAttribute::Setup(setup) => self.setup = Some(setup_word(&setup)),
            SdpAttribute::Fingerprint(print) => {
                self.fingerprints.push((print.hash_algorithm.to_string(), print.fingerprint));
            }
            _ => {}
        }
    }
}

impl Section {
    /// Reads what follows `m=`. Done here for every kind of medium: Mozilla's reader knows only three, and a line
    /// that it skipped would give its attributes to the section before.
    fn open(value: &str) -> Result<Section, String> {
        let mut words = value.split_ascii_whitespace();
        let mut next = |what: &str| words.next().ok_or(format!("m= without {what}"));
        let (kind, port, protocol) = (next("a medium")?, next("a port")?, next("a protocol")?);
        let port = port.split('/').next().unwrap_or(port);
        let mut section = Section {
            kind: kind.into(),
            port: port.parse().map_err(|_| "m= with a port that is none".to_string())?,
            protocol: protocol.into(),
            transport: Transport::default(),
            mid: None,
            direction: "sendrecv",
            rtcp_mux: false,
            payloads: Vec::new(),
            extensions: Vec::new(),
            rids: Vec::new(),
            simulcast_send: Vec::new(),
            simulcast_recv: Vec::new(),
            ssrcs: Vec::new(),
            ssrc_groups: Vec::new(),
            msid: None,
            sctp_port: None,
            max_message_size: None,
            bundle_only: false,
            candidates: 0,
            payload_index: [u8::MAX; PAYLOAD_TYPES],
            wildcards: 0,
            ssrc_index: HashMap::new(),
        };
        if protocol.contains("RTP/") {
            for word in words {
                let pt = word.parse().ok().filter(|&pt: &u8| usize::from(pt) < PAYLOAD_TYPES);
                section.add_payload(pt.ok_or("m= with a payload type that is none")?);
            }
        }
        Ok(section)
    }

    fn add_payload(&mut self, pt: u8) {
        let index = &mut self.payload_index[usize::from(pt)];
        if *index == u8::MAX {
            *index = self.payloads.len() as u8; // 128 at most, one for each payload type
            let (name, fmtp, feedback) = (String::new(), String::new(), Vec::new());
            self.payloads.push(Payload { pt, name, clock_rate: 0, channels: 0, fmtp, feedback });
        }
    }

    fn payload(&mut self, pt: &str) -> Option<&mut Payload> {
        let index = *self.payload_index.get(pt.parse::<usize>().ok()?)?;
        self.payloads.get_mut(usize::from(index))
    }

    fn add_fmtp(&mut self, value: &str) {
        let (pt, parameters) = value.split_once(' ').unwrap_or((value, ""));
        if let Some(payload) = self.payload(pt) {
            payload.fmtp = parameters.trim().into();
        }
    }

    fn add_feedback(&mut self, value: &str) {
        let (pt, feedback) = value.split_once(' ').unwrap_or((value, ""));
        match pt {
            "*" if self.wildcards == MAX_FEEDBACK => {}
            "*" => {
                self.wildcards += 1;
                self.payloads.iter_mut().for_each(|payload| payload.add_feedback(feedback));
            }
            pt => {
                if let Some(payload) = self.payload(pt) {
                    payload.add_feedback(feedback);
                }
            }
        }
    }

    fn set(&mut self, attribute: SdpAttribute) {
        match attribute {
            SdpAttribute::Mid(mid) => self.mid = Some(mid),
            SdpAttribute::Sendrecv => self.direction = "sendrecv",
            SdpAttribute::Sendonly => self.direction = "sendonly",
            SdpAttribute::Recvonly => self.direction = "recvonly",
            SdpAttribute::Inactive => self.direction = "inactive",
            SdpAttribute::RtcpMux => self.rtcp_mux = true,
            SdpAttribute::BundleOnly => self.bundle_only = true,
            SdpAttribute::Rtpmap(map) => {
                let index = self.payload_index[usize::from(map.payload_type)];
                if let Some(payload) = self.payloads.get_mut(usize::from(index)) {
                    payload.name = map.codec_name;
                    payload.clock_rate = map.frequency;
                    payload.channels = map.channels.unwrap_or(1);
                }
            }
            SdpAttribute::Extmap(map) => {
                self.extensions.push((map.id, map.url, map.direction.as_ref().map(direction_word)));
            }
            SdpAttribute::Rid(rid) => self.rids.push((rid.id, single_direction_word(&rid.direction))),
            SdpAttribute::Simulcast(simulcast) => {
                self.simulcast_send = simulcast.send.iter().map(alternatives).collect();
                self.simulcast_recv = simulcast.receive.iter().map(alternatives).collect();
            }
            SdpAttribute::Ssrc(ssrc) => self.add_ssrc(ssrc.id, ssrc.attribute.as_deref(), ssrc.value),
            SdpAttribute::SsrcGroup(semantics, ssrcs) => {
                let ssrcs = ssrcs.into_iter().map(|ssrc| ssrc.id).collect();
                self.ssrc_groups.push((group_word(&semantics), ssrcs));
            }
            SdpAttribute::Msid(msid) => {
                // A track in several streams has several lines; the first one names it.
                self.msid.get_or_insert((msid.id, msid.appdata.unwrap_or_default()));
            }
            SdpAttribute::SctpPort(port) => self.sctp_port = u16::try_from(port).ok(),
            SdpAttribute::MaxMessageSize(size) => self.max_message_size = Some(size),
            other => self.transport.set(other),
        }
    }

    fn add_ssrc(&mut self, ssrc: u32, attribute: Option<&str>, value: Option<String>) {
        let index = *self.ssrc_index.entry(ssrc).or_insert_with(|| {
            self.ssrcs.push((ssrc, None, None));
            self.ssrcs.len() - 1
        });
        match attribute {
            Some("cname") => self.ssrcs[index].1 = value,
            Some("msid") => self.ssrcs[index].2 = value,
            _ => {}
        }
    }
}

impl Payload {
    fn add_feedback(&mut self, feedback: &str) {
        let feedback = feedback.trim();
        if self.feedback.len() < MAX_FEEDBACK && !self.feedback.iter().any(|known| known == feedback) {
            self.feedback.push(feedback.into());
        }
    }
}

/// The attributes that Mozilla's reader is asked for; all others are unknown to us and ignored, as RFC 8866 wants.
fn is_read(name: &str) -> bool {
    matches!(
        name,
        "bundle-only"
            | "extmap"
            | "extmap-allow-mixed"
            | "fingerprint"
            | "group"
            | "ice-options"
            | "ice-pwd"
            | "ice-ufrag"
            | "inactive"
            | "max-message-size"
            | "mid"
            | "msid"
            | "recvonly"
            | "rtcp-mux"
            | "rtpmap"
            | "sctp-port"
            | "sendonly"
            | "sendrecv"
            | "setup"
            | "simulcast"
            | "ssrc"
            | "ssrc-group"
    )
}

/// Reads an attribute line; `None` for one whose value the reader does not know.
fn read_line(line: &str, number: usize) -> Result<Option<SdpAttribute>, String> {
    match parse_sdp_line(line, number) {
        Ok(line) => match line.sdp_type {
            SdpType::Attribute(attribute) => Ok(Some(attribute)),
            _ => Ok(None),
        },
        Err(SdpParserError::Unsupported { .. }) => Ok(None),
        Err(SdpParserError::Line { error, .. }) => Err(shortened(error.to_string())),
        Err(SdpParserError::Sequence { message, .. }) => Err(shortened(message)),
    }
}

fn whole(text: String) -> Malformed {
    Malformed { line: 0, text }
}

/// Errors quote what they met; an error need not be as long as the offer.
fn shortened(text: String) -> String {
    text.chars().take(120).collect()
}

/// The alternatives of one simulcast stream, a paused one with its tilde (RFC 8853).
fn alternatives(version: &SdpAttributeSimulcastVersion) -> Vec<String> {
    version.ids.iter().map(|id| if id.paused { format!("~{}", id.id) } else { id.id.clone() }).collect()
}
