//! Anything in any order: no panic, and what must always hold does.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Input {
    Check { port: u16, priority: u32, nominate: bool, ours: usize, theirs: usize },
    RestartOurs(u8),
    RestartTheirs(u8),
    Garbage { port: u16, bytes: Vec<u8> },
    Media(Vec<u8>),
    Send { channel: u16, len: usize },
    Pass(u64),
    PeerGoesOn,
    Close,
}

fn input() -> impl Strategy<Value = Input> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..100);
    prop_oneof![
        8 => (1..12_u16, 0..4_u32, any::<bool>(), 0..4_usize, 0..4_usize).prop_map(
            |(port, priority, nominate, ours, theirs)| Input::Check { port, priority, nominate, ours, theirs }
        ),
        2 => any::<u8>().prop_map(Input::RestartOurs),
        2 => any::<u8>().prop_map(Input::RestartTheirs),
        2 => (1..12_u16, bytes()).prop_map(|(port, bytes)| Input::Garbage { port, bytes }),
        2 => bytes().prop_map(Input::Media),
        2 => (0..4_u16, 0..300_000_usize).prop_map(|(channel, len)| Input::Send { channel, len }),
        4 => (0..4_000_u64).prop_map(Input::Pass),
        6 => Just(Input::PeerGoesOn),
        1 => Just(Input::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_inputs_in_any_order_keep_the_bounds(inputs in prop::collection::vec(input(), 1..80)) {
        let mut pair = Pair::new();
        let mut ours = vec![credentials("serv")];
        let mut theirs = vec![pair.peer.local.clone()];
        let (mut connected, mut failed) = (0, 0);
        for input in inputs {
            match input {
                Input::Check { port, priority, nominate, ours: a, theirs: b } => {
                    pair.peer.remote = ours[a % ours.len()].clone();
                    pair.peer.local = theirs[b % theirs.len()].clone();
                    pair.peer.priority = priority;
                    let check = pair.peer.check(nominate);
                    if let Ok(Some(change)) = pair.server.handle_stun(pair.now, path(port), &check, &mut pair.out) {
                        prop_assert!(change.evicted.is_none() || change.added.is_some());
                        prop_assert!(change.added.is_none_or(|added| pair.server.has_path(added)));
                        prop_assert!(change.evicted.is_none_or(|evicted| !pair.server.has_path(evicted)));
                    }
                }
                Input::RestartOurs(n) => {
                    let new = credentials(&format!("ours{n}"));
                    pair.server.restart_ice(new.clone());
                    ours.push(new);
                }
                Input::RestartTheirs(n) => {
                    pair.peer.local = credentials(&format!("them{n}"));
                    theirs.push(pair.peer.local.clone());
                    let description = pair.peer.description();
                    pair.server.set_remote(pair.now, &description);
                }
                Input::Garbage { port, bytes } => {
                    let _ = pair.server.handle_stun(pair.now, path(port), &bytes, &mut pair.out);
                    let _ = pair.server.handle_dtls(pair.now, path(port), &bytes, &mut pair.out);
                }
                Input::Media(mut bytes) => {
                    prop_assert!(pair.server.unprotect_rtp(pair.now, pair.peer.path, &mut bytes.clone()).is_err());
                    prop_assert!(pair.server.unprotect_rtcp(pair.now, pair.peer.path, &mut bytes).is_err());
                }
                Input::Send { channel, len } => {
                    let _ = pair.server.send_data(pair.now, channel, true, &vec![0; len], &mut pair.out);
                }
                Input::Pass(ms) => {
                    pair.next_check = Time::NEVER;
                    pair.run(Duration::from_millis(ms));
                }
                Input::PeerGoesOn => {
                    pair.peer.remote = ours.last().unwrap().clone();
                    pair.peer.local = theirs.last().unwrap().clone();
                    pair.next_check = pair.now;
                    pair.run(Duration::from_millis(100));
                }
                Input::Close => pair.server.close(pair.now, &mut pair.out),
            }
            prop_assert!(pair.server.paths().len() <= MAX_PATHS);
            prop_assert!(pair.server.path().is_none_or(|path| pair.server.has_path(path)));
            prop_assert!((1..=3).contains(&pair.server.local_ufrags().count()));
            pair.out.clear();
            for event in std::mem::take(&mut pair.events) {
                connected += u32::from(matches!(event, TransportEvent::Connected { .. }));
                failed += u32::from(matches!(event, TransportEvent::Failed(_)));
                prop_assert!(connected <= 1 && failed <= 1, "{:?}", event);
            }
            prop_assert!(failed == 0 || !pair.server.is_connected());
        }
    }
}
