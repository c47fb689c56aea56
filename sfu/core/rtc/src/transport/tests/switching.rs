//! Which path is used: nominations, moves, restarts.

use super::*;

impl Pair {
    /// A check from another port of the peer.
    fn check_from(&mut self, port: u16, priority: u32, nominate: bool) -> Option<PathChange> {
        let before = std::mem::replace(&mut self.peer.priority, priority);
        let check = self.peer.check(nominate);
        self.peer.priority = before;
        let change = self.server.handle_stun(self.now, path(port), &check, &mut self.out).unwrap();
        self.out.clear();
        change
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
    }
}

const HIGH: u32 = 0x7e00_00ff;
const LOW: u32 = 0x0100_00ff;

fn fresh() -> Pair {
    let mut pair = Pair::new();
    pair.next_check = Time::NEVER;
    pair
}

#[test]
fn an_aggressive_peer_gets_the_best_of_the_pairs_it_nominates_in_any_order() {
    // As Firefox: everything is nominated, first this pair, then that.
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let mut pair = fresh();
        for n in order {
            pair.check_from(n, LOW + u32::from(n), true);
            pair.pass(100);
        }
        assert_eq!(pair.server.path(), Some(path(3)), "{order:?}");
    }
}

#[test]
fn a_nat_that_forgets_its_mapping_is_followed_at_the_first_check() {
    let mut pair = Pair::connected();
    pair.events.clear();
    let before = pair.peer.path;
    pair.peer.path = path(4_001);
    pair.run(Duration::from_millis(600));
    assert_eq!(pair.events, [TransportEvent::PathChanged { path: path(4_001) }]);
    assert_eq!(pair.server.path(), Some(path(4_001)));
    assert!(pair.server.paths().any(|known| known == before));
}

#[test]
fn a_peer_that_never_nominates_again_is_followed_when_its_address_changes() {
    // As Firefox behind a NAT: the checks that keep consent do not nominate, and media comes from the new address.
    let mut pair = Pair::connected();
    pair.nominate = false;
    pair.check_every = Duration::from_secs(5);
    pair.next_check = pair.now + pair.check_every;
    pair.events.clear();
    let before = pair.peer.path;
    pair.peer.path = path(4_001);
    pair.run(Duration::from_millis(5_100));
    assert_eq!(pair.server.path(), Some(before), "a plain check alone moves nothing");
    let mut report = pair.peer.report();
    assert!(pair.server.unprotect_rtcp(pair.now, path(4_001), &mut report).is_ok());
    assert_eq!(pair.server.path(), Some(path(4_001)));
    pair.run(Duration::from_millis(1));
    assert_eq!(pair.events.last(), Some(&TransportEvent::PathChanged { path: path(4_001) }));
}

#[test]
fn media_from_elsewhere_moves_nothing_while_the_selected_path_is_alive() {
    let mut pair = Pair::connected();
    pair.next_check = Time::NEVER;
    let selected = pair.peer.path;
    pair.check_from(4_002, HIGH, false);
    for n in 0..10 {
        pair.pass(1_000);
        let from = if n % 2 == 0 { path(4_002) } else { selected };
        let mut report = pair.peer.report();
        assert!(pair.server.unprotect_rtcp(pair.now, from, &mut report).is_ok());
        assert_eq!(pair.server.path(), Some(selected));
    }
}

#[test]
fn a_peer_that_changes_to_a_worse_pair_is_followed_once_it_checks_the_old_one_without_nominating_it() {
    // As Chromium: only the pair in use is nominated, the others are kept warm.
    let mut pair = fresh();
    pair.check_from(1, HIGH, true);
    pair.pass(500);
    pair.check_from(2, LOW, true);
    assert_eq!(pair.server.path(), Some(path(1)));
    pair.check_from(1, HIGH, false);
    pair.check_from(2, LOW, true);
    assert_eq!(pair.server.path(), Some(path(2)));
    // And back.
    pair.check_from(1, HIGH, true);
    assert_eq!(pair.server.path(), Some(path(1)));
}

