import { type Admission, type Invitation, readAdmission, readInvitation } from './answers';
import { ownRefusal, type Refusal, readRefusal } from './refusal';

/** How long a person waits for an answer before the page says that none came, in milliseconds. */
export const PATIENCE = 10_000;

/** An answer that one can go on with, or the reason why not. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

/** Asks what a link leads to, without entering. */
export function preview(link: string): Promise<Outcome<Invitation>> {
  return post('/v1/join/preview', { link }, readInvitation);
}

/** What a person brings to the door: the link, and for a guest a name and the key that makes them the same guest. */
export interface JoinRequest {
  link: string;
  name?: string;
  key?: string;
}

/** Asks to enter; the answer holds the token for the call. */
export function join(request: JoinRequest): Promise<Outcome<Admission>> {
  return post('/v1/join', request, readAdmission);
}

/** What a person thought of a call: 1, bad, to 5, good, and why. */
export interface RatingRequest {
  link: string;
  key?: string;
  score: number;
  reasons: readonly string[];
}

/** Tells the service what a person thought of the call; the answer has no content. */
export function rate(request: RatingRequest): Promise<Outcome<true>> {
  return post('/v1/join/rating', request, () => true);
}

/** Posts to the service and reads its answer; with `keepalive` it arrives even when the page goes away. */
export async function post<T>(
  path: string,
  body: object,
  read: (answer: unknown) => T | null,
  { keepalive = false } = {},
): Promise<Outcome<T>> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(body),
      signal: patience.signal,
      keepalive,
      // Nothing of the call depends on cookies, so none travel.
      credentials: 'omit',
      cache: 'no-store',
    });
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      return {
        ok: false,
        refusal: readRefusal(response.status, answer, response.headers.get('Retry-After')),
      };
    }
    const value = read(answer);
    return value === null ? { ok: false, refusal: ownRefusal('broken') } : { ok: true, value };
  } catch {
    return { ok: false, refusal: ownRefusal('unreachable') };
  } finally {
    clearTimeout(timer);
  }
}
