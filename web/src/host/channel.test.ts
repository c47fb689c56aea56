import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { NO_TIMES } from '../api/refusal';
import { FarEnd } from '../waiting/far-end';
import { HostChannel } from './channel';

const ADMISSION: Admission = {
  token: 't1',
  wsUrl: 'ws://x',
  name: '',
  role: 'host',
  times: NO_TIMES,
  wait: false,
};

/** The service takes the connection and tells who waits. */
function opens(): void {
  FarEnd.last.opens();
  FarEnd.last.says({ type: 'people', waiting: [] });
}

function start() {
  const rejoin = vi.fn<() => Promise<Outcome<Admission>>>();
  rejoin.mockResolvedValue({ ok: true, value: { ...ADMISSION, token: 't2' } });
  const channel = new HostChannel({ admission: ADMISSION, rejoin });
  channel.start();
  return { channel, rejoin };
}

beforeEach(() => {
  vi.useFakeTimers();
  FarEnd.standIn();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a host', () => {
  test('is answered by number, whatever comes between', async () => {
    const { channel } = start();
    opens();
    expect(FarEnd.last.said[0]).toEqual({ type: 'hello', v: 1, token: 't1' });
    const mute = channel.ask('mute', { identity: 'p' });
    const lock = channel.ask('lock');
    expect(FarEnd.last.said.slice(1)).toEqual([
      { type: 'mute', id: 1, identity: 'p' },
      { type: 'lock', id: 2 },
    ]);
    FarEnd.last.says({ type: 'done', id: 2 });
    FarEnd.last.says({ type: 'people', waiting: [], locked: true });
    FarEnd.last.says({ type: 'error', id: 1, code: 'not-found' });
    expect(await Promise.all([mute, lock])).toEqual([{ ok: false, code: 'not-found' }, { ok: true }]);
    expect(channel.scene.value?.locked).toBe(true);
  });

  test('is told at once that nothing is done while the line is lost, and of what was asked before', async () => {
    const { channel } = start();
    opens();
    const asked = channel.ask('end');
    FarEnd.last.breaks();
    expect(await asked).toEqual({ ok: false, code: 'unreachable' });
    expect(await channel.ask('end')).toEqual({ ok: false, code: 'unreachable' });
    await vi.advanceTimersByTimeAsync(1500);
    opens();
    expect(FarEnd.last.said.map((said) => said['type'])).toEqual(['hello']);
  });

  test('does not wait for an answer for ever', async () => {
    const { channel } = start();
    opens();
    const asked = channel.ask('lock');
    await vi.advanceTimersByTimeAsync(9000);
    expect(await asked).toEqual({ ok: false, code: 'unreachable' });
    FarEnd.last.says({ type: 'done', id: 1 });
  });

  test('comes back with the newest token, and with one of the door where that is refused', async () => {
    const { channel, rejoin } = start();
    opens();
    FarEnd.last.says({ type: 'token', token: 't1b' });
    FarEnd.last.breaks();
    expect(channel.connected.value).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    FarEnd.last.opens();
    expect(FarEnd.last.said[0]?.['token']).toBe('t1b');
    FarEnd.last.says({ type: 'refused', code: 'draining', retry_after: 1 });
    await vi.advanceTimersByTimeAsync(2500);
    expect(rejoin).toHaveBeenCalledTimes(1);
    opens();
    expect(FarEnd.last.said[0]?.['token']).toBe('t2');
  });

  test('notices a dead line although nothing says so', async () => {
    const { channel } = start();
    opens();
    await vi.advanceTimersByTimeAsync(41_000);
    expect(channel.connected.value).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    expect(FarEnd.all.length).toBe(2);
  });

  test.each([
    { type: 'closed', reason: 'finished' },
    { type: 'replaced' },
    { type: 'refused', code: 'revoked' },
  ])('%j is the end', async (word) => {
    const { rejoin } = start();
    opens();
    FarEnd.last.says(word);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([FarEnd.all.length, rejoin.mock.calls.length]).toEqual([1, 0]);
  });
});
