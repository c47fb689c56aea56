import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Level } from '../devices/level';
import { absence, cameraBy, checkMicrophone, lookOf } from './device-checks';

/** What the microphone's meter reports. */
const meter = vi.hoisted(() => ({
  report: undefined as ((level: Level) => void) | undefined,
  readable: true,
  stopped: 0,
}));

vi.mock('../devices/level', () => ({
  VOICE: 0.12,
  watchLevel: (_track: unknown, report: (level: Level) => void) => {
    if (!meter.readable) return null;
    meter.report = report;
    return () => meter.stopped++;
  },
}));

describe('a camera', () => {
  const look = (brightness: number, fingerprint: number) => ({ brightness, fingerprint });

  test.each([
    ['shows something that changes', [look(200, 1), look(200, 2)], 'ok'],
    ['changes but shows only the dark', [look(9, 1), look(12, 2)], 'black'],
    ['wakes up after a dark start', [look(9, 1), look(180, 2)], 'ok'],
    ['always shows the same', [look(200, 1), look(200, 1)], 'frozen'],
    ['always shows the same black', [look(0, 1), look(0, 1)], 'black'],
    ['never shows anything', [], 'frozen'],
  ])('that %s', (_name, looks, result) => {
    expect(cameraBy(looks)).toBe(result);
  });

  test('is looked at by its brightest spot, and every pixel tells pictures apart', () => {
    const dark = new Uint8ClampedArray(4 * 16).fill(6);
    const spot = dark.slice();
    spot.set([90, 90, 90], 4 * 7);
    expect([lookOf(dark).brightness, lookOf(spot).brightness]).toEqual([6, 90]);
    expect(lookOf(spot).fingerprint).not.toBe(lookOf(dark).fingerprint);
    expect(lookOf(spot)).toEqual(lookOf(spot.slice()));
  });
});

test.each([
  [{ is: 'off' }, 'skipped'],
  [{ is: 'asking' }, 'skipped'],
  [{ is: 'failed', why: 'refused' }, 'denied'],
  [{ is: 'failed', why: 'system' }, 'denied'],
  [{ is: 'failed', why: 'missing' }, 'missing'],
  [{ is: 'failed', why: 'busy' }, 'missing'],
] as const)('a capture that is %j counts as %s', (state, result) => {
  expect(absence(state)).toBe(result);
});

describe('a microphone', () => {
  const TRACK = {} as MediaStreamTrack;

  beforeEach(() => {
    vi.useFakeTimers();
    Object.assign(meter, { report: undefined, readable: true, stopped: 0 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function hears(...levels: Level[]): void {
    for (const level of levels) meter.report?.(level);
  }

  test('that hears a voice is good at once', async () => {
    const checked = checkMicrophone(TRACK, new AbortController().signal);
    hears(0.5, 0.01, 0.5, 0.5, 0.5);
    expect(await checked).toBe('ok');
    expect(meter.stopped).toBe(1);
  });

  test('that hears a knock in five seconds is silent', async () => {
    const checked = checkMicrophone(TRACK, new AbortController().signal);
    hears(0.01, 0.9, 0.9, 0.01);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await checked).toBe('silent');
  });

  test('whose level cannot be read, or is kept back by the browser, was not tried', async () => {
    const kept = checkMicrophone(TRACK, new AbortController().signal);
    hears(null, null);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await kept).toBe('skipped');
    meter.readable = false;
    expect(await checkMicrophone(TRACK, new AbortController().signal)).toBe('skipped');
  });

  test('is let go when the person goes on', async () => {
    const stop = new AbortController();
    const checked = checkMicrophone(TRACK, stop.signal);
    stop.abort();
    expect(await checked).toBe('skipped');
    expect(meter.stopped).toBe(1);
  });
});