#[test]
fn a_peer_whose_better_pair_died_is_followed_after_two_seconds() {
    let mut pair = fresh();
    pair.check_from(1, HIGH, true);
    pair.pass(1_000);
    pair.check_from(2, LOW, true);
    assert_eq!(pair.server.path(), Some(path(1)));
    pair.pass(1_000);
    pair.check_from(2, LOW, true);
    assert_eq!(pair.server.path(), Some(path(2)));
}

#[test]
fn a_check_without_nomination_moves_nothing() {
    let mut pair = fresh();
    pair.check_from(1, LOW, true);
    pair.pass(60_000);
    pair.check_from(2, HIGH, false);
    assert_eq!(pair.server.path(), Some(path(1)));
}

#[test]
fn a_repeated_check_is_answered_but_changes_nothing() {
    let mut pair = fresh();
    pair.check_from(1, LOW, true);
    let check = pair.peer.check(true);
    pair.server.handle_stun(pair.now, path(2), &check, &mut pair.out).unwrap();
    pair.check_from(1, u32::MAX, true);
    pair.pass(60_000);
    pair.out.clear();
    assert_eq!(pair.server.handle_stun(pair.now, path(2), &check, &mut pair.out), Ok(None));
    assert_eq!(pair.out.len(), 1);
    assert_eq!(pair.server.path(), Some(path(1)));
}

#[test]
fn ten_thousand_ports_leave_eight_paths_and_never_evict_the_selected_one() {
    let mut pair = fresh();
    pair.check_from(1, HIGH, true);
    let mut known = vec![path(1)];
    for port in 1_000..11_000 {
        let change = pair.check_from(port, LOW, false).unwrap();
        known.push(change.added.unwrap());
        if let Some(evicted) = change.evicted {
            known.retain(|path| *path != evicted);
        }
        pair.pass(1);
        assert!(known.len() <= MAX_PATHS);
    }
    let mut paths: Vec<_> = pair.server.paths().collect();
    paths.sort();
    known.sort();
    assert_eq!(paths, known);
    assert!(paths.contains(&path(1)));
}

#[test]
fn an_ice_restart_keeps_the_old_path_until_the_new_one_is_nominated() {
    let mut pair = Pair::connected();
    pair.events.clear();
    let old = credentials("serv");
    let new = credentials("anew");
    assert_eq!(pair.server.restart_ice(new.clone()), None);
    pair.peer.local = credentials("peer2");
    let description = pair.peer.description();
    pair.server.set_remote(pair.now, &description);
    assert_eq!(pair.server.local_ufrags().collect::<Vec<_>>(), ["serv", "anew"]);

    // The old credentials still work on the old path.
    pair.peer.local = IceCredentials { ufrag: "peer".into(), pwd: "peerpasswordpeerpassword".into() };
    pair.peer.remote = old;
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.server.path(), Some(path(4_000)));

    // A worse path with the new ones wins at once and retires the old ones.
    pair.peer.local = description.ice;
    pair.peer.remote = new;
    pair.peer.priority = 1;
    pair.peer.path = path(5_000);
    pair.run(Duration::from_millis(600));
    assert_eq!(pair.events, [TransportEvent::PathChanged { path: path(5_000) }]);
    let retired: Vec<_> = pair.paths.iter().filter_map(|change| change.retired.as_deref()).collect();
    assert_eq!(retired, ["serv"]);
    assert_eq!(pair.server.local_ufrags().collect::<Vec<_>>(), ["anew"]);
    assert!(pair.server.is_connected());
}

#[test]
fn restarts_in_a_row_overtake_each_other() {
    let mut pair = Pair::connected();
    assert_eq!(pair.server.restart_ice(credentials("two")), None);
    assert_eq!(pair.server.restart_ice(credentials("three")), None);
    assert_eq!(pair.server.restart_ice(credentials("four")), Some("two".into()));
    assert_eq!(pair.server.local_ufrags().collect::<Vec<_>>(), ["serv", "three", "four"]);
}
