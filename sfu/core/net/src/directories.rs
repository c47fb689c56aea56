//! The directories of all workers, and which tracks have mirrors on which of them.
//!
//! The control side asks for subscriptions across workers as it does on one. A mirror is made with the first
//! subscription that needs it and goes with the last, with its track, or with the publisher.

use rtc::command::{Command, TrackParams};
use rtc::id::{SubscriptionId, TrackId, TransportId};

use crate::directory::{Directory, Full};

/// The most commands that one call may lead to on one worker.
pub(crate) const MOST_COMMANDS: usize = 3;

/// Commands in their order, each with its worker.
#[derive(Default)]
pub(crate) struct Commands(Vec<(u8, Command)>);

impl Commands {
    pub(crate) fn push(&mut self, worker: u8, command: Command) {
        self.0.push((worker, command));
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (u8, Command)> {
        self.0.into_iter()
    }
}

pub(crate) struct Directories(Vec<Directory>);

impl Directories {
    pub(crate) fn new(workers: u8, max_transports: usize) -> Directories {
        Directories((0..workers).map(|worker| Directory::new(worker, max_transports)).collect())
    }

    pub(crate) fn add_transport(&mut self, worker: u8) -> Result<TransportId, Full> {
        self.of(worker).add_transport()
    }

    pub(crate) fn add_track(&mut self, params: &TrackParams) -> Result<TrackId, Full> {
        let for_mirrors = (self.0.len() > 1).then(|| Box::new(params.clone()));
        self.of(params.transport.worker()).add_track(params.transport, for_mirrors)
    }

    /// Gives out a subscription and says which track of the subscriber's worker it is of.
    pub(crate) fn subscribe(
        &mut self,
        track: TrackId,
        transport: TransportId,
        commands: &mut Commands,
    ) -> Result<(SubscriptionId, TrackId), Full> {
        let there = transport.worker();
        if track.worker() == there {
            return Ok((self.of(there).subscribe(track, transport)?, track));
        }
        let Some(home) = self.of(track.worker()).track(track) else {
            return Ok((self.of(there).subscribe_to_nothing()?, track));
        };
        let (publisher, paused) = (home.transport, home.paused);
        let (known, params) = (home.mirror_on(there), home.params.clone());
        if !self.of(there).has_transport(transport) {
            return Ok((self.of(there).subscribe_to_nothing()?, track));
        }
        let mirror = match known {
            Some(mirror) => mirror,
            None => self.of(there).add_mirror(track, publisher)?,
        };
        let subscription = match self.of(there).subscribe(mirror, transport) {
            Ok(subscription) => subscription,
            Err(full) => {
                if known.is_none() {
                    self.of(there).close_track(mirror);
                }
                return Err(full);
            }
        };
        if let (None, Some(params)) = (known, params) {
            commands.push(there, Command::AddMirror { mirror, of: track, params });
            if paused {
                commands.push(there, Command::PauseTrack { track: mirror, paused });
            }
            commands.push(track.worker(), Command::Relay { track, mirror });
            if let Some(home) = self.of(track.worker()).track(track) {
                home.mirrors.push(mirror);
            }
        }
        Ok((subscription, mirror))
    }

    pub(crate) fn pause_track(&mut self, track: TrackId, paused: bool, commands: &mut Commands) {
        let Some(home) = self.of(track.worker()).track(track) else { return };
        home.paused = paused;
        for &mirror in &home.mirrors {
            commands.push(mirror.worker(), Command::PauseTrack { track: mirror, paused });
        }
    }

    pub(crate) fn close_transport(&mut self, transport: TransportId, commands: &mut Commands) {
        self.of(transport.worker()).close_transport(transport);
        self.let_mirrors_go(transport.worker(), commands);
    }

    pub(crate) fn close_track(&mut self, track: TrackId, commands: &mut Commands) {
        self.of(track.worker()).close_track(track);
        self.let_mirrors_go(track.worker(), commands);
    }

    pub(crate) fn unsubscribe(&mut self, subscription: SubscriptionId, commands: &mut Commands) {
        self.of(subscription.worker()).unsubscribe(subscription);
        self.let_mirrors_go(subscription.worker(), commands);
    }

    /// Closes the mirrors that something which happened on `worker` has left without a track or without a subscription:
    /// one command for each worker concerned, however many mirrors it is about.
    fn let_mirrors_go(&mut self, worker: u8, commands: &mut Commands) {
        let (orphans, idle) = self.of(worker).take_loose_mirrors();
        let mut closed = orphans;
        let mut ended = Vec::new();
        for mirror in idle {
            let Some(home) = self.of(worker).track(mirror).and_then(|track| track.home) else { continue };
            closed.push(mirror);
            if let Some(track) = self.of(home.worker()).track(home) {
                track.mirrors.retain(|&other| other != mirror);
                ended.push((home, mirror));
            }
        }
        for number in 0..self.0.len() as u8 {
            let mirrors: Vec<_> = closed.iter().copied().filter(|mirror| mirror.worker() == number).collect();
            for &mirror in &mirrors {
                self.of(number).close_track(mirror);
            }
            if !mirrors.is_empty() {
                commands.push(number, Command::CloseMirrors { mirrors: mirrors.into() });
            }
            let relays: Vec<_> =
                ended.iter().copied().filter(|(track, _)| track.worker() == number).collect();
            if !relays.is_empty() {
                commands.push(number, Command::EndRelays { relays: relays.into() });
            }
        }
    }

