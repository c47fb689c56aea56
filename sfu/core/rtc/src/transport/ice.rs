//! The lite side of ICE (RFC 8445): answers checks, follows nominations, watches consent (RFC 7675).
//!
//! # Theory of operation
//!
//! The peer controls and we never send a check of our own. An address becomes a *path* of the transport when a
//! check comes from it whose integrity was made with our password; only paths may speak DTLS or media. Among the
//! paths the *selected* one is where we send.
//!
//! A check with USE-CANDIDATE nominates its path. Two kinds of peers do that differently:
//!
//! * Chromium nominates only the pair it uses, once that is writable, when the remote side is lite
//!   (`p2p/base/basic_ice_controller.cc`); aioice and pion nominate one pair at the end. Here the newest
//!   nomination is the truth.
//! * Firefox nominates every pair while it checks (RFC 5245, "aggressive nomination"), and then uses the valid one
//!   of highest priority. Here a nomination of lower priority means nothing while a better pair is nominated too.
//!
//! Both are served by: a nomination moves the selection if the new path has at least the priority of the selected
//! one, *or* the peer has since checked the selected path without nominating it, *or* the selected path has not
//! been nominated for [`HOLD`]. A path checked with newer credentials always wins: that is an ICE restart, and
//! until then the old path goes on.
//!
//! Before the first nomination the pair over which the handshake finished is used.
//!
//! Firefox does not nominate again: when a NAT gives its packets another address, the plain checks that keep consent
//! (RFC 7675, about every five seconds) make that a path, and media or reports follow over it. These move the
//! selection once nothing authentic has come over the selected path for [`ABANDONED`].
//!
//! A captured check cannot move media: transaction ids are remembered, and one that comes from another address
//! than before is refused; a repeated one from the same address is answered, but changes nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use arrayvec::ArrayVec;

use super::stun::{self, Builder, Message, TransactionId, attribute};
use crate::command::IceCredentials;
use crate::drop_reason::DropReason;
use crate::outbox::{Outbox, TrafficClass};
use crate::path::Path;
use crate::units::Time;

/// Most validated paths of one transport, as in mediasoup; a browser has a handful.
pub const MAX_PATHS: usize = 8;

/// For so long after its last nomination the selected path holds against one of lower priority. An aggressive
/// peer is done with its pairs by then; a peer that really moved is followed within this time at the latest.
const HOLD: Duration = Duration::from_secs(2);
/// A path over which nothing authentic came for so long gives way to one that media comes over: longer than the
/// checks of a Chromium that listens are apart.
const ABANDONED: Duration = Duration::from_secs(3);
/// Credentials accepted at a time: those in use, and those of restarts not yet nominated.
const MAX_CREDENTIALS: usize = 3;
/// Transaction ids remembered: an hour of a browser's checks, 16 kB when full.
const MAX_TRANSACTIONS: usize = 1_024;

/// What a check did to the paths of a transport.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathChange {
    /// Passed its first check.
    pub added: Option<Path>,
    /// Had to make room.
    pub evicted: Option<Path>,
    /// Local ufrag that is no longer accepted, as a check with newer credentials was nominated.
    pub retired: Option<Box<str>>,
}

/// Paths and credentials of one transport.
pub(super) struct Ice {
    /// Oldest first, with the restart they came by.
    local: ArrayVec<(u32, IceCredentials), MAX_CREDENTIALS>,
    remote: ArrayVec<(u32, Box<str>), MAX_CREDENTIALS>,
    restarts: u32,
    pairs: ArrayVec<Pair, MAX_PATHS>,
    selected: Option<Path>,
    /// When something authentic last came over the selected path.
    selected_heard: Time,
    transactions: Transactions,
}

struct Pair {
    path: Path,
    priority: u32,
    /// The peer's last word on it was to use it.
    nominated: Option<Time>,
    /// Newest restart whose credentials a check on it used.
    restart: u32,
    last_check: Time,
}

/// What an accepted check leads to.
pub(super) struct Checked {
    pub(super) change: Option<PathChange>,
    /// The selected path is another one than before.
    pub(super) moved: bool,
}

impl Ice {
    pub(super) fn new(local: IceCredentials) -> Ice {
        Ice {
            local: ArrayVec::from_iter([(0, local)]),
            remote: ArrayVec::new(),
            restarts: 0,
            pairs: ArrayVec::new(),
            selected: None,
            selected_heard: Time(0),
            transactions: Transactions::default(),
        }
    }

    /// Where we send.
    pub(super) fn selected(&self) -> Option<Path> {
        self.selected
    }

