import type { VideoTrack } from 'livekit-client';
import { describe, expect, test } from 'vitest';
import { arrange, initials, inOrder, type Person, type Picture, raisedHands, tilesOf } from './model';

const track = {} as VideoTrack;

function person(identity: string, more: Partial<Person> = {}): Person {
  return {
    identity,
    name: identity,
    self: false,
    microphone: 'on',
    handSince: null,
    quality: null,
    pictures: [],
    joinedAt: 0,
    ...more,
  };
}

function picture(id: string, kind: Picture['kind']): Picture {
  return { id, kind, track, paused: false };
}

const me = person('me', {
  self: true,
  pictures: [picture('mine', 'camera'), picture('my screen', 'screen')],
});
const ann = person('ann', {
  joinedAt: 2,
  pictures: [picture('face', 'camera'), picture('skin', 'second-camera')],
});
const bob = person('bob', { joinedAt: 1, pictures: [picture('slides', 'screen')] });
const keys = (tiles: readonly { key: string }[]) => tiles.map((tile) => tile.key);

describe('the order of people', () => {
  test('is that of their coming, with oneself last', () => {
    expect(inOrder([me, ann, bob]).map((someone) => someone.identity)).toEqual(['bob', 'ann', 'me']);
  });

  test('does not depend on the order in which they are told', () => {
    const twins = [person('b'), person('a')];
    expect(inOrder(twins)).toEqual(inOrder([...twins].reverse()));
  });
});

describe('the tiles', () => {
  test('leave out oneself and hold every further picture of the others', () => {
    expect(keys(tilesOf([me, ann, bob]))).toEqual(['bob/slides', 'bob/face', 'ann/skin', 'ann/face']);
  });

  test('keep a place for someone without a camera', () => {
    expect(tilesOf([person('quiet')])[0]?.picture).toBeNull();
  });
});

describe('the arrangement', () => {
  const tiles = tilesOf([ann, person('cid', { joinedAt: 3 })]);
  const none = { choice: 'grid', pinned: null, lastSpeaker: null } as const;

  test('is a grid of equals by default', () => {
    expect(arrange(tiles, none)).toEqual({ large: null, others: tiles, self: 'among' });
  });

  test('shows a shared screen large, whatever the choice', () => {
    expect(arrange(tilesOf([ann, bob]), none).large?.key).toBe('bob/slides');
  });

  test('follows the speaker when that was chosen', () => {
    const wishes = { choice: 'speaker', pinned: null, lastSpeaker: 'cid' } as const;
    expect(arrange(tiles, wishes).large?.key).toBe('cid/face');
    expect(keys(arrange(tiles, wishes).others)).toEqual(['ann/skin', 'ann/face']);
  });

  test('shows the first face while nobody has spoken', () => {
    expect(arrange(tiles, { ...none, choice: 'speaker' }).large?.key).toBe('ann/face');
  });

  test('prefers what was enlarged by hand', () => {
    const wishes = { choice: 'speaker', pinned: 'ann/skin', lastSpeaker: 'cid' } as const;
    expect(arrange(tiles, wishes).large?.key).toBe('ann/skin');
  });

  test('forgets an enlarged tile that is gone', () => {
    expect(arrange(tiles, { ...none, pinned: 'gone/face' }).large).toBeNull();
  });

  test('leaves a lone tile the whole stage', () => {
    const lone = tilesOf([bob]).slice(1);
    expect(arrange(lone, { ...none, choice: 'speaker' })).toEqual({
      large: null,
      others: lone,
      self: 'over',
    });
  });
});

test('raised hands stand in the order in which they went up', () => {
  const hands = [person('late', { handSince: 9 }), person('none'), person('early', { handSince: 3 })];
  expect(raisedHands(hands).map((someone) => someone.identity)).toEqual(['early', 'late']);
});

test.each([
  ['Anne Marie Dupont', 'AD'],
  ['Dr. Élodie', 'DÉ'],
  ['jean-luc', 'JL'],
  ['Amélie (infirmière)', 'AI'],
  ['👩‍⚕️', ''],
  ['', ''],
  ['- -', ''],
  ['李', '李'],
])('the initials of %j are %j', (name, letters) => {
  expect(initials(name)).toBe(letters);
});