    /// The directory of a worker, which the caller knows to be there.
    fn of(&mut self, worker: u8) -> &mut Directory {
        &mut self.0[usize::from(worker)]
    }
}

#[cfg(test)]
mod tests {
    use arrayvec::ArrayVec;
    use rtc::command::{MediaKind, Mid};

    use super::*;

    struct Rig {
        directories: Directories,
        publisher: TransportId,
        track: TrackId,
        viewers: [TransportId; 2],
    }

    /// A publisher on worker 0, and two viewers on worker 1.
    fn rig() -> Rig {
        let mut directories = Directories::new(2, 8);
        let publisher = directories.add_transport(0).unwrap();
        let params = TrackParams {
            transport: publisher,
            kind: MediaKind::Audio,
            mid: Mid::new(),
            payloads: ArrayVec::new(),
            encodings: ArrayVec::new(),
        };
        let track = directories.add_track(&params).unwrap();
        let viewers = [1, 1].map(|worker| directories.add_transport(worker).unwrap());
        Rig { directories, publisher, track, viewers }
    }

    /// What a call led to, each command by its name and worker.
    fn led_to(call: impl FnOnce(&mut Commands)) -> Vec<(u8, &'static str)> {
        let mut commands = Commands::default();
        call(&mut commands);
        let name = |command: &Command| match command {
            Command::AddMirror { .. } => "add",
            Command::PauseTrack { .. } => "pause",
            Command::Relay { .. } => "relay",
            Command::CloseMirrors { .. } => "close",
            Command::EndRelays { .. } => "end",
            _ => "other",
        };
        commands.into_iter().map(|(worker, command)| (worker, name(&command))).collect()
    }

    fn subscribe(
        directories: &mut Directories,
        track: TrackId,
        viewer: TransportId,
        commands: &mut Commands,
    ) {
        directories.subscribe(track, viewer, commands).unwrap();
    }

    #[test]
    fn a_mirror_comes_with_the_first_subscription_and_goes_with_the_last() {
        let Rig { mut directories, track, viewers, .. } = rig();
        let mut subscriptions = Vec::new();
        for expected in [vec![(1, "add"), (0, "relay")], vec![]] {
            let viewer = viewers[subscriptions.len()];
            let commands = led_to(|commands| {
                let (subscription, seen) = directories.subscribe(track, viewer, commands).unwrap();
                assert_eq!((subscription.worker(), seen.worker()), (1, 1));
                subscriptions.push(subscription);
            });
            assert_eq!(commands, expected);
        }
        assert_eq!(led_to(|commands| directories.unsubscribe(subscriptions[0], commands)), []);
        let commands = led_to(|commands| directories.close_transport(viewers[1], commands));
        assert_eq!(commands, [(0, "end"), (1, "close")]);
        let again = led_to(|commands| subscribe(&mut directories, track, viewers[0], commands));
        assert_eq!(again, [(1, "add"), (0, "relay")]);
    }

    #[test]
    fn mirrors_go_with_their_track_and_with_the_publisher() {
        for with_publisher in [false, true] {
            let Rig { mut directories, publisher, track, viewers } = rig();
            led_to(|commands| subscribe(&mut directories, track, viewers[0], commands));
            let commands = led_to(|commands| match with_publisher {
                false => directories.close_track(track, commands),
                true => directories.close_transport(publisher, commands),
            });
            assert_eq!(commands, [(1, "close")]);
            assert_eq!(led_to(|commands| directories.close_transport(viewers[0], commands)), []);
        }
    }

    #[test]
    fn a_paused_track_has_paused_mirrors() {
        let Rig { mut directories, track, viewers, .. } = rig();
        assert_eq!(led_to(|commands| directories.pause_track(track, true, commands)), []);
        let commands = led_to(|commands| subscribe(&mut directories, track, viewers[0], commands));
        assert_eq!(commands, [(1, "add"), (1, "pause"), (0, "relay")]);
        assert_eq!(led_to(|commands| directories.pause_track(track, false, commands)), [(1, "pause")]);
    }

    #[test]
    fn what_is_gone_gets_no_mirror() {
        let Rig { mut directories, publisher, track, viewers } = rig();
        led_to(|commands| directories.close_transport(viewers[0], commands));
        let of_nothing = |directories: &mut Directories, viewer| {
            led_to(|commands| assert_eq!(directories.subscribe(track, viewer, commands).unwrap().1, track))
        };
        assert_eq!(of_nothing(&mut directories, viewers[0]), []);
        led_to(|commands| directories.close_transport(publisher, commands));
        assert_eq!(of_nothing(&mut directories, viewers[1]), []);
    }
}
