import { describe, expect, test } from 'vitest';
import { readAnnouncement } from './announcements';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('what is said to everybody', () => {
  test('has words and a speaker', () => {
    const said = { text: ' Cinq minutes. ', by: 'doctor', name: 'Dr Martin', at: '2030-01-01T00:00:00Z' };
    expect(readAnnouncement(bytes(JSON.stringify(said)))).toEqual({
      text: 'Cinq minutes.',
      by: 'doctor',
      name: 'Dr Martin',
    });
  });

  test('may come from the application', () => {
    expect(readAnnouncement(bytes('{"text": "Hello", "by": null}'))).toEqual({
      text: 'Hello',
      by: null,
      name: '',
    });
  });

  test.each(['', '7', '{}', '{"text": "  "}', '{"text": 7}', '{"text'])('%j is nothing', (payload) => {
    expect(readAnnouncement(bytes(payload))).toBeNull();
  });
});
