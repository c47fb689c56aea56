import { describe, expect, test } from 'vitest';
import { ownRefusal, type Refusal } from '../api/refusal';
import { pause, planAfter, reconnectPause } from './retry';

const NOW = 1_000_000;

function refusal(code: Refusal['code'], more: Partial<Refusal> = {}): Refusal {
  return {
    code,
    times: { startsAt: null, endsAt: null, opensAt: null, closesAt: null },
    retryAfter: null,
    ...more,
  };
}

function opensIn(milliseconds: number): Refusal {
  return refusal('too-early', {
    times: { startsAt: null, endsAt: null, opensAt: NOW + milliseconds, closesAt: null },
  });
}

describe('after a refusal', () => {
  test.each(['not-found', 'too-late', 'revoked'] as const)('%s is final', (code) => {
    expect(planAfter(refusal(code), 0, NOW, 0.5)).toEqual({ kind: 'final' });
  });

  test('a service that cannot be reached is tried for ever, at most every thirteen seconds', () => {
    const waits = [0, 1, 2, 3, 4, 50].map((attempt) =>
      planAfter(ownRefusal('unreachable'), attempt, NOW, 0.5),
    );
    expect(waits.map((plan) => (plan.kind === 'wait' ? plan.milliseconds : null))).toEqual([
      1000, 2000, 4000, 7000, 10_000, 10_000,
    ]);
    expect(pause(99, 0.999)).toBeLessThan(12_500);
  });

  test('what the server asks for is kept, within five minutes', () => {
    expect(planAfter(refusal('rate-limited', { retryAfter: 30_000 }), 0, NOW, 0)).toEqual({
      kind: 'wait',
      milliseconds: 30_000,
    });
    expect(planAfter(refusal('draining', { retryAfter: 1e9 }), 0, NOW, 0)).toEqual({
      kind: 'wait',
      milliseconds: 300_000,
    });
  });
});

describe('a lost line', () => {
  test('is tried at least every four seconds, then afresh after a minute', () => {
    expect([0, 1, 2, 3, 4, 20].map((attempt) => reconnectPause(attempt, 0, 0.5))).toEqual([
      250, 500, 1000, 2000, 3000, 3000,
    ]);
    expect(reconnectPause(99, 59_000, 0.999)).toBeLessThan(4000);
    expect(reconnectPause(99, 61_000, 0.5)).toBeNull();
  });
});

describe('someone who is early', () => {
  test('comes back when the door opens', () => {
    expect(planAfter(opensIn(20_000), 0, NOW, 0)).toEqual({ kind: 'wait', milliseconds: 20_000 });
  });

  test('looks again every minute, in case the hour was moved', () => {
    expect(planAfter(opensIn(86_400_000), 0, NOW, 0)).toEqual({ kind: 'wait', milliseconds: 60_000 });
  });

  test('does not ask in a loop when the clock of the device runs ahead', () => {
    expect(planAfter(opensIn(-5000), 7, NOW, 0)).toEqual({ kind: 'wait', milliseconds: 1000 });
  });

  test('looks again every half minute when nobody knows when it opens', () => {
    expect(planAfter(refusal('too-early'), 0, NOW, 0)).toEqual({ kind: 'wait', milliseconds: 30_000 });
  });
});
