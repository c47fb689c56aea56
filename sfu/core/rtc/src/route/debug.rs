//! The router's objects in numbers, for people who look for a fault. No address, name or payload is in it.

use std::fmt::{self, Write};

use crate::receive::{Encoding, Track};
use crate::route::Router;
use crate::send::Subscription;

impl Router {
    /// All tracks and subscriptions as one JSON object.
    pub fn debug_state(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_state(&mut out);
        out
    }

    fn write_state(&self, out: &mut String) -> fmt::Result {
        write!(out, r#"{{"transports":{},"queued":{},"tracks":["#, self.peers.len(), self.queue.len())?;
        list(out, self.tracks.values(), write_track)?;
        out.push_str(r#"],"subscriptions":["#);
        list(out, self.subscriptions.values(), write_subscription)?;
        out.push_str("]}");
        Ok(())
    }
}

fn list<'a, T: 'a>(
    out: &mut String,
    items: impl Iterator<Item = &'a T>,
    mut write: impl FnMut(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item)?;
    }
    Ok(())
}

fn write_track(out: &mut String, track: &Track) -> fmt::Result {
    let Track { id, transport, paused, subscriptions, .. } = track;
    let count = subscriptions.len();
    write!(
        out,
        r#"{{"id":{},"transport":{},"paused":{paused},"subscriptions":{count},"encodings":["#,
        id.0, transport.0,
    )?;
    list(out, track.encodings.iter(), write_encoding)?;
    out.push_str("]}");
    Ok(())
}

fn write_encoding(out: &mut String, encoding: &Encoding) -> fmt::Result {
    let (newest, missing, epoch) = encoding
        .stream
        .as_ref()
        .map_or((0, 0, 0), |stream| (stream.newest.0, stream.nacks.missing(), stream.epoch));
    let (active, ssrc) = (encoding.active, encoding.ssrc.map_or(0, |ssrc| ssrc.0));
    write!(
        out,
        r#"{{"ssrc":{ssrc},"active":{active},"newest":{newest},"missing":{missing},"epoch":{epoch}}}"#
    )
}

fn write_subscription(out: &mut String, subscription: &Subscription) -> fmt::Result {
    let encoding = |encoding: Option<u8>| encoding.map_or(-1, i32::from);
    write!(
        out,
        r#"{{"id":{},"track":{},"transport":{},"target":{},"current":{},"waits_for":{},"next":{}}}"#,
        subscription.id.0,
        subscription.track.0,
        subscription.transport.0,
        encoding(subscription.plan.encoding),
        encoding(subscription.current()),
        encoding(subscription.waiting()),
        subscription.next_numbers().0.0,
    )
}
