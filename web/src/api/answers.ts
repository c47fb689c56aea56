import { isRecord, type RoomTimes, readTimes } from './refusal';

/** What is possible in a room, whoever the person is. */
export interface Features {
  chat: boolean;
  screenShare: boolean;
  raiseHand: boolean;
  /** One person at a time shares a screen. */
  onePresenter: boolean;
}

/** What a link leads to. */
export interface Invitation {
  roomName: string;
  features: Features;
  /** The room is for sound alone: cameras and screens are of no use in it. */
  audioOnly: boolean;
  times: RoomTimes;
  /** Whether the link belongs to one participant; whoever else holds it is taken for them. */
  bound: boolean;
  /** The name that the host chose for this person; null lets them choose one. */
  name: string | null;
  /** `host`, `delegate`, `patient`, `guest` or `observer`. */
  role: string;
}

/** Leave to enter: what the call needs to connect. */
export interface Admission {
  token: string;
  /** Where the signalling socket connects, for instance `wss://visio.example.org`. */
  wsUrl: string;
  name: string;
  role: string;
  times: RoomTimes;
  /** The person is to be let in first: until then the token opens the waiting room only. */
  wait: boolean;
}

/** The answer of the preview, or null when it is not one. */
export function readInvitation(answer: unknown): Invitation | null {
  if (!isRecord(answer) || !isRecord(answer['room'])) return null;
  const room = answer['room'];
  return {
    roomName: text(room['name']) ?? '',
    features: readFeatures(room['features']),
    audioOnly: isRecord(room['bandwidth']) && room['bandwidth']['audio_only'] === true,
    times: readTimes(room),
    bound: answer['bound'] === true,
    name: text(answer['name']),
    role: text(answer['role']) ?? 'guest',
  };
}

/** The answer of the join, or null when it is not one. */
export function readAdmission(answer: unknown): Admission | null {
  if (!isRecord(answer)) return null;
  const token = text(answer['token']);
  const wsUrl = text(answer['ws_url']);
  if (token === null || wsUrl === null) return null;
  return {
    token,
    wsUrl,
    name: text(answer['name']) ?? '',
    role: text(answer['role']) ?? 'guest',
    times: readTimes(isRecord(answer['room']) ? answer['room'] : {}),
    wait: answer['wait'] === true,
  };
}

/** A feature that the server does not mention is there: older servers know fewer of them. */
function readFeatures(value: unknown): Features {
  const features = isRecord(value) ? value : {};
  return {
    chat: features['chat'] !== false,
    screenShare: features['screen_share'] !== false,
    raiseHand: features['raise_hand'] !== false,
    onePresenter: features['one_presenter'] === true,
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
