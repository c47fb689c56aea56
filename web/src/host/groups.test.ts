import { describe, expect, test } from 'vitest';
import { evenly, groupOf, toShareOut } from './groups';

const group = (id: string, ...members: string[]) => ({ id, name: '', members, closesAt: null });

describe('sharing out', () => {
  test.each([
    [6, 2, [3, 3]],
    [7, 3, [3, 2, 2]],
    [1, 3, [1, 0, 0]],
    [0, 2, [0, 0]],
  ])('%i people go into %i groups as %j', (people, count, sizes) => {
    const groups = Array.from({ length: count }, (_, index) => group(`g${index}`));
    const placings = evenly(
      Array.from({ length: people }, (_, index) => `p${index}`),
      groups,
    );
    expect(groups.map(({ id }) => placings.filter((one) => one.group === id).length)).toEqual(sizes);
    expect(new Set(placings.map((one) => one.identity)).size).toBe(people);
  });

  test('who is in a group already stays there as far as that goes', () => {
    const groups = [group('left', 'a', 'b', 'c', 'gone'), group('right', 'd')];
    expect(evenly(['a', 'b', 'c', 'd', 'e'], groups)).toEqual([{ identity: 'e', group: 'right' }]);
    expect(evenly(['a', 'b', 'c'], groups)).toEqual([{ identity: 'c', group: 'right' }]);
    expect(evenly(['a', 'b', 'd'], groups)).toEqual([]);
  });

  test('without groups nobody moves', () => {
    expect(evenly(['a'], [])).toEqual([]);
  });

  test('is for those who do not moderate', () => {
    const people = [
      { identity: 'doc', name: '', moderates: true },
      { identity: 'p', name: '', moderates: false },
    ];
    expect(toShareOut(people)).toEqual(['p']);
  });
});

test('a person is in one group or in none', () => {
  const groups = [group('left', 'a'), group('right', 'b')];
  expect([groupOf('b', groups)?.id, groupOf('c', groups)]).toEqual(['right', null]);
});
