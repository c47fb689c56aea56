import { describe, expect, test } from 'vitest';
import { judge, lossBetween, type Measurement } from './quality';

const nothing: Measurement = { lossUp: null, lossDown: null, roundTrip: null, limitation: null };
const fine: Measurement = { lossUp: 0, lossDown: 0, roundTrip: 20, limitation: 'none' };

describe('the word for a line', () => {
  test.each([
    [nothing, null, 'good', 'measuring'],
    [fine, null, 'good', 'none'],
    [fine, 'good', 'good', 'none'],
    [{ ...fine, lossUp: 0.05 }, null, 'medium', 'loss-up'],
    [{ ...fine, lossDown: 0.2 }, 'good', 'weak', 'loss-down'],
    [{ ...fine, roundTrip: 400 }, 'good', 'medium', 'delay'],
    [{ ...fine, limitation: 'bandwidth' }, 'good', 'medium', 'narrow'],
    [{ ...fine, limitation: 'cpu' }, null, 'medium', 'busy'],
    // The server knows of trouble that cannot be measured here.
    [fine, 'weak', 'weak', 'server'],
    // A reason measured here explains the server's harsher word.
    [{ ...fine, lossUp: 0.05 }, 'weak', 'weak', 'loss-up'],
    [fine, 'lost', 'weak', 'lost'],
  ] as const)('%j and the server says %s: %s because of %s', (measured, server, word, reason) => {
    expect(judge(measured, server)).toEqual({ word, reason });
  });

  test('the worst of several troubles is named', () => {
    expect(judge({ lossUp: 0.04, lossDown: 0.3, roundTrip: 350, limitation: 'cpu' }, null)).toEqual({
      word: 'weak',
      reason: 'loss-down',
    });
  });
});

describe('the loss between two counts', () => {
  test('is the share of what was sent', () => {
    expect(lossBetween({ received: 100, lost: 0 }, { received: 190, lost: 10 })).toBeCloseTo(0.1);
  });

  test('is unknown after too few packets', () => {
    expect(lossBetween({ received: 100, lost: 0 }, { received: 110, lost: 2 })).toBeNull();
  });

  test('is never negative when late packets turn up', () => {
    expect(lossBetween({ received: 100, lost: 10 }, { received: 200, lost: 8 })).toBe(0);
  });
});
