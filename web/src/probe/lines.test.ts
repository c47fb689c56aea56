import { describe, expect, test } from 'vitest';
import { carried, linesOf, type Progress, START, worst } from './lines';
import type { MediaStep, PathResult } from './result';

const UDP: PathResult = { name: 'udp', port: 10000, outcome: 'blocked', connect_ms: null, ipv6: null };

function step(up: number, down: number, more: Partial<MediaStep> = {}): MediaStep {
  return {
    target_kbps: 500,
    kbps_up: up,
    kbps_down: down,
    loss_up: 0,
    loss_down: 0,
    rtt_ms: 20,
    jitter_ms: 1,
    ...more,
  };
}

function states(progress: Partial<Progress>): Record<string, string> {
  return Object.fromEntries(linesOf({ ...START, ...progress }).map(({ id, state }) => [id, state]));
}

describe('the lines of a test', () => {
  test('before it begins are all to come', () => {
    expect(new Set(Object.values(states({})))).toEqual(new Set(['waiting']));
  });

  test('that were not reached are not tried when it is over', () => {
    expect(states({ over: true, result: { signalling: NO_SOCKET } })).toEqual({
      browser: 'skipped',
      signalling: 'blocked',
      media: 'skipped',
      microphone: 'skipped',
      camera: 'skipped',
      speaker: 'skipped',
    });
  });

  test('say that no sound and picture were sent once it is the turn of the devices', () => {
    expect(states({ running: ['microphone', 'camera'] })).toMatchObject({
      media: 'skipped',
      speaker: 'waiting',
    });
    expect(states({ running: ['path-0'] })['media']).toBe('waiting');
  });

  test('say of each path what came of it, of two with one name and port too', () => {
    const paths = [UDP, UDP, { ...UDP, port: 443 }];
    const outcomes: (PathResult | null)[] = [UDP, { ...UDP, outcome: 'ok', connect_ms: 3 }, null];
    expect(states({ paths, outcomes, running: ['path-2'] })).toMatchObject({
      'path-0': 'blocked',
      'path-1': 'ok',
      'path-2': 'running',
    });
  });

  test.each([
    [20, 'ok'],
    [301, 'slow'],
    [null, 'ok'],
  ] as const)('a channel that answers after %s ms is %s', (rtt, state) => {
    const signalling = { ...NO_SOCKET, wss: true, wss_rtt_ms: rtt };
    expect(states({ result: { signalling } })['signalling']).toBe(state);
  });

  test.each([
    ['ok', 'ok', 'heard', ['ok', 'ok', 'ok']],
    ['silent', 'black', 'not_heard', ['blocked', 'blocked', 'blocked']],
    ['skipped', 'denied', 'skipped', ['skipped', 'blocked', 'skipped']],
  ] as const)('%s, %s and %s are %j', (microphone, camera, speaker, found) => {
    const now = states({ result: { devices: { microphone, camera, speaker } } });
    expect([now['microphone'], now['camera'], now['speaker']]).toEqual(found);
  });

  test.each([
    [[step(150, 150), step(1200, 1100, { target_kbps: 2000 })], 'ok'],
    [[step(480, 470), step(520, 500, { target_kbps: 2000 })], 'slow'],
    [[step(450, 440)], 'ok'],
    [[step(30, 30)], 'blocked'],
    [[], 'blocked'],
  ])('media by its rates: %#', (steps, state) => {
    const media = { path: 'udp' as const, port: 1, first_frame_ms: null, steps };
    expect(states({ result: { media } })['media']).toBe(state);
  });
});

test('the rate that a line carries is the best one both ways at which little is lost', () => {
  const media = { path: 'udp' as const, port: 1, first_frame_ms: 90 };
  const steps = [step(150, 150), step(900, 480), step(1900, 1800, { loss_down: 0.3, rtt_ms: 400 })];
  expect(carried({ ...media, steps })).toBe(480);
  expect(worst({ ...media, steps })).toEqual({ loss: 0.3, rttMs: 400 });
  expect(worst({ ...media, steps: [] })).toEqual({ loss: 0, rttMs: null });
});

const NO_SOCKET = { https_rtt_ms: 12, wss: false, wss_rtt_ms: null, proxied: null };
