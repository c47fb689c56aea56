import { describe, expect, test } from 'vitest';
import { readSample, type Sample, stepOf } from './figures';

const REPORT = [
  { type: 'outbound-rtp', kind: 'audio', bytesSent: 1000, headerBytesSent: 200, packetsSent: 20 },
  { type: 'outbound-rtp', kind: 'video', bytesSent: 9000, headerBytesSent: 100, packetsSent: 10 },
  {
    type: 'inbound-rtp',
    kind: 'audio',
    bytesReceived: 900,
    packetsReceived: 18,
    packetsLost: 2,
    jitter: 0.004,
  },
  {
    type: 'inbound-rtp',
    kind: 'video',
    bytesReceived: 8000,
    packetsReceived: 9,
    packetsLost: 1,
    framesDecoded: 5,
    jitter: 0.03,
  },
  { type: 'remote-inbound-rtp', packetsLost: 3, roundTripTime: 0.2 },
  { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
  { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.025 },
  { type: 'candidate-pair', nominated: false, currentRoundTripTime: 8 },
  { type: 'codec' },
];

const NOTHING = readSample([], 0);

describe('a report of statistics', () => {
  test('is added up over sound and picture', () => {
    expect(readSample(REPORT, 7)).toEqual({
      at: 7,
      bytesUp: 10_300,
      bytesDown: 8900,
      packetsUp: 30,
      packetsDown: 27,
      lostUp: 3,
      lostDown: 3,
      framesDown: 5,
      rttMs: 25,
      jitterMs: 4,
    });
  });

  test('of a browser that does not time its path has the round trip of the reports', () => {
    const without = REPORT.filter(({ type }) => type !== 'candidate-pair');
    expect(readSample(without, 0).rttMs).toBe(200);
    expect(NOTHING.rttMs).toBeNull();
  });
});

describe('a step', () => {
  const at = (seconds: number, more: Partial<Sample> = {}): Sample => ({
    ...NOTHING,
    at: seconds * 1000,
    ...more,
  });

  test('has rates over its own time only', () => {
    const from = at(10, { bytesUp: 500_000, bytesDown: 400_000 });
    const to = at(12, { bytesUp: 750_000, bytesDown: 600_000 });
    expect(stepOf(1200, from, to, null)).toMatchObject({ target_kbps: 1200, kbps_up: 1000, kbps_down: 800 });
  });

  test('believes the service about what was lost on the way up, and the browser about the way down', () => {
    const from = at(0, { packetsUp: 100, lostUp: 0, packetsDown: 50, lostDown: 10 });
    const to = at(1, { packetsUp: 200, lostUp: 1, packetsDown: 140, lostDown: 20 });
    const seen = [
      { packetsUp: 90, lostUp: 10, rttMs: 33.33 },
      { packetsUp: 165, lostUp: 35, rttMs: 44.44 },
    ] as const;
    expect(stepOf(500, from, to, seen)).toMatchObject({ loss_up: 0.25, loss_down: 0.1, rtt_ms: 44.4 });
    expect(stepOf(500, from, to, null)).toMatchObject({ loss_up: 0.01, rtt_ms: null });
  });

  test('without a packet, or with packets that came after all, has lost nothing', () => {
    expect(stepOf(150, at(0), at(1), null)).toMatchObject({ loss_up: 0, loss_down: 0, kbps_up: 0 });
    expect(stepOf(150, at(0, { lostDown: 5 }), at(1, { lostDown: 2, packetsDown: 9 }), null).loss_down).toBe(
      0,
    );
  });
});
