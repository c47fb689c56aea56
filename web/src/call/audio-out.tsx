import { type RemoteTrack, RoomEvent, Track } from 'livekit-client';
import { useEffect, useRef } from 'preact/hooks';
import { useCall } from './view';

/**
 * Plays everyone's sound. It hangs on the room and not on the tiles, so that people on another page of the
 * grid are heard as well.
 */
export function AudioOut() {
  const place = useRef<HTMLDivElement>(null);
  const { session } = useCall();
  useEffect(() => {
    const { room } = session;
    const add = (track: RemoteTrack) => {
      if (track.kind === Track.Kind.Audio) place.current?.append(track.attach());
    };
    const remove = (track: RemoteTrack) => {
      if (track.kind !== Track.Kind.Audio) return;
      for (const element of track.detach()) element.remove();
    };
    room.on(RoomEvent.TrackSubscribed, add).on(RoomEvent.TrackUnsubscribed, remove);
    for (const person of room.remoteParticipants.values()) {
      for (const publication of person.audioTrackPublications.values()) {
        if (publication.track) add(publication.track as RemoteTrack);
      }
    }
    return () => {
      room.off(RoomEvent.TrackSubscribed, add).off(RoomEvent.TrackUnsubscribed, remove);
    };
  }, [session]);
  return <div ref={place} hidden />;
}
