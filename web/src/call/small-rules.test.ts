import { ConnectionQuality, DisconnectReason, Track } from 'livekit-client';
import { describe, expect, test } from 'vitest';
import { ownRefusal } from '../api/refusal';
import { afterDisconnect, afterRefusedRejoin } from './after-disconnect';
import { comings } from './comings';
import { cornerByKey, nearestCorner } from './corner';
import { linkify } from './linkify';
import type { Person } from './model';
import { rightsOf } from './rights';
import { actionOf, type Press } from './shortcuts';
import { kindOf, SECOND_CAMERA, wordOf } from './snapshot';

describe('who came and who went', () => {
  const person = (identity: string, self = false) => ({ identity, self }) as Person;

  test('is told by comparing two pictures, oneself excepted', () => {
    const { entered, left } = comings(
      [person('ann'), person('bob')],
      [person('bob'), person('cid'), person('me', true)],
    );
    expect([entered, left].map((people) => people.map(({ identity }) => identity))).toEqual([
      ['cid'],
      ['ann'],
    ]);
  });
});

describe('after a connection has ended', () => {
  test.each([
    [DisconnectReason.CLIENT_INITIATED, 'left'],
    [DisconnectReason.DUPLICATE_IDENTITY, 'elsewhere'],
    [DisconnectReason.PARTICIPANT_REMOVED, 'removed'],
    [DisconnectReason.ROOM_DELETED, 'closed'],
    [DisconnectReason.ROOM_CLOSED, 'closed'],
  ])('reason %i means %s', (reason, how) => {
    expect(afterDisconnect(reason)).toEqual({ end: { how } });
  });

  test.each([
    undefined,
    DisconnectReason.UNKNOWN_REASON,
    DisconnectReason.SERVER_SHUTDOWN,
    DisconnectReason.STATE_MISMATCH,
    DisconnectReason.JOIN_FAILURE,
    DisconnectReason.SIGNAL_CLOSE,
  ])('reason %s is an accident and tried again', (reason) => {
    expect(afterDisconnect(reason)).toBe('rejoin');
  });

  test('a removed person learns it, an unreachable service is tried again', () => {
    expect(afterRefusedRejoin({ ...ownRefusal('broken'), code: 'revoked' })).toEqual({ how: 'removed' });
    expect(afterRefusedRejoin(ownRefusal('unreachable'))).toBeNull();
  });

  test.each(['too-late', 'not-found'] as const)('%s to come back says nothing of who closed it', (code) => {
    expect(afterRefusedRejoin({ ...ownRefusal('broken'), code })).toEqual({ how: 'over' });
  });
});

describe('a key', () => {
  const press = (key: string, more: Partial<Press> = {}): Press => ({
    key,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    repeat: false,
    ...more,
  });

  test.each([
    ['m', 'microphone'],
    ['V', 'camera'],
    ['s', 'share'],
    ['h', 'hand'],
    ['c', 'chat'],
    ['Escape', 'close'],
    ['x', null],
  ])('%s does %s', (key, action) => {
    expect(actionOf(press(key), false, true)).toBe(action);
  });

  test('is text while someone writes, but Escape still closes', () => {
    expect(actionOf(press('m'), true, true)).toBeNull();
    expect(actionOf(press('Escape'), true, true)).toBe('close');
  });

  test('belongs to the browser with Ctrl, Alt or Cmd, and counts once when held', () => {
    for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { repeat: true }]) {
      expect(actionOf(press('s', more), false, true)).toBeNull();
    }
  });

  test('does nothing when one-key shortcuts are off', () => {
    expect(actionOf(press('m'), false, false)).toBeNull();
  });
});

