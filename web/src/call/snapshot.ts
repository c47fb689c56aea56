import {
  ConnectionQuality,
  type LocalTrackPublication,
  type Participant,
  type RemoteTrackPublication,
  type Room,
  Track,
  type TrackPublication,
} from 'livekit-client';
import type { Person, Picture, PictureKind, QualityWord } from './model';

/** The attribute by which a person raises a hand: anything, or nothing. */
export const HAND = 'hand';

/** The attribute that says since when (ISO 8601): the service writes it, and it orders the hands. */
const HAND_SINCE = 'colloque.hand';

/** The name of a second camera's track; its source is a camera like the first one's. */
export const SECOND_CAMERA = 'second-camera';

/** Everyone in the call now, as values. */
export function peopleOf(room: Room): Person[] {
  return [room.localParticipant, ...room.remoteParticipants.values()].map((participant) =>
    personOf(participant),
  );
}

function personOf(participant: Participant): Person {
  return {
    identity: participant.identity,
    name: participant.name ?? '',
    self: participant.isLocal,
    microphone: microphoneOf(participant),
    handSince: handOf(participant),
    quality: wordOf(participant.connectionQuality),
    pictures: [...participant.videoTrackPublications.values()].flatMap((publication) =>
      pictureOf(publication),
    ),
    joinedAt: participant.joinedAt?.getTime() ?? 0,
  };
}

function microphoneOf(participant: Participant): Person['microphone'] {
  const publication = participant.getTrackPublication(Track.Source.Microphone);
  if (!publication) return 'none';
  return publication.isMuted ? 'muted' : 'on';
}

function handOf(participant: Participant): number | null {
  const text = participant.attributes[HAND_SINCE] ?? participant.attributes[HAND];
  if (!text) return null;
  const since = Date.parse(text);
  return Number.isNaN(since) ? 0 : since;
}

function pictureOf(publication: TrackPublication): Picture[] {
  const kind = kindOf(publication);
  const track = (publication as LocalTrackPublication | RemoteTrackPublication).videoTrack ?? null;
  const visible = track !== null && !publication.isMuted;
  // A screen or a second camera that shows nothing takes no place; a face keeps its place.
  if (!visible && kind !== 'camera') return [];
  return [
    {
      id: publication.trackSid,
      kind,
      track: visible ? track : null,
      paused: visible && track.streamState === Track.StreamState.Paused,
    },
  ];
}

/** What a video publication shows. */
export function kindOf(publication: Pick<TrackPublication, 'source' | 'trackName'>): PictureKind {
  if (publication.source === Track.Source.ScreenShare) return 'screen';
  return publication.trackName === SECOND_CAMERA ? 'second-camera' : 'camera';
}

/** LiveKit's five grades in our three words; null while unknown. */
export function wordOf(quality: ConnectionQuality): QualityWord | null {
  switch (quality) {
    case ConnectionQuality.Excellent:
      return 'good';
    case ConnectionQuality.Good:
      return 'medium';
    case ConnectionQuality.Poor:
    case ConnectionQuality.Lost:
      return 'weak';
    default:
      return null;
  }
}
