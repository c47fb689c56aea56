import { PATHS, type PathOutcome, type PathResult } from './result';

/** A path whose first packet comes back within this many milliseconds is as good as it gets. */
export const PROMPT = 2500;

/** After this long without a packet a path is taken for blocked. */
export const BLOCKED = 5000;

/** No path is begun any more when this long was spent on them, so that the whole test stays under 45 s. */
export const PATHS_TIME = 20_000;

/** Over this round trip a conversation begins to suffer (ITU-T G.114 asks for 150 ms each way). */
export const LONG_WAY = 300;

/** The bit rates that are tried one after the other, in kilobits a second; the last is a good picture and more. */
const TARGETS = [150, 500, 1200, 2000];

/** The bit rates to try where a leg may take so many kilobits a second. */
export function targetsWithin(most: number): number[] {
  const lower = TARGETS.filter((target) => target < most);
  return lower.length < TARGETS.length ? [...lower, most] : lower;
}

/** Judges a path by when its first packet came back; null is never. */
export function outcomeOf(connectMs: number | null): PathOutcome {
  if (connectMs === null) return 'blocked';
  return connectMs <= PROMPT ? 'ok' : 'slow';
}

/** The path for the sound and the picture: open, prompt before slow, direct before relayed; null if none is open. */
export function bestOf<Path extends Pick<PathResult, 'name' | 'outcome'>>(
  paths: readonly Path[],
): Path | null {
  for (const outcome of ['ok', 'slow'] as const) {
    for (const name of PATHS) {
      const found = paths.find((path) => path.name === name && path.outcome === outcome);
      if (found) return found;
    }
  }
  return null;
}

/** The middle of some measurements, null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return middle ?? null;
}