describe('the corner of one’s own picture', () => {
  test.each([
    [10, 10, 'top-left'],
    [90, 10, 'top-right'],
    [10, 90, 'bottom-left'],
    [90, 90, 'bottom-right'],
  ])('dropped at %i, %i it rests %s', (x, y, corner) => {
    expect(nearestCorner(x, y, 100, 100)).toBe(corner);
  });

  test('follows the arrow keys', () => {
    expect(cornerByKey('bottom-right', 'ArrowUp')).toBe('top-right');
    expect(cornerByKey('top-right', 'ArrowLeft')).toBe('top-left');
    expect(cornerByKey('top-left', 'Enter')).toBeNull();
  });
});

describe('a message', () => {
  test('has its addresses cut out, without the full stop behind them', () => {
    expect(linkify('Voir https://example.org/a?b=1. Merci')).toEqual([
      { text: 'Voir ', href: null },
      { text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' },
      { text: '. Merci', href: null },
    ]);
  });

  test('makes nothing followable that is not a web address', () => {
    expect(linkify('javascript:alert(1) data:text/html,x')).toEqual([
      { text: 'javascript:alert(1) data:text/html,x', href: null },
    ]);
  });
});

describe('rights', () => {
  const features = { chat: true, screenShare: true, raiseHand: true, onePresenter: false };
  const room = (permissions: object | undefined, attributes: object = {}, metadata = '') =>
    ({ localParticipant: { permissions, attributes }, metadata }) as never;
  const all = {
    canPublish: true,
    canPublishData: true,
    canUpdateMetadata: true,
    canPublishSources: [] as number[],
  };

  test('are all there when no source is named', () => {
    expect(Object.values(rightsOf(room(all), features))).not.toContain(false);
  });

  test('are those of the named sources', () => {
    const sources = [Track.sourceToProto(Track.Source.Microphone)];
    const rights = rightsOf(room({ ...all, canPublishSources: sources }), features);
    expect([rights.microphone, rights.camera, rights.screen]).toEqual([true, false, false]);
  });

  test('end where the room has no such feature', () => {
    const rights = rightsOf(room(all), { ...features, chat: false, screenShare: false, raiseHand: false });
    expect([rights.chat, rights.screen, rights.hand]).toEqual([false, false, false]);
  });

  test('of an observer are none', () => {
    const observer = { ...all, canPublish: false, canPublishData: false, canUpdateMetadata: false };
    const { unmute: _, pictures: __, ...rights } = rightsOf(room(observer), features);
    expect(Object.values(rights)).not.toContain(true);
  });

  test('to send pictures end in a room that says it is for sound', () => {
    const said = (audioOnly: boolean) => JSON.stringify({ bandwidth: { audio_only: audioOnly } });
    const { pictures, camera, screen, microphone } = rightsOf(room(all, {}, said(true)), features);
    expect([pictures, camera, screen, microphone]).toEqual([false, false, false, true]);
    expect(rightsOf(room(all, {}, said(false)), features).camera).toBe(true);
    for (const words of ['not json', '7', '{"bandwidth":"no"}'])
      expect(rightsOf(room(all, {}, words), features).pictures).toBe(true);
  });

  test('to unmute is what the service says', () => {
    expect(rightsOf(room(all, { 'colloque.may_unmute': 'false' }), features).unmute).toBe(false);
  });
});

describe('what LiveKit says', () => {
  test('five grades become three words', () => {
    expect(
      [
        ConnectionQuality.Excellent,
        ConnectionQuality.Good,
        ConnectionQuality.Poor,
        ConnectionQuality.Lost,
        ConnectionQuality.Unknown,
      ].map(wordOf),
    ).toEqual(['good', 'medium', 'weak', 'weak', null]);
  });

  test('a second camera is told from the face by its name', () => {
    expect(kindOf({ source: Track.Source.Camera, trackName: SECOND_CAMERA })).toBe('second-camera');
    expect(kindOf({ source: Track.Source.Camera, trackName: '' })).toBe('camera');
    expect(kindOf({ source: Track.Source.ScreenShare, trackName: '' })).toBe('screen');
  });
});
