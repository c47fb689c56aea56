//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

use std::time::Duration;

use crate::rtcp::{Composer, FORMAT_TRANSPORT_CC, TRANSPORT_FEEDBACK};
use crate::units::{Ssrc, Time};

/// Reference times count in 64 ms, deltas in 250 us.
const REFERENCE_MICROS: u64 = 64_000;
const DELTA_MICROS: i64 = 250;
/// Most packets that one feedback reports: at two bytes a delta it stays inside a compound.
pub const MAX_STATUSES: usize = 400;
/// Longest run that one chunk can tell of.
const MAX_RUN: usize = 0x1fff;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Symbol {
    Missing = 0,
    Small = 1,
    Large = 2,
}

/// Writes one feedback about the packets from `base` on; returns how many of `arrivals` it tells of.
///
/// `arrivals` holds a time for each packet that came and `None` for the others. Fewer are reported than given when the feedback is full or a gap in time is longer than a delta can say (8 s).
pub fn write(
    composer: &mut Composer,
    sender: Ssrc,
    media: Ssrc,
    base: u16,
    number: u8,
    arrivals: impl Iterator<Item = Option<Time>>,
) -> usize {
    let mut symbols = [Symbol::Missing; MAX_STATUSES];
    let mut deltas = [0i16; MAX_STATUSES];
    let mut told = 0; // up to the last packet that came: a missing one at the end may still be on its way
    let mut reference = None;
    let mut last = 0i64;
    for (count, arrival) in arrivals.take(MAX_STATUSES).enumerate() {
        if let Some(at) = arrival {
            let micros = at.micros() as i64;
            let start = *reference.get_or_insert_with(|| {
                last = micros / REFERENCE_MICROS as i64 * REFERENCE_MICROS as i64;
                last
            });
            debug_assert!(start >= 0);
            let delta = (micros - last).div_euclid(DELTA_MICROS);
            let Ok(delta) = i16::try_from(delta) else { break };
            last += i64::from(delta) * DELTA_MICROS; // what the reader adds up, so that rounding does not drift
            symbols[count] = if (0..=255).contains(&delta) { Symbol::Small } else { Symbol::Large };
            deltas[count] = delta;
            told = count + 1;
        }
    }
    let Some(reference) = reference else { return 0 };
    let start = composer.len();
    let worst = 16 + told.div_ceil(7) * 2 + told * 2 + 3;
    if !composer.begin(TRANSPORT_FEEDBACK, FORMAT_TRANSPORT_CC, worst.next_multiple_of(4)) {
        return 0;
    }
    composer.word(sender.0);
    composer.word(media.0);
    composer.put(&base.to_be_bytes());
    composer.put(&(told as u16).to_be_bytes());
    let reference = (reference as u64 / REFERENCE_MICROS) as u32 & 0xff_ffff;
    composer.word(reference << 8 | u32::from(number));
    write_chunks(composer, &symbols[..told]);
    for (symbol, delta) in symbols[..told].iter().zip(deltas) {
        match symbol {
            Symbol::Missing => {}
            Symbol::Small => composer.put(&[delta as u8]),
            Symbol::Large => composer.put(&delta.to_be_bytes()),
        }
    }
    while !(composer.len() - start).is_multiple_of(4) {
        composer.put(&[0]);
    }
    composer.set_length(start);
    told
}

fn write_chunks(composer: &mut Composer, mut symbols: &[Symbol]) {
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take(MAX_RUN).take_while(|&&symbol| symbol == first).count();
        let narrow = symbols.iter().take(14).take_while(|&&symbol| symbol != Symbol::Large).count();
        let (chunk, taken) = if run >= 14 || run == symbols.len() {
            ((first as u16) << 13 | run as u16, run)
        } else if narrow == 14 || narrow == symbols.len() {
            (vector(0x8000, 1, &symbols[..narrow]), narrow)
        } else {
            let taken = symbols.len().min(7);
            (vector(0xc000, 2, &symbols[..taken]), taken)
        };
        composer.put(&chunk.to_be_bytes());
        symbols = &symbols[taken..];
    }
}

/// A chunk of `bits` bits a symbol, the first in the highest place.
fn vector(kind: u16, bits: usize, symbols: &[Symbol]) -> u16 {
    symbols
        .iter()
        .enumerate()
        .fold(kind, |chunk, (i, &symbol)| chunk | (symbol as u16) << (14 - bits * (i + 1)))
}

