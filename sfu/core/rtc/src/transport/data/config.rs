//! Settings of SCTP, the same for every peer.

use std::sync::Arc;

use sctp_proto::{EndpointConfig, ServerConfig, TransportConfig};

use super::MAX_MESSAGE;

/// Bytes of messages that are not complete or not read. Twice the largest message, as its sender may already be
/// at the next one.
pub(super) const RECEIVE_BUFFER: u32 = 2 * MAX_MESSAGE as u32;
/// Data in one packet: with the headers of SCTP, DTLS, UDP and IPv6 that makes 1,245 of the 1,280 bytes that every
/// IPv6 link carries.
const MAX_PAYLOAD: u32 = 1_132;
/// Retransmission timeouts as in Chromium's dcsctp: the defaults of RFC 9260 are for bulk transfers.
const RTO_INITIAL_MS: u64 = 500;
const RTO_MIN_MS: u64 = 220;
const RTO_MAX_MS: u64 = 10_000;

/// What all associations of the process have in common.
#[derive(Clone)]
pub(in crate::transport) struct DataConfig {
    pub(super) endpoint: Arc<EndpointConfig>,
    pub(super) server: Arc<ServerConfig>,
}

impl DataConfig {
    pub(in crate::transport) fn new() -> DataConfig {
        let mut endpoint = EndpointConfig::new();
        endpoint.max_payload_size(MAX_PAYLOAD);
        let mut server = ServerConfig::new();
        server.transport = Arc::new(
            TransportConfig::default()
                .with_max_receive_buffer_size(RECEIVE_BUFFER)
                .with_max_receive_message_size(MAX_MESSAGE as u32)
                .with_max_send_message_size(MAX_MESSAGE as u32)
                .with_rto_initial_ms(RTO_INITIAL_MS)
                .with_rto_min_ms(RTO_MIN_MS)
                .with_rto_max_ms(RTO_MAX_MS),
        );
        DataConfig { endpoint: Arc::new(endpoint), server: Arc::new(server) }
    }
}
