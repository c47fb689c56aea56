import { describe, expect, test } from 'vitest';
import { newcomers } from './newcomers';
import { readHostWord } from './scene';

describe('what the service says to hosts', () => {
  test('is who waits, what was said, and what was taken away', () => {
    const word = readHostWord(
      JSON.stringify({
        type: 'people',
        waiting: [
          { identity: 'p', name: 'Mme D.', role: 'patient', since: '2026-11-23T14:30:00Z', here: false },
        ],
        message: { text: 'Bonjour', at: null },
        late: { minutes: 10, at: null },
        locked: true,
        forbidden: ['camera', 'screen_share', 'screen_share_audio', 'smell'],
        may_unmute: false,
        restrained: [{ identity: 'q', forbidden: ['microphone'], may_unmute: true }],
        in_call: [{ identity: 'q', name: 'Paul', moderates: false }],
        groups: [{ id: 'GR_1', name: null, members: ['q'], closes_at: '2026-11-23T14:40:00Z' }],
      }),
    );
    expect(word).toEqual({
      type: 'people',
      scene: {
        waiting: [{ identity: 'p', name: 'Mme D.', since: Date.UTC(2026, 10, 23, 14, 30), here: false }],
        message: 'Bonjour',
        late: 10,
        locked: true,
        forAll: { forbidden: ['camera', 'screen_share'], mayUnmute: false },
        restrained: new Map([['q', { forbidden: ['microphone'], mayUnmute: true }]]),
        inCall: [{ identity: 'q', name: 'Paul', moderates: false }],
        groups: [{ id: 'GR_1', name: '', members: ['q'], closesAt: Date.UTC(2026, 10, 23, 14, 40) }],
      },
    });
  });

  test('may leave everything out', () => {
    const word = readHostWord('{"type": "people"}');
    expect(word?.type === 'people' && word.scene).toEqual({
      waiting: [],
      message: '',
      late: 0,
      locked: false,
      forAll: { forbidden: [], mayUnmute: true },
      restrained: new Map(),
      inCall: [],
      groups: [],
    });
  });

  test.each([undefined, '', '[]', 'null', '{}', '{"type": 7}', '{"type": "tomorrow"}'])(
    '%j means nothing',
    (frame) => {
      expect(readHostWord(frame)).toBeNull();
    },
  );
});

test('whoever keeps waiting is announced once', () => {
  const waiter = (identity: string) => ({ identity, name: '', since: null, here: true });
  expect(newcomers([], [waiter('a')]).map((one) => one.identity)).toEqual(['a']);
  expect(newcomers(['a'], [waiter('a'), waiter('b')]).map((one) => one.identity)).toEqual(['b']);
});