    pub(super) fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        self.local.iter().map(|(_, credentials)| &*credentials.ufrag)
    }

    pub(super) fn paths(&self) -> impl ExactSizeIterator<Item = Path> {
        self.pairs.iter().map(|pair| pair.path)
    }

    pub(super) fn is_valid(&self, path: Path) -> bool {
        self.pairs.iter().any(|pair| pair.path == path)
    }

    /// Accepts `local` beside what is accepted now. Returns a ufrag that had to go for it: of a restart that was
    /// overtaken by this one.
    pub(super) fn restart(&mut self, local: IceCredentials) -> Option<Box<str>> {
        let overtaken = self.local.is_full().then(|| self.local.remove(1).1.ufrag);
        self.restarts += 1;
        self.local.push((self.restarts, local));
        overtaken
    }

    /// Accepts the peer's ufrag beside the one in use.
    pub(super) fn set_remote(&mut self, ufrag: &str) {
        if self.remote.iter().any(|(_, known)| **known == *ufrag) {
            return;
        }
        if self.remote.is_full() {
            self.remote.remove(1);
        }
        self.restarts += 1;
        self.remote.push((self.restarts, ufrag.into()));
    }

    /// Sends to `path`, if it is valid, until the first nomination.
    pub(super) fn select_first(&mut self, now: Time, path: Path) {
        if self.selected.is_none() && self.is_valid(path) {
            self.select(now, path);
        }
    }

    /// Authentic media or reports came over `path`; true if the peer turns out to have gone over to it.
    pub(super) fn heard(&mut self, now: Time, path: Path) -> bool {
        if self.selected == Some(path) {
            self.selected_heard = now;
            return false;
        }
        let moved = self.is_abandoned(now, path);
        if moved {
            self.select(now, path);
        }
        moved
    }

    fn select(&mut self, now: Time, path: Path) {
        self.selected = Some(path);
        self.selected_heard = now;
    }

    /// Answers a check, if it is authentic.
    pub(super) fn handle_stun(
        &mut self,
        now: Time,
        path: Path,
        datagram: &[u8],
        out: &mut Outbox,
    ) -> Result<Checked, DropReason> {
        let check = Message::parse(datagram).ok_or(DropReason::StunMalformed)?;
        if check.kind != stun::BINDING_REQUEST {
            return Err(DropReason::StunUnexpected);
        }
        let (restart, pwd) = self.authenticate(&check)?;
        if self.transactions.came_elsewhere(&check.transaction, path) {
            return Err(DropReason::StunReplay);
        }
        if !check.unknown.is_empty() {
            push(out, path, |slot| unknown_attributes(slot, &check, pwd));
            return Err(DropReason::StunUnexpected);
        }
        if check.controlled.is_some() {
            // RFC 8445, section 7.3.1.1, for one that can only be controlled: the peer has to change.
            push(out, path, |slot| role_conflict(slot, &check, pwd));
            return Err(DropReason::StunRoleConflict);
        }
        let priority = check.priority.ok_or(DropReason::StunMalformed)?;
        if !push(out, path, |slot| success(slot, &check, path, pwd)) {
            return Err(DropReason::OutboxFull);
        }
        if !self.transactions.remember(&check.transaction, path) {
            return Ok(Checked { change: None, moved: false });
        }
        let before = self.selected;
        let mut change = self.refresh(now, path, priority, restart, check.use_candidate);
        if check.use_candidate && self.wins(now, path) {
            self.select(now, path);
            change.retired = self.retire(restart);
        } else if self.selected == Some(path) {
            self.selected_heard = now;
        }
        let change = (change != PathChange::default()).then_some(change);
        Ok(Checked { change, moved: self.selected != before })
    }

    /// The restart a check belongs to, and our password for it.
    fn authenticate(&self, check: &Message<'_>) -> Result<(u32, &str), DropReason> {
        let (ours, theirs) = check.username.ok_or(DropReason::StunIntegrity)?;
        let ours = self.local.iter().find(|(_, credentials)| *credentials.ufrag == *ours);
        let (local, credentials) = ours.ok_or(DropReason::StunUnknownUfrag)?;
        let theirs = self.remote.iter().find(|(_, ufrag)| **ufrag == *theirs);
        let (remote, _) = theirs.ok_or(DropReason::StunUnknownUfrag)?;
        if !check.is_authentic(&credentials.pwd) {
            return Err(DropReason::StunIntegrity);
        }
        Ok((*local.max(remote), &credentials.pwd))
    }

    /// Writes down that a check came.
    fn refresh(&mut self, now: Time, path: Path, priority: u32, restart: u32, nominates: bool) -> PathChange {
        let mut change = PathChange::default();
        let nominated = nominates.then_some(now);
        if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.path == path) {
            *pair = Pair { path, priority, nominated, restart: restart.max(pair.restart), last_check: now };
            return change;
        }
        if self.pairs.is_full() {
            let spare = self.pairs.iter().enumerate().filter(|(_, pair)| Some(pair.path) != self.selected);
            if let Some((at, _)) = spare.min_by_key(|(_, pair)| pair.last_check) {
                change.evicted = Some(self.pairs.remove(at).path);
            }
        }
        // All but one of the pairs can make room, so there is some.
        if self.pairs.try_push(Pair { path, priority, nominated, restart, last_check: now }).is_ok() {
            change.added = Some(path);
        }
        change
    }

    /// Whether the peer went from the selected path over to `path` without a nomination: see the theory of operation.
    fn is_abandoned(&self, now: Time, path: Path) -> bool {
        let find = |path| self.pairs.iter().find(|pair| pair.path == path);
        let Some((new, old)) = find(path).zip(self.selected.and_then(find)) else { return false };
        new.restart >= old.restart && now.since(self.selected_heard) >= ABANDONED
    }

    /// Whether the path that was just nominated is to be used: see the theory of operation.
    fn wins(&self, now: Time, path: Path) -> bool {
        let find = |path| self.pairs.iter().find(|pair| pair.path == path);
        let Some(new) = find(path) else { return false };
        let Some(old) = self.selected.and_then(find) else { return true };
        if new.restart != old.restart {
            return new.restart > old.restart;
        }
        let Some(nominated) = old.nominated else { return true };
        new.priority >= old.priority || now.since(nominated) >= HOLD
    }

    /// Forgets credentials older than `restart`, which is in use now; at most one pair of them is pending.
    fn retire(&mut self, restart: u32) -> Option<Box<str>> {
        // The newest ones up to the restart stay: a restart may renew one side before the other.
        let keep = |accepted: u32, newest: Option<u32>| Some(accepted) >= newest;
        let newest = self.remote.iter().map(|(at, _)| *at).filter(|at| *at <= restart).max();
        self.remote.retain(|(at, _)| keep(*at, newest));
        let newest = self.local.iter().map(|(at, _)| *at).filter(|at| *at <= restart).max();
        let old = self.local.iter().position(|(at, _)| !keep(*at, newest))?;
        Some(self.local.remove(old).1.ufrag)
    }
}

