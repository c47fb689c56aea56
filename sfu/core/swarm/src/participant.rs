//! One synthetic participant, without its socket: a browser, what it sends and what it receives.

use std::sync::Arc;
use std::time::Duration;

use dimpl::DtlsCertificate;
use rtc::command::{ExtensionIds, IceCredentials};
use rtc::event::SrtpProfile;
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;
use rtc::rtcp::{Composer, Compound, NtpTime, RtcpPacket};
use rtc::units::{Ssrc, Time};
use sim::browser::{Browser, BrowserConfig, Occurrence, Server};

use crate::audio::{AudioConfig, AudioSource};
use crate::clip::Clip;
use crate::figures::Figures;
use crate::line::Uplink;
use crate::reception::{Format, Formats, Reception};
use crate::video::{VideoConfig, VideoSource};

/// Reports go out so often, as browsers do for video.
const REPORT_INTERVAL: Duration = Duration::from_millis(1_000);
/// Some day of 1995: only differences count.
const SENDERS_EPOCH: NtpTime = NtpTime(3_000_000_000 << 32);

/// What a participant is made from.
pub struct ParticipantConfig {
    /// Where its datagrams come from.
    pub local: std::net::SocketAddr,
    /// Its own credentials.
    pub ice: IceCredentials,
    /// Its certificate.
    pub certificate: DtlsCertificate,
    /// What the server's description says.
    pub server: Server,
    /// What the server calls the header extensions.
    pub extensions: ExtensionIds,
    /// Payload types of its own description.
    pub formats: Formats,
    /// One received packet in so many is decrypted and read.
    pub check_every: u32,
    /// What the cameras of all participants send, if it is one.
    pub clip: Option<Arc<Clip>>,
    /// Under which it reports what it receives.
    pub report_ssrc: Ssrc,
    /// Of whatever is random.
    pub seed: u64,
}

/// Something that a participant's owner wants to know.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // times count from when the participant began to connect
pub enum News {
    /// DTLS has finished; the path was there before.
    Connected { path_after: Duration, keys_after: Duration, profile: SrtpProfile },
    /// The first packet of a kind of media has come.
    MediaStarted { video: bool, after: Duration },
    /// The server ended the connection, or DTLS broke.
    Closed,
}

/// One synthetic participant.
pub struct Participant {
    browser: Browser,
    uplink: Uplink,
    videos: Vec<VideoSource>,
    audios: Vec<AudioSource>,
    reception: Reception,
    report_ssrc: Ssrc,
    next_report: Time,
    began: Time,
    path_at: Option<Time>,
    heard: [bool; 2],
    composer: Composer,
}

/// What a participant works with, lent for one turn.
pub struct Around<'a> {
    /// Where datagrams go; each turn needs room for what a participant has to send at once.
    pub outbox: &'a mut Outbox,
    /// Where things are counted.
    pub figures: &'a mut Figures,
    /// What its owner is told.
    pub news: &'a mut Vec<News>,
}

impl Participant {
    /// A participant that begins to connect. `epoch` is the instant of time 0.
    pub fn new(now: Time, epoch: std::time::Instant, config: ParticipantConfig) -> Participant {
        let path = Path { socket: 0, remote: config.server.address };
        let browser = BrowserConfig {
            address: config.local,
            ice: config.ice,
            certificate: config.certificate,
            epoch,
            seed: config.seed,
        };
        let mut browser = Browser::new(now, browser);
        browser.set_server(now, config.server);
        let mut reception = Reception::new(config.formats, config.check_every);
        if let Some(clip) = config.clip {
            reception.know(clip);
        }
        Participant {
            browser,
            uplink: Uplink::new(path, config.extensions),
            videos: Vec::new(),
            audios: Vec::new(),
            reception,
            report_ssrc: config.report_ssrc,
            next_report: Time::NEVER,
            began: now,
            path_at: None,
            heard: [false; 2],
            composer: Composer::new(),
        }
    }

    /// Media can be sent.
    pub fn is_connected(&self) -> bool {
        self.browser.is_connected()
    }

    /// Adds a camera.
    pub fn add_video(&mut self, now: Time, config: VideoConfig) {
        self.videos.push(VideoSource::new(now, config));
    }

    /// Adds a microphone.
    pub fn add_audio(&mut self, now: Time, config: AudioConfig) {
        self.audios.push(AudioSource::new(now, config));
    }

    /// Sends only these encodings of a camera, bit 0 the lowest; cameras count from 0 in the order of adding.
    pub fn set_active(&mut self, camera: usize, mask: u8) {
        if let Some(video) = self.videos.get_mut(camera) {
            video.set_active(mask);
        }
    }

    /// Mutes or unmutes a microphone; they count from 0 in the order of adding.
    pub fn set_audible(&mut self, now: Time, microphone: usize, on: bool) {
        if let Some(audio) = self.audios.get_mut(microphone) {
            audio.set_on(now, on);
        }
    }

    /// Knows from now on what the packets of some SSRCs are resends of, as (resend, original).
    pub fn pair(&mut self, resends: &[(u32, u32)]) {
        self.reception.pair(resends);
    }

