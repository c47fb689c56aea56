use super::*;
use crate::rtp::Picture;
use crate::rtp::picture::{PictureId, Tl0};

/// What is done with a packet: (publisher's number, picture id, TL0PICIDX), and what it becomes.
#[derive(Debug, Clone, Copy)]
enum Row {
    /// Begins a stretch from an encoding at this packet and sends it.
    Begin(u8, (u64, u16, u8), (u64, u16, u8)),
    /// Sends a packet.
    Send((u64, u16, u8), (u64, u16, u8)),
    /// Has no place.
    Nowhere((u64, u16, u8)),
    /// Leaves a packet out; the number that padding must fill.
    Skip((u64, u16, u8), Option<u64>),
}
use Row::*;

fn stored((seq, id, tl0): (u64, u16, u8)) -> Stored {
    let picture = Picture {
        id: Some(PictureId { value: id, wide: true, at: 2 }),
        tl0: Some(Tl0 { value: tl0, at: 4 }),
        close_gaps: true,
        ..Picture::default()
    };
    Stored { seq: SeqNo(seq), picture, ..Stored::default() }
}

fn place(rewriter: &mut Rewriter, packet: (u64, u16, u8)) -> Option<(u64, u16, u8)> {
    let seq = rewriter.place(&stored(packet), false)?;
    let sent = rewriter.sent.get(seq).unwrap();
    let id = packet.1.wrapping_sub(sent.id_offset) & 0x7fff;
    Some((seq.0, id, packet.2.wrapping_sub(sent.tl0_offset)))
}

fn run(rows: &[Row]) {
    let mut rewriter = Rewriter::new(64, SeqNo(500));
    for (i, &row) in rows.iter().enumerate() {
        match row {
            Begin(encoding, packet, expected) => {
                rewriter.begin(Source::new(encoding, 0), &stored(packet), 0);
                assert_eq!(place(&mut rewriter, packet), Some(expected), "row {i}");
            }
            Send(packet, expected) => assert_eq!(place(&mut rewriter, packet), Some(expected), "row {i}"),
            Nowhere(packet) => assert_eq!(place(&mut rewriter, packet), None, "row {i}"),
            Skip(packet, filled) => {
                assert_eq!(rewriter.skip(&stored(packet)).map(|s| s.0), filled, "row {i}");
            }
        }
    }
}

#[test]
fn one_stretch_keeps_its_picture_ids_and_starts_at_our_number() {
    run(&[Begin(0, (90, 7, 1), (500, 7, 1)), Send((91, 7, 1), (501, 7, 1)), Send((92, 8, 2), (502, 8, 2))]);
}

#[test]
fn a_lost_packet_keeps_its_number_and_gets_it_when_it_comes_late() {
    run(&[
        Begin(0, (90, 7, 1), (500, 7, 1)),
        Send((93, 9, 1), (503, 9, 1)),
        Send((92, 8, 1), (502, 8, 1)),
        Nowhere((92, 8, 1)),
        Nowhere((93, 9, 1)),
        Send((91, 8, 1), (501, 8, 1)),
        Nowhere((89, 6, 1)), // before the stretch
        Send((94, 9, 1), (504, 9, 1)),
    ]);
}

#[test]
fn dropped_layers_leave_no_gap() {
    run(&[
        Begin(0, (90, 7, 1), (500, 7, 1)),
        Skip((91, 8, 1), None),
        Skip((92, 8, 1), None), // the same picture
        Send((93, 9, 2), (501, 8, 2)),
        Skip((94, 10, 2), None),
        Skip((95, 11, 2), None),
        Send((96, 12, 3), (502, 9, 3)),
        Nowhere((94, 10, 2)),
    ]);
}

#[test]
fn a_late_packet_among_dropped_ones_gets_the_numbers_of_its_place() {
    run(&[
        Begin(0, (90, 10, 1), (500, 10, 1)),
        Skip((91, 11, 1), None),
        // 92 (picture 12) is lost
        Skip((93, 13, 1), None),
        Send((94, 14, 2), (502, 12, 2)),
        Send((92, 12, 1), (501, 11, 1)),
    ]);
}

#[test]
fn the_number_of_a_late_packet_that_is_dropped_is_filled() {
    run(&[
        Begin(0, (90, 10, 1), (500, 10, 1)),
        Send((92, 12, 1), (502, 12, 1)),
        Skip((91, 11, 1), Some(501)),
        Skip((91, 11, 1), None),
        Nowhere((91, 11, 1)),
    ]);
}

#[test]
fn a_switch_continues_all_numbers() {
    run(&[
        Begin(0, (90, 7, 1), (500, 7, 1)),
        Send((91, 8, 2), (501, 8, 2)),
        Begin(2, (40_000, 20_000, 200), (502, 9, 3)),
        Nowhere((39_999, 19_999, 200)),
        Send((40_001, 20_000, 200), (503, 9, 3)),
        Send((40_003, 20_001, 201), (505, 10, 4)),
        Begin(0, (99, 15, 9), (506, 11, 5)),
        Send((100, 16, 10), (507, 12, 6)),
    ]);
}

#[test]
fn a_switch_leaves_reserved_numbers_of_the_old_stretch_open() {
    run(&[
        Begin(0, (90, 7, 1), (500, 7, 1)),
        Send((92, 8, 2), (502, 8, 2)),
        Begin(1, (91, 70, 1), (503, 9, 3)), // the number that the old stretch still misses
        Send((92, 70, 1), (504, 9, 3)),
    ]);
}

#[test]
fn picture_ids_wrap() {
    run(&[
        Begin(0, (90, 0x7fff, 255), (500, 0x7fff, 255)),
        Send((91, 0, 0), (501, 0, 0)),
        Begin(1, (5, 0x7ffe, 4), (502, 1, 1)),
        Send((6, 0x7fff, 5), (503, 2, 2)),
        Send((7, 0, 6), (504, 3, 3)),
    ]);
}

#[test]
fn a_large_hole_stays_open() {
    run(&[Begin(0, (90, 7, 1), (500, 7, 1)), Send((3_090, 9, 1), (3_500, 9, 1)), Nowhere((91, 8, 1))]);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every number is used at most once, whatever comes in whatever order: SRTP keys depend on it.
        #[test]
        fn no_number_is_given_twice(
            steps in prop::collection::vec((1u64..80, 0u8..12), 1..300),
        ) {
            let mut rewriter = Rewriter::new(64, SeqNo(500));
            rewriter.begin(Source::new(0, 0), &stored((1_000, 0, 0)), 0);
            let mut used = std::collections::BTreeSet::new();
            let mut highest = 0;
            for (seq, what) in steps {
                let packet = stored((1_000 + seq, seq as u16, 0));
                let number = match what {
                    0 => { rewriter.begin(Source::new(1, 0), &packet, 0); None }
                    1..4 => rewriter.skip(&packet),
                    _ => rewriter.place(&packet, false),
                };
                if let Some(number) = number {
                    prop_assert!(used.insert(number.0), "{} twice", number.0);
                    highest = highest.max(number.0);
                    prop_assert!(highest < rewriter.sent.next().0);
                }
            }
        }
    }
}
