//! Counters that workers write and anyone may read: single writer, relaxed atomics, no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::drop_reason::DropReason;
use crate::id::TransportId;

/// Defines a numbered enum with its labels.
macro_rules! cells {
    ($(#[$outer:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident = $label:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $enum { $($(#[$doc])* $name,)+ }

        impl $enum {
            /// Every cell, in the order of its number.
            pub const ALL: &'static [$enum] = &[$($enum::$name,)+];

            /// The cell's name on the border.
            pub const fn label(self) -> &'static str {
                match self { $($enum::$name => $label,)+ }
            }
        }
    };
}

cells! {
    /// A count or gauge of one worker.
    Cell {
        /// Datagrams received.
        DatagramsUp = "datagrams_up",
        /// Datagrams sent.
        DatagramsDown = "datagrams_down",
        /// Bytes received, UDP payload.
        BytesUp = "bytes_up",
        /// Bytes sent, UDP payload.
        BytesDown = "bytes_down",
        /// Audio packets received.
        AudioUp = "audio_up",
        /// Audio packets sent.
        AudioDown = "audio_down",
        /// Video packets received.
        VideoUp = "video_up",
        /// Video packets sent.
        VideoDown = "video_down",
        /// Lost packets we asked a publisher for.
        NackUp = "nack_up",
        /// Packets that subscribers asked us for.
        NackDown = "nack_down",
        /// Key-frame requests sent to publishers.
        PliUp = "pli_up",
        /// Key-frame requests received from subscribers.
        PliDown = "pli_down",
        /// Retransmissions received from publishers.
        RtxUp = "rtx_up",
        /// Retransmissions sent to subscribers.
        RtxDown = "rtx_down",
        /// Switches of a subscription to another encoding.
        LayerSwitches = "layer_switches",
        /// Calls to the kernel that send.
        SendCalls = "send_calls",
        /// Messages taken by the kernel, each cut into one or more datagrams.
        MessagesDown = "messages_down",
        /// Messages that the kernel would not cut up, and that went datagram by datagram.
        SegmentationFailures = "segmentation_failures",
        /// Datagrams of sound sent with the mark EF.
        MarkedEf = "marked_ef",
        /// Datagrams of pictures sent with the mark AF41.
        MarkedAf41 = "marked_af41",
        /// Gauge: how much is left out because there is too much to forward, 0 to 38.
        OverloadStep = "overload_step",
        /// Gauge: sockets that do without cutting, because the kernel cannot or keeps refusing.
        SegmentationOff = "segmentation_off",
        /// Gauge: sockets on which the kernel gives datagrams to the right worker.
        SteeredSockets = "steered_sockets",
        /// Calls to the kernel that receive.
        ReceiveCalls = "receive_calls",
        /// Datagrams that the kernel gave to the wrong worker, handed over to the right one.
        HandedOver = "handed_over",
        /// Datagrams taken over from other workers.
        TakenOver = "taken_over",
        /// Packets taken in from other workers, for mirrors.
        RelayedUp = "relayed_up",
        /// Packets told to other workers, for mirrors.
        RelayedDown = "relayed_down",
        /// Gauge: transports.
        Transports = "transports",
        /// Gauge: tracks.
        Tracks = "tracks",
        /// Gauge: mirrors of tracks of other workers, which count as tracks too.
        Mirrors = "mirrors",
        /// Gauge: encodings that have packets.
        Encodings = "encodings",
        /// Gauge: subscriptions.
        Subscriptions = "subscriptions",
        /// Gauge: validated paths.
        Paths = "paths",
        /// Gauge: paths whose datagrams are handed over to other workers.
        ForeignPaths = "foreign_paths",
        /// Gauge: SRTP receive contexts.
        SrtpContexts = "srtp_contexts",
        /// Gauge: data channels.
        DataChannels = "data_channels",
        /// Gauge: events that wait for Python.
        EventsQueued = "events_queued",
        /// Edge events dropped because Python did not take them.
        EventsDropped = "events_dropped",
        /// Panics caught.
        Panics = "panics",
        /// Packets forwarded in less than 125 us, from the kernel's arrival time until it had taken them all.
        ForwardedIn125us = "forwarded_in_125_us",
        /// Packets forwarded in less than 250 us, from the kernel's arrival time until it had taken them all.
        ForwardedIn250us = "forwarded_in_250_us",
        /// Packets forwarded in less than 500 us, from the kernel's arrival time until it had taken them all.
        ForwardedIn500us = "forwarded_in_500_us",
        /// Packets forwarded in less than 1 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn1ms = "forwarded_in_1_ms",
        /// Packets forwarded in less than 2 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn2ms = "forwarded_in_2_ms",
        /// Packets forwarded in less than 4 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn4ms = "forwarded_in_4_ms",
        /// Packets forwarded in less than 8 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn8ms = "forwarded_in_8_ms",
        /// Packets forwarded in less than 16 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn16ms = "forwarded_in_16_ms",
        /// Packets forwarded in less than 32 ms, from the kernel's arrival time until it had taken them all.
        ForwardedIn32ms = "forwarded_in_32_ms",
        /// Packets whose forwarding took longer.
        ForwardedLater = "forwarded_later",
        /// Microseconds that all of these took together.
        ForwardMicros = "forward_micros",
        /// Microseconds this worker was busy.
        BusyMicros = "busy_micros",
    }
}

