import { describe, expect, test } from 'vitest';
import { readAdmission, readInvitation } from './answers';
import { readRefusal } from './refusal';

describe('the preview of a link', () => {
  test('is read with its times and features', () => {
    const read = readInvitation({
      room: {
        name: 'Consultation',
        state: 'planned',
        starts_at: '2026-11-23T14:30:00Z',
        ends_at: null,
        opens_at: 1_795_000_000,
        closes_at: null,
        features: { chat: false, screen_share: true },
        bandwidth: { audio_only: true },
      },
      bound: true,
      name: 'Mme D.',
      role: 'patient',
    });
    expect(read).toEqual({
      roomName: 'Consultation',
      times: {
        startsAt: Date.UTC(2026, 10, 23, 14, 30),
        endsAt: null,
        opensAt: 1_795_000_000_000,
        closesAt: null,
      },
      features: { chat: false, screenShare: true, raiseHand: true, onePresenter: false },
      audioOnly: true,
      bound: true,
      name: 'Mme D.',
      role: 'patient',
    });
  });

  test('of a room without a name has an empty one', () => {
    expect(readInvitation({ room: { name: null }, bound: false, name: null, role: 'guest' })?.roomName).toBe(
      '',
    );
  });

  test('of a service that says nothing of sound alone is that of a room with pictures', () => {
    for (const bandwidth of [undefined, null, {}, { audio_only: false }]) {
      const read = readInvitation({ room: { bandwidth }, bound: false, name: null, role: 'guest' });
      expect(read?.audioOnly).toBe(false);
    }
  });

  test.each([null, 'x', [], {}, { room: null }, { room: 3 }])('%j is no preview', (answer) => {
    expect(readInvitation(answer)).toBeNull();
  });
});

describe('leave to enter', () => {
  test('needs a token and an address', () => {
    expect(readAdmission({ token: 't', ws_url: 'ws://x', name: 'A', role: 'host' })?.wsUrl).toBe('ws://x');
    expect(readAdmission({ token: 't' })).toBeNull();
    expect(readAdmission({ token: 7, ws_url: 'ws://x' })).toBeNull();
  });
});

describe('a refusal', () => {
  test('carries the times of the room', () => {
    const refusal = readRefusal(403, { code: 'too-early', room: { opens_at: '2026-11-23T14:00:00Z' } }, null);
    expect(refusal.code).toBe('too-early');
    expect(refusal.times.opensAt).toBe(Date.UTC(2026, 10, 23, 14));
  });

  test('carries how long to wait', () => {
    expect(readRefusal(429, { code: 'rate-limited' }, '7').retryAfter).toBe(7000);
    expect(readRefusal(429, { code: 'rate-limited' }, 'Wed, 21 Oct 2026').retryAfter).toBeNull();
  });

  test.each([
    [404, null, 'not-found'],
    [429, 'x', 'rate-limited'],
    [503, {}, 'draining'],
    [502, '<html>', 'broken'],
    [422, { code: 'invalid-field' }, 'broken'],
    [401, { code: 'unauthenticated' }, 'revoked'],
  ])('%i %j counts as %s', (status, body, code) => {
    expect(readRefusal(status, body, null).code).toBe(code);
  });
});
