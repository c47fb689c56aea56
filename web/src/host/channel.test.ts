import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { NO_TIMES } from '../api/refusal';
import { HostChannel } from './channel';

/** The service's end of each connection, the latest last. */
class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = 0;
  said: Record<string, unknown>[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: () => void = () => undefined;

  constructor(readonly url: string) {
    Socket.all.push(this);
  }

  static get last(): Socket {
    return Socket.all[Socket.all.length - 1] as Socket;
  }

  send(text: string): void {
    this.said.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = Socket.OPEN;
    this.onopen();
    this.says({ type: 'people', waiting: [] });
  }

  says(word: object): void {
    this.onmessage({ data: JSON.stringify(word) });
  }

  breaks(): void {
    this.readyState = 3;
    this.onclose();
  }
}

const ADMISSION: Admission = {
  token: 't1',
  wsUrl: 'ws://x',
  name: '',
  role: 'host',
  times: NO_TIMES,
  wait: false,
};

function start() {
  const rejoin = vi.fn<() => Promise<Outcome<Admission>>>();
  rejoin.mockResolvedValue({ ok: true, value: { ...ADMISSION, token: 't2' } });
  const channel = new HostChannel({ admission: ADMISSION, rejoin });
  channel.start();
  return { channel, rejoin };
}

beforeEach(() => {
  vi.useFakeTimers();
  Socket.all = [];
  vi.stubGlobal('WebSocket', Socket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a host', () => {
  test('is answered by number, whatever comes between', async () => {
    const { channel } = start();
    Socket.last.opens();
    expect(Socket.last.said[0]).toEqual({ type: 'hello', v: 1, token: 't1' });
    const mute = channel.ask('mute', { identity: 'p' });
    const lock = channel.ask('lock');
    expect(Socket.last.said.slice(1)).toEqual([
      { type: 'mute', id: 1, identity: 'p' },
      { type: 'lock', id: 2 },
    ]);
    Socket.last.says({ type: 'done', id: 2 });
    Socket.last.says({ type: 'people', waiting: [], locked: true });
    Socket.last.says({ type: 'error', id: 1, code: 'not-found' });
    expect(await Promise.all([mute, lock])).toEqual([{ ok: false, code: 'not-found' }, { ok: true }]);
    expect(channel.scene.value?.locked).toBe(true);
  });

  test('is told at once that nothing is done while the line is lost, and of what was asked before', async () => {
    const { channel } = start();
    Socket.last.opens();
    const asked = channel.ask('end');
    Socket.last.breaks();
    expect(await asked).toEqual({ ok: false, code: 'unreachable' });
    expect(await channel.ask('end')).toEqual({ ok: false, code: 'unreachable' });
    await vi.advanceTimersByTimeAsync(1500);
    Socket.last.opens();
    expect(Socket.last.said.map((said) => said['type'])).toEqual(['hello']);
  });

  test('does not wait for an answer for ever', async () => {
    const { channel } = start();
    Socket.last.opens();
    const asked = channel.ask('lock');
    await vi.advanceTimersByTimeAsync(9000);
    expect(await asked).toEqual({ ok: false, code: 'unreachable' });
    Socket.last.says({ type: 'done', id: 1 });
  });

  test('comes back with the newest token, and with one of the door where that is refused', async () => {
    const { channel, rejoin } = start();
    Socket.last.opens();
    Socket.last.says({ type: 'token', token: 't1b' });
    Socket.last.breaks();
    expect(channel.connected.value).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    Socket.last.readyState = Socket.OPEN;
    Socket.last.onopen();
    expect(Socket.last.said[0]?.['token']).toBe('t1b');
    Socket.last.says({ type: 'refused', code: 'draining', retry_after: 1 });
    await vi.advanceTimersByTimeAsync(2500);
    expect(rejoin).toHaveBeenCalledTimes(1);
    Socket.last.opens();
    expect(Socket.last.said[0]?.['token']).toBe('t2');
  });

  test('notices a dead line although nothing says so', async () => {
    const { channel } = start();
    Socket.last.opens();
    await vi.advanceTimersByTimeAsync(41_000);
    expect(channel.connected.value).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    expect(Socket.all.length).toBe(2);
  });

  test.each([
    { type: 'closed', reason: 'finished' },
    { type: 'replaced' },
    { type: 'refused', code: 'revoked' },
  ])('%j is the end', async (word) => {
    const { rejoin } = start();
    Socket.last.opens();
    Socket.last.says(word);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([Socket.all.length, rejoin.mock.calls.length]).toEqual([1, 0]);
  });
});