cells! {
    /// A figure of one transport, for connection quality and the leg's statistics.
    LegCell {
        /// The transport's id, 0 while the row is free. Written last when a row is taken.
        Id = "id",
        /// RTP packets received.
        PacketsUp = "packets_up",
        /// RTP packets that publishers' sequence numbers show as lost, after retransmission.
        LostUp = "lost_up",
        /// RTP payload bytes received.
        BytesUp = "bytes_up",
        /// RTP packets sent.
        PacketsDown = "packets_down",
        /// Packets lost on the way down, as the peer's receiver reports add up.
        LostDown = "lost_down",
        /// RTP payload bytes sent.
        BytesDown = "bytes_down",
        /// Round trip in microseconds, from receiver reports; 0 while unknown.
        RttMicros = "rtt_micros",
        /// Interarrival jitter of what we receive, in microseconds (RFC 3550, section 6.4.1).
        JitterUpMicros = "jitter_up_micros",
        /// Jitter that the peer reports, in microseconds.
        JitterDownMicros = "jitter_down_micros",
        /// Requests for resends received.
        NackDown = "nack_down",
        /// Key-frame requests received.
        PliDown = "pli_down",
    }
}

/// The bound of the first of [`FORWARDED`]; each of the others has twice the bound of the one before.
const FORWARDED_UNIT_MICROS: u64 = 125;
const FORWARDED: [Cell; 10] = [
    Cell::ForwardedIn125us,
    Cell::ForwardedIn250us,
    Cell::ForwardedIn500us,
    Cell::ForwardedIn1ms,
    Cell::ForwardedIn2ms,
    Cell::ForwardedIn4ms,
    Cell::ForwardedIn8ms,
    Cell::ForwardedIn16ms,
    Cell::ForwardedIn32ms,
    Cell::ForwardedLater,
];

const CELLS: usize = Cell::ALL.len();
const DROPS: usize = DropReason::ALL.len();
/// Cells of one transport's row.
pub const ROW: usize = LegCell::ALL.len();

/// All counters of one worker; clones share the same cells.
#[derive(Clone)]
pub struct Counters(Arc<Shared>);

struct Shared {
    cells: [AtomicU64; CELLS],
    drops: [AtomicU64; DROPS],
    rows: Box<[[AtomicU64; ROW]]>,
}

impl Counters {
    /// Counters with room for the rows of `transports` transports.
    pub fn new(transports: usize) -> Counters {
        let row = || std::array::from_fn(|_| AtomicU64::new(0));
        Counters(Arc::new(Shared {
            cells: std::array::from_fn(|_| AtomicU64::new(0)),
            drops: std::array::from_fn(|_| AtomicU64::new(0)),
            rows: std::iter::repeat_with(row).take(transports).collect(),
        }))
    }

    /// Counts `n` more. Only the worker that owns the counters may call this.
    pub fn add(&self, cell: Cell, n: u64) {
        bump(&self.0.cells[cell as usize], n);
    }

    /// Sets a gauge.
    pub fn set(&self, cell: Cell, value: u64) {
        self.0.cells[cell as usize].store(value, Relaxed);
    }

