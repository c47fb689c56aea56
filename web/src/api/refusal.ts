/** Why someone may not enter now; each has a page in plain words. */
export const REFUSALS = [
  'not-found',
  'too-early',
  'too-late',
  'cancelled',
  'denied',
  'revoked',
  'not-admitted',
  'locked',
  'full',
  'rate-limited',
  'draining',
  'unreachable',
  'broken',
] as const;

/**
 * The name of a refusal: a `code` of the server's problem bodies, or one of the page's own: the two last ones,
 * `cancelled` (a `too-late` whose room was called off) and `denied` (said in the waiting room).
 */
export type RefusalCode = (typeof REFUSALS)[number];

/** The times of a room as a page shows them; all in milliseconds since 1970, null where the room has none. */
export interface RoomTimes {
  startsAt: number | null;
  endsAt: number | null;
  opensAt: number | null;
  closesAt: number | null;
}

/** A refusal with what the server said about it. */
export interface Refusal {
  code: RefusalCode;
  times: RoomTimes;
  /** Milliseconds that the server asks to wait before the next try, null when it asks for nothing. */
  retryAfter: number | null;
}

/** Times of which nothing is known. */
export const NO_TIMES: RoomTimes = { startsAt: null, endsAt: null, opensAt: null, closesAt: null };

/** A refusal that the server did not word itself: no answer came (`unreachable`) or none that makes sense. */
export function ownRefusal(code: 'unreachable' | 'broken'): Refusal {
  return { code, times: NO_TIMES, retryAfter: null };
}

/** Codes of the problem bodies that mean the same as a refusal under another name. */
const SYNONYMS: Readonly<Record<string, RefusalCode>> = { unauthenticated: 'revoked', busy: 'draining' };

/** The refusal in a problem body (RFC 9457, with our `code`); a body that is not one counts by its status. */
export function readRefusal(status: number, body: unknown, retryAfter: string | null): Refusal {
  const problem = isRecord(body) ? body : {};
  const code = typeof problem['code'] === 'string' ? problem['code'] : '';
  const known = REFUSALS.find((refusal) => refusal === code) ?? SYNONYMS[code];
  const room = isRecord(problem['room']) ? problem['room'] : problem;
  const calledOff = known === 'too-late' && room['state'] === 'cancelled';
  return {
    code: calledOff ? 'cancelled' : (known ?? byStatus(status)),
    times: readTimes(room),
    retryAfter: seconds(retryAfter),
  };
}

function byStatus(status: number): RefusalCode {
  if (status === 404) return 'not-found';
  if (status === 429) return 'rate-limited';
  if (status === 503) return 'draining';
  return 'broken';
}

/** The times in a room object; ISO 8601 texts and seconds since 1970 are both read. */
export function readTimes(room: Record<string, unknown>): RoomTimes {
  return {
    startsAt: readTime(room['starts_at']),
    endsAt: readTime(room['ends_at']),
    opensAt: readTime(room['opens_at']),
    closesAt: readTime(room['closes_at']),
  };
}

function readTime(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000;
  if (typeof value !== 'string') return null;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : at;
}

function seconds(header: string | null): number | null {
  const value = Number(header);
  return header !== null && header !== '' && Number.isFinite(value) && value >= 0 ? value * 1000 : null;
}

/** Whether a parsed JSON value is an object with named members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
