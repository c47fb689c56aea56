import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { NO_TIMES, type RefusalCode } from '../api/refusal';
import { FarEnd } from './far-end';
import { type WaitingEnd, WaitingLine } from './line';

const WAITS: Admission = {
  token: 't1',
  wsUrl: 'ws://x',
  name: '',
  role: 'patient',
  times: NO_TIMES,
  wait: true,
};
const PLACE = { type: 'waiting', position: 1, attended: true };

function refused(code: RefusalCode): Outcome<Admission> {
  return { ok: false, refusal: { code, times: NO_TIMES, retryAfter: null } };
}

function wait() {
  const rejoin = vi.fn<() => Promise<Outcome<Admission>>>();
  rejoin.mockResolvedValue({ ok: true, value: { ...WAITS, token: 't2' } });
  const admitted: Admission[] = [];
  const ends: WaitingEnd[] = [];
  const line = new WaitingLine({
    admission: WAITS,
    rejoin,
    onAdmitted: (admission) => admitted.push(admission),
    onEnd: (end) => ends.push(end),
  });
  line.start();
  return { line, rejoin, admitted, ends };
}

beforeEach(() => {
  vi.useFakeTimers();
  FarEnd.standIn();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('someone who waits', () => {
  test('says who they are in the first message and nowhere else', () => {
    wait();
    FarEnd.last.opens();
    expect(FarEnd.last.url).toBe('ws://x/waiting');
    expect(FarEnd.last.said).toEqual([{ type: 'hello', v: 1, token: 't1' }]);
  });

  test('goes in with the token of the admission', () => {
    const { line, admitted } = wait();
    FarEnd.last.opens();
    FarEnd.last.says(PLACE);
    expect(line.state.value).toBe('waiting');
    FarEnd.last.says({ type: 'admitted', token: 't9' });
    expect(admitted).toEqual([{ ...WAITS, token: 't9', wait: false }]);
    expect(line.state.value).toBe('admitted');
  });

  test('answers when asked whether they are there', () => {
    wait();
    FarEnd.last.opens();
    FarEnd.last.says({ type: 'ping' });
    expect(FarEnd.last.said[1]).toEqual({ type: 'pong' });
  });

  test('gives the place up on leaving, and is asked nothing more', async () => {
    const { line, ends, rejoin } = wait();
    FarEnd.last.opens();
    line.leave();
    expect(FarEnd.last.said[1]).toEqual({ type: 'leave' });
    FarEnd.last.breaks();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([ends, rejoin.mock.calls.length]).toEqual([[{ how: 'gave-up' }], 0]);
  });
});

describe('a lost line', () => {
  test('is tried again by the door, with a fresh token, and the last known place stays', async () => {
    const { line } = wait();
    FarEnd.last.opens();
    FarEnd.last.says(PLACE);
    FarEnd.last.breaks();
    expect([line.state.value, line.place.value?.position]).toEqual(['lost', 1]);
    await vi.advanceTimersByTimeAsync(1_500);
    FarEnd.last.opens();
    expect(FarEnd.all.length).toBe(2);
    expect(FarEnd.last.said[0]?.['token']).toBe('t2');
  });

  test('is noticed although nothing says so', async () => {
    const { line } = wait();
    FarEnd.last.opens();
    FarEnd.last.says(PLACE);
    await vi.advanceTimersByTimeAsync(39_000);
    expect(line.state.value).toBe('waiting');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(line.state.value).toBe('lost');
  });

  test('over which the person was let in leads into the call', async () => {
    const { rejoin, admitted } = wait();
    rejoin.mockResolvedValue({ ok: true, value: { ...WAITS, wait: false, token: 't3' } });
    FarEnd.last.breaks();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(admitted.map(({ token }) => token)).toEqual(['t3']);
  });

  test('is tried for as long as the service is away, ever more slowly', async () => {
    const { rejoin, ends } = wait();
    rejoin.mockResolvedValue(refused('unreachable'));
    FarEnd.last.breaks();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(rejoin.mock.calls.length).toBeGreaterThan(8);
    expect(rejoin.mock.calls.length).toBeLessThan(22);
    expect(ends).toEqual([]);
  });

  test('is tried at once when the network is back', async () => {
    const { rejoin } = wait();
    rejoin.mockResolvedValue(refused('unreachable'));
    FarEnd.last.breaks();
    await vi.advanceTimersByTimeAsync(60_000);
    const before = rejoin.mock.calls.length;
    window.dispatchEvent(new Event('online'));
    expect(rejoin.mock.calls.length).toBe(before + 1);
  });
});

describe('the end of the wait', () => {
  test.each(['denied', 'revoked'] as const)('%s is said as such', (code) => {
    const { ends } = wait();
    FarEnd.last.opens();
    FarEnd.last.says(code === 'denied' ? { type: 'denied' } : { type: 'refused', code });
    expect(ends).toEqual([{ how: 'refused', refusal: { code, times: NO_TIMES, retryAfter: null } }]);
  });

  test('of a room that is over is asked of the door, which knows more', async () => {
    const { rejoin, ends } = wait();
    rejoin.mockResolvedValue(refused('cancelled'));
    FarEnd.last.opens();
    FarEnd.last.says({ type: 'closed', reason: 'cancelled' });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(ends.map((end) => end.how === 'refused' && end.refusal.code)).toEqual(['cancelled']);
  });

  test('is not a service that is busy or restarts', async () => {
    const { ends, rejoin } = wait();
    FarEnd.last.opens();
    FarEnd.last.says({ type: 'again', retry_after: 2 });
    await vi.advanceTimersByTimeAsync(1_900);
    expect(rejoin).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_200);
    FarEnd.last.opens();
    FarEnd.last.says({ type: 'refused', code: 'busy', retry_after: 1 });
    await vi.advanceTimersByTimeAsync(15_000);
    expect([ends, FarEnd.all.length > 2]).toEqual([[], true]);
  });
});