    /// Makes a gauge follow one of the things it counts, from `before` to `after`.
    pub fn adjust(&self, cell: Cell, before: usize, after: usize) {
        bump(&self.0.cells[cell as usize], (after as u64).wrapping_sub(before as u64));
    }

    /// Reads a count or gauge.
    pub fn get(&self, cell: Cell) -> u64 {
        self.0.cells[cell as usize].load(Relaxed)
    }

    /// Counts a packet that was forwarded within `took`.
    pub fn forwarded(&self, took: Duration) {
        let micros = took.as_micros() as u64;
        let place = (micros / FORWARDED_UNIT_MICROS).checked_ilog2().map_or(0, |log| log as usize + 1);
        self.add(FORWARDED[place.min(FORWARDED.len() - 1)], 1);
        self.add(Cell::ForwardMicros, micros);
    }

    /// Counts something dropped.
    pub fn dropped(&self, reason: DropReason) {
        bump(&self.0.drops[reason as usize], 1);
    }

    /// Counts `n` dropped for the same reason.
    pub fn dropped_many(&self, reason: DropReason, n: u64) {
        bump(&self.0.drops[reason as usize], n);
    }

    /// How often `reason` was counted.
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.0.drops[reason as usize].load(Relaxed)
    }

    /// Clears the row of a transport and gives it to `transport`.
    pub fn open_row(&self, transport: TransportId) {
        if let Some(row) = self.0.rows.get(transport.slot()) {
            for cell in row {
                cell.store(0, Relaxed);
            }
            row[LegCell::Id as usize].store(transport.0, Relaxed);
        }
    }

    /// Frees the row of a transport.
    pub fn close_row(&self, transport: TransportId) {
        self.leg_set(transport, LegCell::Id, 0);
    }

    /// Counts `n` more for one transport.
    pub fn leg_add(&self, transport: TransportId, cell: LegCell, n: u64) {
        if let Some(row) = self.0.rows.get(transport.slot()) {
            bump(&row[cell as usize], n);
        }
    }

    /// Sets a figure of one transport.
    pub fn leg_set(&self, transport: TransportId, cell: LegCell, value: u64) {
        if let Some(row) = self.0.rows.get(transport.slot()) {
            row[cell as usize].store(value, Relaxed);
        }
    }

    /// Reads a figure of one transport.
    pub fn leg(&self, transport: TransportId, cell: LegCell) -> u64 {
        self.0.rows.get(transport.slot()).map_or(0, |row| row[cell as usize].load(Relaxed))
    }

    /// Appends all cells, then all drops, then the rows in use, as little-endian 64-bit numbers.
    pub fn write_snapshot(&self, out: &mut Vec<u8>) {
        let mut put = |cell: &AtomicU64| out.extend_from_slice(&cell.load(Relaxed).to_le_bytes());
        self.0.cells.iter().for_each(&mut put);
        self.0.drops.iter().for_each(&mut put);
        for row in self.0.rows.iter().filter(|row| row[LegCell::Id as usize].load(Relaxed) != 0) {
            row.iter().for_each(&mut put);
        }
    }
}

/// Adds without a locked instruction: there is one writer.
fn bump(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_times_are_sorted_by_doubling_bounds() {
        let rows = [
            (0, 0),
            (124, 0),
            (125, 1),
            (249, 1),
            (250, 2),
            (999, 3),
            (1_000, 4),
            (31_999, 8),
            (32_000, 9),
            (9_000_000, 9),
        ];
        for (micros, place) in rows {
            let counters = Counters::new(1);
            counters.forwarded(Duration::from_micros(micros));
            assert_eq!(counters.get(FORWARDED[place]), 1, "{micros}");
            assert_eq!(counters.get(Cell::ForwardMicros), micros);
        }
    }

    #[test]
    fn a_snapshot_holds_cells_drops_and_the_rows_in_use() {
        let counters = Counters::new(4);
        let transport = TransportId::new(0, 2, 7);
        counters.open_row(transport);
        counters.leg_add(transport, LegCell::PacketsUp, 3);
        counters.dropped(DropReason::Panic);
        let mut out = Vec::new();
        counters.write_snapshot(&mut out);
        assert_eq!(out.len(), (CELLS + DROPS + ROW) * 8);
        let id = u64::from_le_bytes(out[(CELLS + DROPS) * 8..][..8].try_into().unwrap());
        assert_eq!(id, transport.0);
    }
}