    /// When it wants `handle_timeout`.
    pub fn poll_timeout(&self) -> Time {
        let browser = self.browser.poll_timeout();
        if !self.is_connected() {
            return browser;
        }
        let videos = self.videos.iter().map(VideoSource::poll_timeout);
        let sources = videos.chain(self.audios.iter().map(AudioSource::poll_timeout));
        sources.fold(browser.min(self.next_report).min(self.reception.poll_timeout()), Time::min)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time, around: &mut Around<'_>) {
        if self.browser.poll_timeout() <= now {
            self.browser.handle_timeout(now);
            self.after_browser(now, around);
        }
        let Some((sender, _)) = self.browser.media() else { return };
        let mut line = self.uplink.line(now, sender, around.outbox, around.figures);
        self.audios
            .iter_mut()
            .filter(|audio| audio.poll_timeout() <= now)
            .for_each(|a| a.handle_timeout(&mut line));
        self.videos
            .iter_mut()
            .filter(|video| video.poll_timeout() <= now)
            .for_each(|v| v.handle_timeout(&mut line));
        if self.reception.poll_timeout() <= now {
            self.composer.clear();
            self.reception.ask(now, self.report_ssrc, &mut self.composer, line.figures);
            if !self.composer.is_empty() {
                line.send_control(self.composer.bytes());
            }
        }
        if self.next_report <= now {
            self.next_report = now + REPORT_INTERVAL;
            let ntp = SENDERS_EPOCH.plus_micros(now.micros());
            self.composer.clear();
            self.audios.iter().for_each(|audio| audio.report(now, ntp, &mut self.composer));
            self.videos.iter().for_each(|video| video.report(now, ntp, &mut self.composer));
            if !self.composer.is_empty() {
                line.send_control(self.composer.bytes());
            }
            self.reception.report(now, self.report_ssrc, |compound| line.send_control(compound));
        }
    }

    /// Takes a datagram that the kernel got at `at`.
    pub fn handle_datagram(&mut self, now: Time, at: Time, datagram: &mut [u8], around: &mut Around<'_>) {
        match datagram {
            [128..=191, 192..=223, ..] => self.handle_control(now, at, datagram, around),
            [128..=191, ..] => self.handle_media(at, datagram, around),
            _ => {
                let checks = self.browser.checks_answered;
                self.browser.handle_datagram(now, datagram);
                if checks == 0 && self.browser.checks_answered > 0 {
                    self.path_at = Some(now);
                }
                self.after_browser(now, around);
            }
        }
    }

    fn handle_media(&mut self, at: Time, datagram: &mut [u8], around: &mut Around<'_>) {
        let Some((_, receiver)) = self.browser.media() else { return };
        let Some(format) = self.reception.handle_rtp(at, datagram, receiver, around.figures) else { return };
        let video = format != Format::Opus;
        if !std::mem::replace(&mut self.heard[usize::from(video)], true) {
            around.news.push(News::MediaStarted { video, after: at.since(self.began) });
        }
    }

    fn handle_control(&mut self, now: Time, at: Time, datagram: &mut [u8], around: &mut Around<'_>) {
        let Some((sender, receiver)) = self.browser.media() else { return };
        let Ok(len) = receiver.unprotect_rtcp(at, datagram) else {
            around.figures.undecipherable += 1;
            return;
        };
        let compound = &datagram[..len];
        self.reception.handle_control(at, compound);
        let mut line = self.uplink.line(now, sender, around.outbox, around.figures);
        for packet in Compound::new(compound).flatten() {
            match packet {
                RtcpPacket::PictureLoss { media } => want_key_frame(&mut self.videos, media, line.figures),
                RtcpPacket::FullIntraRequest { entries } => {
                    entries.for_each(|(media, _)| want_key_frame(&mut self.videos, media, line.figures));
                }
                RtcpPacket::Nack { media, lost } => {
                    let mut videos = self.videos.iter_mut();
                    videos.any(|video| video.resend(media.0, lost, &mut line));
                }
                _ => {}
            }
        }
    }

    /// Passes on what the browser has to send and to tell.
    fn after_browser(&mut self, now: Time, around: &mut Around<'_>) {
        while let Some(datagram) = self.browser.poll_transmit() {
            let pushed = around.outbox.push(self.uplink.path, TrafficClass::Other, &datagram);
            around.figures.send_refused += u64::from(!pushed);
        }
        while let Some(occurrence) = self.browser.poll_occurrence() {
            match occurrence {
                Occurrence::Connected(profile) => {
                    self.next_report = now + REPORT_INTERVAL;
                    let path_at = self.path_at.unwrap_or(now);
                    around.news.push(News::Connected {
                        path_after: path_at.since(self.began),
                        keys_after: now.since(self.began),
                        profile,
                    });
                }
                Occurrence::Closed => around.news.push(News::Closed),
                _ => {}
            }
        }
    }
}

fn want_key_frame(videos: &mut [VideoSource], media: Ssrc, figures: &mut Figures) {
    let found = videos.iter_mut().any(|video| video.want_key_frame(media.0));
    figures.key_frame_requests += u64::from(found);
}
