import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FarEnd } from '../waiting/far-end';
import { type News, ProbeChannel } from './channel';

const READY = { type: 'ready', seen: { proxied: false }, paths: [] };

beforeEach(() => {
  vi.useFakeTimers();
  FarEnd.standIn();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(): Promise<ProbeChannel> {
  const channel = new ProbeChannel('wss://x/probe');
  const hello = channel.hello('t');
  FarEnd.last.opens();
  await vi.advanceTimersByTimeAsync(0);
  FarEnd.last.says(READY);
  await hello;
  return channel;
}

test('says hello with its token and hears that the service is ready', async () => {
  const channel = new ProbeChannel('wss://x/probe');
  const hello = channel.hello('t');
  FarEnd.last.opens();
  await vi.advanceTimersByTimeAsync(0);
  expect([FarEnd.last.url, FarEnd.last.said]).toEqual([
    'wss://x/probe',
    [{ type: 'hello', v: 1, token: 't' }],
  ]);
  FarEnd.last.says(READY);
  expect(await hello).toEqual({ is: 'ready', ready: { proxied: false, kilobits: 2500, paths: [] } });
});

test('hears why it is refused', async () => {
  const channel = new ProbeChannel('wss://x/probe');
  const hello = channel.hello('t');
  FarEnd.last.opens();
  FarEnd.last.says({ type: 'refused', code: 'busy', retry_after: 5 });
  FarEnd.last.breaks();
  expect(await hello).toEqual({ is: 'refused', code: 'busy', retryAfter: 5000 });
});

test.each([
  ['a network that closes it', () => FarEnd.last.breaks()],
  ['a network that swallows it', () => undefined],
  ['a proxy that opens it and says nothing', () => FarEnd.last.opens()],
])('takes %s for one in which the service cannot be reached', async (_name, happens) => {
  const hello = new ProbeChannel('wss://x/probe').hello('t');
  happens();
  await vi.advanceTimersByTimeAsync(5000);
  expect(await hello).toEqual({ is: 'unreachable' });
});

test('times a ping by the answer to that very ping', async () => {
  const channel = await opened();
  const first = channel.ping();
  await vi.advanceTimersByTimeAsync(40);
  FarEnd.last.says({ type: 'pong', id: 1 });
  expect(await first).toBe(40);
  const second = channel.ping();
  await vi.advanceTimersByTimeAsync(0);
  FarEnd.last.says({ type: 'pong', id: 1 });
  await vi.advanceTimersByTimeAsync(30);
  FarEnd.last.says({ type: 'pong', id: 2 });
  expect(await second).toBe(30);
});

test('keeps the answers to two legs apart', async () => {
  const channel = await opened();
  const one = channel.offer('p0', 'offer 0', { audio: '0', video: null });
  const two = channel.offer('p1', 'offer 1', { audio: '0', video: null });
  await vi.advanceTimersByTimeAsync(0);
  expect(FarEnd.last.said.slice(1)).toEqual([
    { type: 'offer', leg: 'p0', sdp: 'offer 0', audio: '0', video: null },
    { type: 'offer', leg: 'p1', sdp: 'offer 1', audio: '0', video: null },
  ]);
  FarEnd.last.says({ type: 'answer', leg: 'p1', sdp: 'answer 1' });
  FarEnd.last.says({ type: 'answer', leg: 'p0', sdp: 'answer 0' });
  expect([await one, await two]).toEqual(['answer 0', 'answer 1']);
});

test('gives up an offer that the service refuses, and tells its leg and no other', async () => {
  const channel = await opened();
  const heard: [string, News][] = [];
  for (const leg of ['p0', 'p1']) channel.listen(leg, (news) => heard.push([leg, news]));
  const offer = channel.offer('p0', 'x', { audio: null, video: null });
  await vi.advanceTimersByTimeAsync(0);
  FarEnd.last.says({ type: 'error', code: 'invalid-sdp', leg: 'p0' });
  expect(await offer).toBeNull();
  FarEnd.last.says({ type: 'offer_wanted', leg: 'p1' });
  expect(heard.map(([leg, { type }]) => [leg, type])).toEqual([
    ['p0', 'error'],
    ['p1', 'offer_wanted'],
  ]);
});

test('answers everything with nothing once the line is lost', async () => {
  const channel = await opened();
  const lost = vi.fn();
  channel.onLost = lost;
  const asked = channel.figures('p0');
  await vi.advanceTimersByTimeAsync(0);
  FarEnd.last.breaks();
  expect([
    await asked,
    await channel.ping(),
    await channel.offer('p0', 'x', { audio: null, video: null }),
  ]).toEqual([null, null, null]);
  expect(lost).toHaveBeenCalledOnce();
});

test('says goodbye, and is not told that the line is lost', async () => {
  const channel = await opened();
  const lost = vi.fn();
  channel.onLost = lost;
  channel.hangUp('p0');
  channel.close();
  FarEnd.last.breaks();
  expect(FarEnd.last.said.slice(1)).toEqual([{ type: 'hang_up', leg: 'p0' }, { type: 'bye' }]);
  expect(lost).not.toHaveBeenCalled();
});
