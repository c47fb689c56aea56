import { describe, expect, test } from 'vitest';
import { readWord } from './words';

describe('a word of the service', () => {
  test('tells the whole place', () => {
    const frame = JSON.stringify({
      type: 'waiting',
      position: 3,
      since: '2026-11-23T14:00:00+00:00',
      attended: true,
      message: { text: 'Bonjour', at: '2026-11-23T14:01:00+00:00' },
      late: { minutes: 10, at: '2026-11-23T14:02:00+00:00' },
    });
    expect(readWord(frame)).toEqual({
      type: 'waiting',
      place: {
        position: 3,
        since: Date.UTC(2026, 10, 23, 14),
        attended: true,
        message: { text: 'Bonjour', at: Date.UTC(2026, 10, 23, 14, 1) },
        late: { minutes: 10, at: Date.UTC(2026, 10, 23, 14, 2) },
      },
    });
  });

  test('may leave out what is not known', () => {
    expect(readWord('{"type":"waiting"}')).toEqual({
      type: 'waiting',
      place: { position: 1, since: null, attended: false, message: null, late: null },
    });
  });

  test.each([
    'x',
    'null',
    '[]',
    '{}',
    '{"type":7}',
    '{"type":"dance"}',
    '{"type":"admitted"}',
    new ArrayBuffer(2),
  ])('%j says nothing', (frame) => {
    expect(readWord(frame)).toBeNull();
  });
});
