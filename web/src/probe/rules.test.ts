import { describe, expect, test } from 'vitest';
import type { PathName, PathOutcome } from './result';
import { bestOf, median, outcomeOf, targetsWithin } from './rules';

test.each([
  [null, 'blocked'],
  [40, 'ok'],
  [2500, 'ok'],
  [2501, 'slow'],
  [4999, 'slow'],
] as const)('a first packet after %s ms is %s', (milliseconds, outcome) => {
  expect(outcomeOf(milliseconds)).toBe(outcome);
});

describe('the path for sound and picture', () => {
  const of = (...paths: [PathName, PathOutcome][]) =>
    bestOf(paths.map(([name, outcome]) => ({ name, outcome })))?.name ?? null;

  test('is the most direct of those that are prompt', () => {
    expect(of(['turn_tls', 'ok'], ['turn_udp', 'ok'], ['udp', 'blocked'])).toBe('turn_udp');
  });

  test('is a slow one only where nothing else is open', () => {
    expect(of(['udp', 'slow'], ['turn_tls', 'ok'])).toBe('turn_tls');
    expect(of(['udp', 'slow'], ['turn_tls', 'blocked'])).toBe('udp');
  });

  test('is none where all are blocked or were not tried', () => {
    expect(of(['udp', 'blocked'], ['turn_udp', 'skipped'])).toBeNull();
    expect(of()).toBeNull();
  });
});

test.each([
  [2500, [150, 500, 1200, 2000]],
  [2000, [150, 500, 1200, 2000]],
  [800, [150, 500, 800]],
  [100, [100]],
])('where a leg may take %s kb/s, %j are tried', (most, targets) => {
  expect(targetsWithin(most)).toEqual(targets);
});

test.each([
  [[], null],
  [[7], 7],
  [[9, 1], 1],
  [[300, 20, 21], 21],
])('the middle of %j is %s', (values, middle) => {
  expect(median(values)).toBe(middle);
});
