import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { NO_TIMES } from '../api/refusal';
import { FarEnd } from '../waiting/far-end';

// The texts of the page look for a language, and tell a document of it.
vi.stubGlobal('navigator', { languages: ['fr'] });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { Leading } = await import('./leading');
const { Toasts } = await import('../call/toasts');

function admission(role: string, token = 't'): Admission {
  return { token, wsUrl: 'ws://x', name: '', role, times: NO_TIMES, wait: false } as Admission;
}

function start(role: string) {
  const told = signal<boolean | null>(null);
  const rejoin = vi.fn<() => Promise<Outcome<Admission>>>();
  rejoin.mockResolvedValue({ ok: true, value: admission('host', 'fresh') });
  const toasts = new Toasts();
  const leading = new Leading({
    props: { admission: admission(role), rejoin },
    told,
    toasts,
    speaker: () => null,
  });
  leading.start();
  return { leading, told, rejoin, toasts };
}

const said = (toasts: InstanceType<typeof Toasts>) => toasts.shown.value.map((toast) => toast.text);

beforeEach(() => {
  vi.useFakeTimers();
  FarEnd.standIn();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a host has the channel at once, and asks the door for nothing', async () => {
  const { leading, told, rejoin, toasts } = start('delegate');
  told.value = true;
  await vi.advanceTimersByTimeAsync(100);
  expect(leading.host.value).not.toBeNull();
  expect([FarEnd.all.length, rejoin.mock.calls.length, said(toasts)]).toEqual([1, 0, []]);
});

test('a guest has none, and one who is made a host has it with a token of that role', async () => {
  const { leading, told, toasts } = start('guest');
  told.value = false;
  await vi.advanceTimersByTimeAsync(100);
  expect([leading.host.value, FarEnd.all.length, said(toasts)]).toEqual([null, 0, []]);
  told.value = true;
  await vi.advanceTimersByTimeAsync(100);
  expect(leading.host.value).not.toBeNull();
  FarEnd.last.opens();
  expect(FarEnd.last.said[0]?.['token']).toBe('fresh');
  expect(said(toasts).length).toBe(1);
});

test('who is a host no more has nothing left of it, until made one again', async () => {
  const { leading, told, toasts } = start('host');
  told.value = true;
  const first = FarEnd.last;
  first.opens();
  told.value = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect([leading.host.value, first.readyState, FarEnd.all.length]).toEqual([null, 3, 1]);
  told.value = true;
  await vi.advanceTimersByTimeAsync(100);
  expect([leading.host.value === null, FarEnd.all.length]).toEqual([false, 2]);
  expect(said(toasts).length).toBe(1);
});

test('the door is asked again while it does not answer, and no more once the role is gone', async () => {
  const { leading, told, rejoin } = start('guest');
  rejoin.mockResolvedValue({
    ok: false,
    refusal: { code: 'unreachable', times: NO_TIMES, retryAfter: null },
  });
  told.value = true;
  await vi.advanceTimersByTimeAsync(5000);
  const tries = rejoin.mock.calls.length;
  expect(tries).toBeGreaterThan(1);
  told.value = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(rejoin.mock.calls.length).toBe(tries);
  expect(leading.host.value).toBeNull();
});
