import type { QualityWord } from './model';

/** Why the line is not better; each has a sentence that says what to do. */
export type Reason =
  | 'none'
  | 'measuring'
  | 'loss-up'
  | 'loss-down'
  | 'delay'
  | 'narrow'
  | 'busy'
  | 'lost'
  | 'server';

/** What the last seconds of a call looked like from here; null where nothing could be measured. */
export interface Measurement {
  /** Share of packets lost on the way to the server, 0 to 1. */
  lossUp: number | null;
  /** Share of packets lost on the way to us, 0 to 1. */
  lossDown: number | null;
  /** Round trip to the server in milliseconds. */
  roundTrip: number | null;
  /** What holds the sent picture back, as browsers name it. */
  limitation: 'none' | 'cpu' | 'bandwidth' | 'other' | null;
}

/** The word for a line, and why. */
export interface Verdict {
  word: QualityWord;
  reason: Reason;
}

/** Loss that is heard as clicks, and loss that makes speech hard to follow (Opus conceals less than this well). */
const LOSS = { medium: 0.03, weak: 0.1 };

/** Round trips in milliseconds from which people begin to talk over one another (ITU-T G.114: 150 ms one way). */
const DELAY = { medium: 300, weak: 600 };

/**
 * Judges a line by what was measured here and by the server's own word (null while it has said nothing).
 *
 * The worse of the two counts, and a measured reason is preferred to none.
 */
export function judge(measured: Measurement, server: QualityWord | 'lost' | null): Verdict {
  if (server === 'lost') return { word: 'weak', reason: 'lost' };
  const own = worstOf(measured);
  if (server === null) return own ?? { word: 'good', reason: isEmpty(measured) ? 'measuring' : 'none' };
  if (own && rank(own.word) >= rank(server)) return own;
  if (server === 'good') return { word: 'good', reason: 'none' };
  return { word: server, reason: own?.reason ?? 'server' };
}

function worstOf({ lossUp, lossDown, roundTrip, limitation }: Measurement): Verdict | null {
  const found: Verdict[] = [];
  const add = (reason: Reason, value: number | null, limit: { medium: number; weak: number }) => {
    if (value !== null && value >= limit.medium) {
      found.push({ word: value >= limit.weak ? 'weak' : 'medium', reason });
    }
  };
  add('loss-up', lossUp, LOSS);
  add('loss-down', lossDown, LOSS);
  add('delay', roundTrip, DELAY);
  if (limitation === 'bandwidth') found.push({ word: 'medium', reason: 'narrow' });
  if (limitation === 'cpu') found.push({ word: 'medium', reason: 'busy' });
  return found.reduce<Verdict | null>(
    (worst, next) => (worst && rank(worst.word) >= rank(next.word) ? worst : next),
    null,
  );
}

function isEmpty({ lossUp, lossDown, roundTrip }: Measurement): boolean {
  return lossUp === null && lossDown === null && roundTrip === null;
}

function rank(word: QualityWord): number {
  return { good: 0, medium: 1, weak: 2 }[word];
}

/** Packets counted so far in one direction. */
export interface Count {
  received: number;
  lost: number;
}

/** The share lost between two counts, or null when too few packets passed to say. */
export function lossBetween(before: Count, after: Count): number | null {
  const lost = Math.max(0, after.lost - before.lost);
  const expected = after.received - before.received + lost;
  return expected < 20 ? null : lost / expected;
}
