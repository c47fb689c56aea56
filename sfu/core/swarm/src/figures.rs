//! What a thread of the swarm has counted. One writer; read as a whole between two of its turns.

use crate::histogram::Histogram;

/// Defines the figures with their names on the border.
macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Sums over all participants of one thread since it started.
        #[derive(Debug, Clone, Default)]
        pub struct Figures {
            $($(#[$doc])* pub $name: u64,)+
            /// From the time in a payload to the time at which the kernel got the packet; of checked packets.
            pub latency: Histogram,
        }

        impl Figures {
            /// The names of the numbers, in their order; the counts of the histogram follow.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// All numbers, then the counts of the histogram, little-endian.
            pub fn to_bytes(&self) -> Vec<u8> {
                let numbers = [$(self.$name),+];
                numbers.iter().chain(self.latency.counts()).flat_map(|number| number.to_le_bytes()).collect()
            }
        }
    };
}

figures! {
    /// Gauge: participants whose DTLS has finished.
    connected,
    /// RTP packets of sources, resends aside.
    packets_sent,
    /// RTP payload bytes of these.
    bytes_sent,
    /// RTP packets sent again because somebody asked.
    resent,
    /// Pictures that a decoder can start with.
    key_frames_sent,
    /// Pictures and sounds that were sent more than 2 ms after their time: the tool is too slow.
    late,
    /// RTP packets that should have come, by their sequence numbers.
    packets_expected,
    /// RTP packets that came, each counted once.
    packets_received,
    /// Bytes of these as datagrams.
    bytes_received,
    /// RTP packets that came again.
    duplicates,
    /// RTP packets that came after younger ones.
    reordered,
    /// RTP packets that receivers asked for again.
    resends_asked,
    /// RTP packets that were sent again to us.
    resends_received,
    /// RTP packets that were missing and came by being sent again; they count as received, too.
    repaired,
    /// RTP packets that were decrypted and whose payload was read.
    checked,
    /// Payloads that were changed on the way.
    damaged,
    /// Payloads that no source here made.
    foreign,
    /// RTP and RTCP packets that do not decrypt.
    undecipherable,
    /// Key frames that a receiver asked for.
    key_frames_asked,
    /// Requests for key frames that came to a source.
    key_frame_requests,
    /// Requests for lost packets that came to a source, counted by packet.
    resend_requests,
    /// Microseconds for which receivers got the lowest encoding of a picture.
    encoding_0_micros,
    /// Microseconds for which receivers got the second encoding.
    encoding_1_micros,
    /// Microseconds for which receivers got the third encoding.
    encoding_2_micros,
    /// Datagrams that the kernel threw away because we did not take them in time.
    receive_overflow,
    /// Packets that found no room in the outbox.
    send_refused,
    /// Datagrams that the kernel did not take from us.
    kernel_refused,
    /// Microseconds for which the thread did not sleep.
    busy_micros,
    /// Microseconds for which the thread has been there.
    lived_micros,
}
