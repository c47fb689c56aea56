//! Which transport an address belongs to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::command::{Command, ExtensionIds, Fingerprint, IceCredentials, RemoteParams};
use rtc::counters::Counters;
use rtc::drop_reason::DropReason;
use rtc::id::TransportId;
use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::route::RouterConfig;
use rtc::transport::TransportShared;
use rtc::transport::stun::{BINDING_REQUEST, Builder, attribute};
use rtc::units::Time;
use rtc::worker::{Worker, WorkerConfig};

const NOW: Time = Time(1_000_000);
/// A DTLS record of no meaning.
const RECORD: [u8; 14] = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];

struct Rig {
    worker: Worker,
    counters: Counters,
    out: Outbox,
    checks: u8,
}

impl Rig {
    fn new() -> Rig {
        let counters = Counters::new(4);
        let shared = Arc::new(TransportShared::generate(Instant::now()).unwrap());
        let router = RouterConfig {
            worker: 0,
            transports: 4,
            tracks: 1,
            subscriptions: 1,
            audio_gather: Duration::ZERO,
            seed: [7; 32],
        };
        let config = WorkerConfig { index: 0, workers: 1, shared, max_transports: 4, router };
        Rig { worker: Worker::new(config, counters.clone()), counters, out: Outbox::new(8), checks: 0 }
    }

    fn add(&mut self, slot: u32) -> TransportId {
        let transport = TransportId::new(0, slot, 1);
        let credentials =
            |side| IceCredentials { ufrag: format!("{side}{slot}xx").into(), pwd: "p".repeat(24).into() };
        self.worker.handle_command(
            NOW,
            Command::AddTransport { transport, local: credentials("us") },
            &mut self.out,
        );
        let remote = RemoteParams {
            ice: credentials("them"),
            fingerprints: [Fingerprint([0; 32])].into_iter().collect(),
            extensions: ExtensionIds::default(),
            sctp_port: None,
            max_message_size: 0,
        };
        let remote = Box::new(remote);
        self.worker.handle_command(NOW, Command::SetRemote { transport, remote }, &mut self.out);
        transport
    }

    /// A check for the transport in `slot`, from the one address there is.
    fn check(&mut self, slot: u32) {
        self.checks += 1;
        let mut raw = [0; 200];
        let len = Builder::new(&mut raw, BINDING_REQUEST, [self.checks; 12])
            .attribute(attribute::USERNAME, format!("us{slot}xx:them{slot}xx").as_bytes())
            .attribute(attribute::PRIORITY, &[1; 4])
            .finish(&"p".repeat(24))
            .unwrap();
        self.worker.handle_datagram(NOW, path(), &mut raw[..len], &mut self.out);
        assert_eq!(self.out.len(), 1, "every check here is authentic");
        self.out.clear();
    }

    /// Whether a handshake from the address would be looked at.
    fn is_known(&mut self) -> bool {
        let before = self.counters.drops(DropReason::Unvalidated);
        self.worker.handle_datagram(NOW, path(), &mut RECORD.clone(), &mut self.out);
        self.counters.drops(DropReason::Unvalidated) == before
    }
}

fn path() -> Path {
    Path { socket: 0, remote: "192.0.2.1:4000".parse().unwrap() }
}

#[test]
fn an_address_that_another_transport_took_comes_back_with_the_next_check() {
    let mut rig = Rig::new();
    rig.add(0);
    let thief = rig.add(1);
    assert!(!rig.is_known());
    rig.check(0);
    assert!(rig.is_known());
    // The thief must have forged the address, or have it by now: its checks are as authentic.
    rig.check(1);
    rig.worker.handle_command(NOW, Command::CloseTransport { transport: thief }, &mut rig.out);
    assert!(!rig.is_known());
    rig.check(0);
    assert!(rig.is_known());
}
