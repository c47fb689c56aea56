import { type Room, Track } from 'livekit-client';
import type { Features } from '../api/answers';
import { isRecord } from '../api/refusal';

/** What this person may do in this call. */
export interface Rights {
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  chat: boolean;
  hand: boolean;
  /** May switch their own microphone on again after it was switched off. */
  unmute: boolean;
  /** The room takes pictures at all; in one for sound alone nobody may send any. */
  pictures: boolean;
}

/** What is assumed until the service has said something. */
export const ALL_RIGHTS: Rights = {
  microphone: true,
  camera: true,
  screen: true,
  chat: true,
  hand: true,
  unmute: true,
  pictures: true,
};

/** The attribute by which the service says `false` of somebody who may not. */
const MAY_UNMUTE = 'colloque.may_unmute';

/** The attribute by which the service says `true` of hosts and delegates. */
const MODERATES = 'colloque.moderates';

/** Whether this person moderates, as the service says now. */
export function moderatesNow(room: Pick<Room, 'localParticipant'>): boolean {
  return room.localParticipant.attributes[MODERATES] === 'true';
}

/** Whether the room says of itself that it takes pictures; an application may have it say something else. */
function takesPictures(metadata: string | undefined): boolean {
  try {
    const said: unknown = JSON.parse(metadata || '{}');
    return !(isRecord(said) && isRecord(said['bandwidth']) && said['bandwidth']['audio_only'] === true);
  } catch {
    return true;
  }
}

/** What both the person's own rights and the features of the room allow. */
export function rightsOf(room: Pick<Room, 'localParticipant' | 'metadata'>, features: Features): Rights {
  const permissions = room.localParticipant.permissions;
  if (!permissions) return ALL_RIGHTS;
  const sources = permissions.canPublishSources;
  const may = (source: Track.Source) =>
    permissions.canPublish && (sources.length === 0 || sources.includes(Track.sourceToProto(source)));
  const pictures = takesPictures(room.metadata);
  return {
    microphone: may(Track.Source.Microphone),
    camera: pictures && may(Track.Source.Camera),
    screen: pictures && features.screenShare && may(Track.Source.ScreenShare),
    chat: features.chat && permissions.canPublishData,
    hand: features.raiseHand && permissions.canUpdateMetadata,
    unmute: room.localParticipant.attributes[MAY_UNMUTE] !== 'false',
    pictures,
  };
}