/// How often arrival times are reported: often enough for the sender's estimate, at most 1 % of a video's packets.
pub const INTERVAL: Duration = Duration::from_millis(50);
/// The same for who sends nothing but sound, where it would be nearly half as many packets as the sound itself.
/// libwebrtc gives it no more than 5 % of the bit rate (`RemoteEstimatorProxy`).
pub const INTERVAL_OF_SOUND: Duration = Duration::from_millis(100);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a feedback as a sender would: base, number and the time of each packet in microseconds.
    pub(crate) fn read(packet: &[u8]) -> (u16, u8, Vec<Option<i64>>) {
        let body = &packet[12..];
        let base = u16::from_be_bytes([body[0], body[1]]);
        let count = usize::from(u16::from_be_bytes([body[2], body[3]]));
        let reference = u32::from_be_bytes([0, body[4], body[5], body[6]]);
        let mut at = 8;
        let mut symbols = Vec::new();
        while symbols.len() < count {
            let chunk = u16::from_be_bytes([body[at], body[at + 1]]);
            at += 2;
            match chunk >> 14 {
                0 | 1 => symbols.extend(std::iter::repeat_n(chunk >> 13, usize::from(chunk & 0x1fff))),
                2 => symbols.extend((0..14).map(|i| chunk >> (13 - i) & 1)),
                _ => symbols.extend((0..7).map(|i| chunk >> (12 - 2 * i) & 3)),
            }
        }
        let mut time = i64::from(reference) * 64_000;
        let arrivals = symbols[..count].iter().map(|symbol| {
            let delta = match symbol {
                0 => return None,
                1 => i64::from(body[at]),
                2 => i64::from(i16::from_be_bytes([body[at], body[at + 1]])),
                other => panic!("symbol {other}"),
            };
            at += usize::from(*symbol);
            time += delta * 250;
            Some(time)
        });
        let arrivals = arrivals.collect();
        assert!(body.len() - at < 4, "{} bytes left over", body.len() - at);
        (base, body[7], arrivals)
    }

    proptest! {
        #[test]
        fn a_sender_reads_the_arrival_times_to_a_quarter_of_a_millisecond(
            start in 0u64..10_000_000_000,
            gaps in prop::collection::vec(prop::option::weighted(0.8, -20_000i64..200_000), 1..500),
        ) {
            let mut time = start as i64 + 20_000 * 500;
            let mut arrivals = vec![Some(Time(time as u64))];
            for gap in gaps {
                arrivals.push(gap.map(|gap| { time += gap; Time(time as u64) }));
            }
            let mut composer = Composer::new();
            let told = write(&mut composer, Ssrc(1), Ssrc(2), 65_530, 7, arrivals.iter().copied());
            let (base, number, read) = read(composer.bytes());
            prop_assert_eq!((base, number), (65_530, 7));
            prop_assert_eq!(read.len(), told);
            prop_assert!(read.last().unwrap().is_some());
            prop_assert!(told >= arrivals.len().min(350) - arrivals.iter().rev().take_while(|a| a.is_none()).count() || told > 300);
            // The reference time is read modulo 2^24 * 64 ms, about 12 days.
            for (read, real) in read.iter().zip(&arrivals) {
                prop_assert_eq!(read.is_some(), real.is_some());
                if let (Some(read), Some(real)) = (read, real) {
                    prop_assert!((real.micros() as i64 - read).abs() <= 250, "{} for {}", read, real.micros());
                }
            }
        }
    }

    #[test]
    fn a_gap_in_time_too_long_for_a_delta_ends_the_feedback() {
        let arrivals = [Some(Time(1_000)), Some(Time(2_000)), Some(Time(20_000_000))];
        let mut composer = Composer::new();
        assert_eq!(write(&mut composer, Ssrc(1), Ssrc(2), 5, 0, arrivals.into_iter()), 2);
        assert_eq!(read(composer.bytes()).2, [Some(1_000), Some(2_000)]);
    }

    #[test]
    fn nothing_is_said_when_nothing_came() {
        let mut composer = Composer::new();
        assert_eq!(write(&mut composer, Ssrc(1), Ssrc(2), 5, 0, [None, None].into_iter()), 0);
        assert!(composer.is_empty());
    }
}
