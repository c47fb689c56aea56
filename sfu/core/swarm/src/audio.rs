//! A synthetic microphone: a packet of Opus's size at its time, always or in talk spurts.

use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use rtc::command::{Extension, Mid};
use rtc::outbox::TrafficClass;
use rtc::rtcp::{Composer, NtpTime, SenderInfo};
use rtc::units::{Pt, RtpTime, SeqNo, Ssrc, Time};

use crate::line::{Head, Line, MAX_PAYLOAD};
use crate::stamp::{self, STAMP};

/// Mean lengths of speech and of silence of one person in a conversation (ITU-T P.59).
const TALK: Duration = Duration::from_millis(1_004);
const SILENCE: Duration = Duration::from_millis(1_587);
/// In silence Opus sends a packet so often (RFC 6716, section 2.1.9).
const SILENCE_INTERVAL: Duration = Duration::from_millis(400);
/// Bytes of such a packet: the least that carries a stamp.
const SILENCE_BYTES: usize = STAMP;
/// Loudness of speech and of silence, in dB below the loudest (RFC 6464).
const SPEECH_LEVEL: u8 = 20;
const SILENCE_LEVEL: u8 = 127;
/// More behind than this, sounds are left out rather than made up for.
const HOPELESS: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_millis(2);

/// What a microphone is made from.
#[derive(Debug, Clone)]
pub struct AudioConfig {
    /// The section it is sent in.
    pub mid: Mid,
    /// Payload type.
    pub pt: Pt,
    /// The stream.
    pub ssrc: u32,
    /// Time from one packet to the next.
    pub interval: Duration,
    /// Payload bytes of a packet.
    pub bytes: usize,
    /// Speaks and falls silent in turn, instead of speaking always.
    pub spurts: bool,
    /// The first packet comes so long after the start.
    pub phase: Duration,
    /// Of the lengths of talk spurts.
    pub seed: u64,
}

/// A microphone that runs.
pub struct AudioSource {
    config: AudioConfig,
    rng: ChaCha12Rng,
    due: Time,
    on: bool,
    talking: bool,
    /// When speech turns to silence, or the other way round.
    turns: Time,
    marker: bool,
    next: SeqNo,
    packets: u32,
    bytes: u32,
}

impl AudioSource {
    /// A microphone that begins as soon as its participant is connected.
    pub fn new(now: Time, config: AudioConfig) -> AudioSource {
        let due = now + config.phase;
        AudioSource {
            rng: ChaCha12Rng::seed_from_u64(config.seed),
            due,
            on: true,
            talking: !config.spurts,
            turns: if config.spurts { due } else { Time::NEVER },
            marker: true,
            next: SeqNo(u64::from(config.ssrc & 0x3fff)),
            packets: 0,
            bytes: 0,
            config,
        }
    }

    /// When the next packet is due.
    pub fn poll_timeout(&self) -> Time {
        if self.on { self.due } else { Time::NEVER }
    }

    /// Falls silent without a packet, or speaks again: the first packet has the marker of a talk spurt.
    pub fn set_on(&mut self, now: Time, on: bool) {
        if on && !self.on {
            self.due = self.due.max(now);
            self.marker = true;
        }
        self.on = on;
    }

    /// Sends the packets that are due.
    pub fn handle_timeout(&mut self, line: &mut Line<'_>) {
        let behind = line.now.since(self.due);
        if behind > HOPELESS {
            self.due = line.now;
        }
        while self.due <= line.now {
            line.figures.late += u64::from(line.now.since(self.due) > LATE);
            self.turn();
            self.speak(line);
            let interval = if self.talking { self.config.interval } else { SILENCE_INTERVAL };
            self.due = (self.due + interval).min(self.turns.max(self.due + self.config.interval));
        }
    }

    /// Says how much was sent, and which timestamp is now.
    pub fn report(&self, now: Time, ntp: NtpTime, composer: &mut Composer) {
        if self.packets > 0 {
            let info =
                SenderInfo { ntp, rtp: RtpTime(timestamp(now)), packets: self.packets, bytes: self.bytes };
            composer.sender_report(Ssrc(self.config.ssrc), &info, &[]);
        }
    }

    fn turn(&mut self) {
        if self.due < self.turns {
            return;
        }
        self.talking = !self.talking;
        self.marker = self.talking;
        let mean = if self.talking { TALK } else { SILENCE };
        // Exponential, as P.59 models it; the share is never 0.
        let share = (f64::from(self.rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
        self.turns = self.due + mean.mul_f64(-share.ln());
    }

    fn speak(&mut self, line: &mut Line<'_>) {
        let (len, level) = match self.talking {
            true => (self.config.bytes.clamp(STAMP, MAX_PAYLOAD), 0x80 | SPEECH_LEVEL),
            false => (SILENCE_BYTES, SILENCE_LEVEL),
        };
        let head = Head {
            marker: std::mem::take(&mut self.marker),
            pt: self.config.pt,
            number: self.next,
            timestamp: timestamp(self.due),
            ssrc: self.config.ssrc,
            extensions: &[(Extension::Mid, self.config.mid.as_bytes()), (Extension::AudioLevel, &[level])],
        };
        let now = line.now;
        let sent = line.send(&head, TrafficClass::Audio, len, |payload| {
            payload.fill(0x78);
            stamp::write(payload, 0, 0, now);
        });
        self.next = self.next.next();
        if sent {
            line.figures.packets_sent += 1;
            line.figures.bytes_sent += len as u64;
            self.packets = self.packets.wrapping_add(1);
            self.bytes = self.bytes.wrapping_add(len as u32);
        }
    }
}

/// 48 kHz since the clock began.
fn timestamp(at: Time) -> u32 {
    (at.micros() * 6 / 125) as u32
}
