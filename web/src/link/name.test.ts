import { expect, test } from 'vitest';
import { cleanName, LONGEST_NAME, wrongName } from './name';

test('a name loses what cannot be seen and what is too much', () => {
  expect(cleanName('  Anne \u202e\u200b  Marie\n')).toBe('Anne Marie');
});

test.each([
  ['', 'missing'],
  ['   \u200b', 'missing'],
  ['é'.repeat(LONGEST_NAME), null],
  ['é'.repeat(LONGEST_NAME + 1), 'too-long'],
  ['👩‍⚕️', null],
])('%j is %s', (name, wrong) => {
  expect(wrongName(name)).toBe(wrong);
});
