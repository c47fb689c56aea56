import type { Refusal, RefusalCode } from '../api/refusal';

/** How a refused person gets in after all: by waiting (milliseconds until the next try), or not at all. */
export type Plan = { kind: 'wait'; milliseconds: number } | { kind: 'final' };

const FINAL: readonly RefusalCode[] = ['not-found', 'too-late', 'cancelled', 'denied', 'revoked'];

/** Pause before try 0, 1, 2, ... of something that the network or the service failed; the last one repeats. */
const PAUSES = [1000, 2000, 4000, 7000, 10_000];

/** The same for a call that lost its line: people are waiting on both sides, so quicker at first and later. */
const QUICK = [250, 500, 1000, 2000, 3000];

/** After this long the call starts afresh with a new token rather than go on with what it has. */
const START_AFRESH = 60_000;

/** While the door opens later the page looks again this often, in case the hour was moved forward. */
const LOOK_AGAIN = 60_000;

/** Longest pause that a server may ask for before the page tries all the same. */
const LONGEST = 5 * 60_000;

/**
 * When to try again after a refusal.
 *
 * @param attempt how many tries failed before, from 0
 * @param now milliseconds since 1970
 * @param chance a number in [0, 1) that spreads the tries of many people, so that they do not return at once
 */
export function planAfter(refusal: Refusal, attempt: number, now: number, chance: number): Plan {
  if (FINAL.includes(refusal.code)) return { kind: 'final' };
  if (refusal.retryAfter !== null) {
    return { kind: 'wait', milliseconds: Math.min(refusal.retryAfter, LONGEST) + chance * 1000 };
  }
  if (refusal.code === 'too-early') return { kind: 'wait', milliseconds: untilOpen(refusal, now, chance) };
  return { kind: 'wait', milliseconds: pause(attempt, chance) };
}

function untilOpen(refusal: Refusal, now: number, chance: number): number {
  const opensAt = refusal.times.opensAt;
  if (opensAt === null) return LOOK_AGAIN / 2;
  // Never under a second: a device whose clock runs ahead must not ask in a loop.
  return Math.min(Math.max(opensAt - now, 1000) + chance * 1000, LOOK_AGAIN);
}

/** Pause before a lost line is tried again, in milliseconds; null when it is time to start afresh. */
export function reconnectPause(attempt: number, elapsed: number, chance: number): number | null {
  if (elapsed > START_AFRESH) return null;
  return spread(QUICK[Math.min(attempt, QUICK.length - 1)] ?? 3000, chance);
}

/** Pause before a further try, in milliseconds: grows to 10 s and stays, give or take a quarter. */
export function pause(attempt: number, chance: number): number {
  const base = PAUSES[Math.min(attempt, PAUSES.length - 1)] ?? 10_000;
  return spread(base, chance);
}

/** Many people lose their line at once; they must not return at once. */
function spread(milliseconds: number, chance: number): number {
  return Math.round(milliseconds * (0.75 + chance / 2));
}
