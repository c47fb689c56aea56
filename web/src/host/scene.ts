import { isRecord } from '../api/refusal';
import { moment, parse, seconds, textOf } from '../waiting/words';
import type { Group, InCall } from './groups';

/** What a moderator can forbid, as the service spells it. */
export type Source = 'camera' | 'microphone' | 'screen_share';

/** All of them, in the order in which they are shown. */
export const SOURCES: readonly Source[] = ['microphone', 'camera', 'screen_share'];

/** What was taken away from one person, or from everybody who does not moderate. */
export interface Restraints {
  forbidden: readonly Source[];
  mayUnmute: boolean;
}

/** Nothing taken away. */
export const FREE: Restraints = { forbidden: [], mayUnmute: true };

/** Somebody in the waiting room. */
export interface Waiter {
  identity: string;
  /** Empty where they gave none. */
  name: string;
  /** Milliseconds since 1970. */
  since: number | null;
  /** False while their line is lost and their place kept. */
  here: boolean;
}

/** What hosts and delegates know of the door and the rules of the call. */
export interface Scene {
  waiting: readonly Waiter[];
  /** What was said to all who wait. */
  message: string;
  /** How late the host said to be, in minutes; 0 if not. */
  late: number;
  locked: boolean;
  forAll: Restraints;
  restrained: ReadonlyMap<string, Restraints>;
  /** Everybody in the call and in its groups. */
  inCall: readonly InCall[];
  /** The open groups, in the order in which they were opened. */
  groups: readonly Group[];
}

/** What the service says to hosts and delegates. */
export type HostWord =
  | { type: 'people'; scene: Scene }
  | { type: 'token'; token: string }
  | { type: 'done'; id: number }
  | { type: 'error'; id: number; code: string }
  | { type: 'refused'; code: string; retryAfter: number | null }
  | { type: 'again'; retryAfter: number | null }
  | { type: 'over' }
  | { type: 'ping' };

/** Reads a frame; null for what this page does not know, since services are often newer than pages. */
export function readHostWord(frame: unknown): HostWord | null {
  const value = parse(frame);
  switch (value?.['type']) {
    case 'people':
      return { type: 'people', scene: readScene(value) };
    case 'token':
      return { type: 'token', token: textOf(value['token']) };
    case 'done':
      return { type: 'done', id: Number(value['id']) };
    case 'error':
      return { type: 'error', id: Number(value['id']), code: textOf(value['code']) };
    case 'refused':
      return { type: 'refused', code: textOf(value['code']), retryAfter: seconds(value['retry_after']) };
    case 'again':
      return { type: 'again', retryAfter: seconds(value['retry_after']) };
    case 'closed':
    case 'replaced':
      return { type: 'over' };
    case 'ping':
      return { type: 'ping' };
    default:
      return null;
  }
}

function readScene(value: Record<string, unknown>): Scene {
  const { message, late } = value;
  return {
    waiting: records(value['waiting']).map((one) => ({
      identity: textOf(one['identity']),
      name: textOf(one['name']),
      since: moment(one['since']),
      here: one['here'] !== false,
    })),
    message: isRecord(message) ? textOf(message['text']) : '',
    late: isRecord(late) ? Number(late['minutes']) || 0 : 0,
    locked: value['locked'] === true,
    forAll: readRestraints(value),
    restrained: new Map(
      records(value['restrained']).map((one) => [textOf(one['identity']), readRestraints(one)]),
    ),
    inCall: records(value['in_call']).map((one) => ({
      identity: textOf(one['identity']),
      name: textOf(one['name']),
      moderates: one['moderates'] === true,
    })),
    groups: records(value['groups']).map((one) => ({
      id: textOf(one['id']),
      name: textOf(one['name']),
      members: Array.isArray(one['members']) ? one['members'].map(textOf) : [],
      closesAt: moment(one['closes_at']),
    })),
  };
}

function readRestraints(value: Record<string, unknown>): Restraints {
  const named = Array.isArray(value['forbidden']) ? (value['forbidden'] as unknown[]) : [];
  return {
    forbidden: SOURCES.filter((source) => named.includes(source)),
    mayUnmute: value['may_unmute'] !== false,
  };
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
