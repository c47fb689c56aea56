import { isRecord } from '../api/refusal';

/** What a host wrote to one who waits. */
export interface HostMessage {
  text: string;
  /** Milliseconds since 1970, null if the service does not say. */
  at: number | null;
}

/** What a person in the waiting room knows of it. */
export interface Place {
  /** 1 is who comes next. */
  position: number;
  since: number | null;
  /** Whether somebody who may let people in sees that this person waits. */
  attended: boolean;
  message: HostMessage | null;
  late: { minutes: number; at: number | null } | null;
}

/** What the service says on the waiting room's channel. */
export type Word =
  | { type: 'waiting'; place: Place }
  | { type: 'token'; token: string }
  | { type: 'admitted'; token: string }
  | { type: 'denied' }
  | { type: 'closed'; reason: string }
  | { type: 'refused'; code: string; retryAfter: number | null }
  | { type: 'replaced' }
  | { type: 'again'; retryAfter: number | null }
  | { type: 'ping' };

/** Reads a frame; null for what this page does not know, since services are often newer than pages. */
export function readWord(frame: unknown): Word | null {
  const value = parse(frame);
  switch (value?.['type']) {
    case 'waiting':
      return { type: 'waiting', place: readPlace(value) };
    case 'token':
    case 'admitted': {
      const token = value['token'];
      return typeof token === 'string' ? { type: value['type'], token } : null;
    }
    case 'closed':
      return { type: 'closed', reason: textOf(value['reason']) };
    case 'refused':
      return { type: 'refused', code: textOf(value['code']), retryAfter: seconds(value['retry_after']) };
    case 'again':
      return { type: 'again', retryAfter: seconds(value['retry_after']) };
    case 'denied':
    case 'replaced':
    case 'ping':
      return { type: value['type'] };
    default:
      return null;
  }
}

function readPlace(value: Record<string, unknown>): Place {
  const { message, late } = value;
  const minutes = isRecord(late) ? Number(late['minutes']) : 0;
  return {
    position: Number(value['position']) || 1,
    since: moment(value['since']),
    attended: value['attended'] === true,
    message:
      isRecord(message) && textOf(message['text']) !== ''
        ? { text: textOf(message['text']), at: moment(message['at']) }
        : null,
    late: isRecord(late) && minutes > 0 ? { minutes, at: moment(late['at']) } : null,
  };
}

/** The object in a frame, or null when it holds none. */
export function parse(frame: unknown): Record<string, unknown> | null {
  try {
    const value: unknown = typeof frame === 'string' ? JSON.parse(frame) : null;
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** A text, empty where there is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A time as milliseconds since 1970, or null. */
export function moment(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** A number of seconds as milliseconds, or null. */
export function seconds(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value * 1000 : null;
}