/// The transaction ids of the last checks, each with the address it came from, as hashes.
#[derive(Default)]
struct Transactions {
    ring: Vec<(u64, u64)>,
    next: usize,
}

impl Transactions {
    fn came_elsewhere(&self, transaction: &TransactionId, path: Path) -> bool {
        let (id, from) = (hash(transaction), hash(&path));
        self.ring.iter().any(|(known, origin)| *known == id && *origin != from)
    }

    /// False if it was known.
    fn remember(&mut self, transaction: &TransactionId, path: Path) -> bool {
        let entry = (hash(transaction), hash(&path));
        if self.ring.contains(&entry) {
            return false;
        }
        if self.ring.len() < MAX_TRANSACTIONS {
            self.ring.push(entry);
        } else {
            self.ring[self.next] = entry;
            self.next = (self.next + 1) % MAX_TRANSACTIONS;
        }
        true
    }
}

fn hash(value: &impl Hash) -> u64 {
    // Whoever could make them collide knows our password: it would only fool itself.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn push(out: &mut Outbox, path: Path, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
    out.push_with(path, TrafficClass::Other, write).is_some()
}

fn success(slot: &mut [u8], check: &Message<'_>, path: Path, pwd: &str) -> Option<usize> {
    Builder::new(slot, stun::BINDING_SUCCESS, check.transaction).xor_mapped_address(path.remote).finish(pwd)
}

fn role_conflict(slot: &mut [u8], check: &Message<'_>, pwd: &str) -> Option<usize> {
    Builder::new(slot, stun::BINDING_ERROR, check.transaction).error(487, "Role Conflict").finish(pwd)
}

fn unknown_attributes(slot: &mut [u8], check: &Message<'_>, pwd: &str) -> Option<usize> {
    let list: ArrayVec<u8, 16> = check.unknown.iter().flat_map(|number| number.to_be_bytes()).collect();
    Builder::new(slot, stun::BINDING_ERROR, check.transaction)
        .error(420, "Unknown Attribute")
        .attribute(attribute::UNKNOWN_ATTRIBUTES, &list)
        .finish(pwd)
}
