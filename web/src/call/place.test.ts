import { describe, expect, test, vi } from 'vitest';

// The texts of the page look for a language, and tell a document of it.
vi.stubGlobal('navigator', { languages: ['en'] });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { readPlace, wordsForPlace } = await import('./place');

const told = (group: object) => JSON.stringify({ title: 'A visit', group });

describe('where a person is', () => {
  test('is a group with a name and an end', () => {
    const place = readPlace(told({ id: 'GR_1', name: 'Left', closes_at: '2030-01-01T14:10:00' }));
    expect(place).toEqual({ id: 'GR_1', name: 'Left', closesAt: new Date(2030, 0, 1, 14, 10).getTime() });
    expect(wordsForPlace(place)).toBe('You are now in “Left”, until 2:10 pm.');
  });

  test('may have neither', () => {
    const place = readPlace(told({ id: 'GR_1', name: null, closes_at: null }));
    expect(wordsForPlace(place)).toBe('You are now in “Small group”.');
  });

  test.each([
    undefined,
    '',
    'words of the application',
    '[]',
    '{}',
    '{"group": 7}',
    '{"group": {"name": "x"}}',
  ])('%j is the room itself', (metadata) => {
    expect(readPlace(metadata)).toBeNull();
    expect(wordsForPlace(readPlace(metadata))).toBe('You are back with everybody.');
  });
});
