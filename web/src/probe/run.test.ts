import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NO_TIMES } from '../api/refusal';
import { openTest, sendResult } from './api';
import { measureMedia, tryPaths } from './measurements';
import type { PathResult } from './result';
import { TestRun } from './run';

/** What the service says to hello. */
const channel = vi.hoisted(() => ({ opening: {} as object, closed: 0 }));

/** What the person's devices do. */
const devices = vi.hoisted(() => ({
  start: async (): Promise<void> => undefined,
  closed: 0,
  heard: [] as string[],
}));

vi.mock('./api', async (original) => ({
  ...(await original<typeof import('./api')>()),
  openTest: vi.fn(),
  sendResult: vi.fn(),
}));
vi.mock('./channel', () => ({
  ProbeChannel: class {
    hello = async () => channel.opening;
    close = () => channel.closed++;
  },
}));
vi.mock('./measurements', () => ({
  measureHttps: async () => 12,
  measureChannel: async () => ({ wss: true, wss_rtt_ms: 13 }),
  tryPaths: vi.fn(),
  measureMedia: vi.fn(),
}));
vi.mock('./test-signal', () => ({
  TestSignal: class {
    audio = null;
    close(): void {}
  },
}));
vi.mock('./device-checks', async (original) => ({
  ...(await original<typeof import('./device-checks')>()),
  checkMicrophone: async () => devices.heard.shift() ?? 'ok',
  checkCamera: async () => 'frozen',
}));
vi.mock('../devices/preview', () => ({
  Preview: class {
    camera = { value: { is: 'on' } };
    microphone = { value: { is: 'on' } };
    start = () => devices.start();
    close = () => devices.closed++;
  },
}));
vi.mock('../devices/support', async (original) => ({
  ...(await original<typeof import('../devices/support')>()),
  abilitiesHere: () => ({ secure: true, ...abilities }),
}));

let abilities: object;
const CAN = { peerConnection: true, transceivers: true, getUserMedia: true, language: true, userAgent: '' };
const UDP = { name: 'udp', port: 10000, policy: 'all', iceServers: [] } as const;
const TLS = { name: 'turn_tls', port: 443, policy: 'relay', iceServers: [] } as const;
const TICKET = { ok: true, value: { id: 'test_1', token: 't', wsUrl: 'wss://x/probe', since: 0 } } as const;
const GOOD = { verdict: 'video_good', reason: 'udp_open', advice: [] } as const;

function outcome(path: { name: PathResult['name']; port: number }, what: PathResult['outcome']): PathResult {
  return { name: path.name, port: path.port, outcome: what, connect_ms: null, ipv6: null };
}

beforeEach(() => {
  abilities = CAN;
  Object.assign(channel, {
    opening: { is: 'ready', ready: { proxied: false, kilobits: 2500, paths: [UDP, TLS] } },
    closed: 0,
  });
  Object.assign(devices, { start: async () => undefined, closed: 0, heard: [] });
  vi.stubGlobal('navigator', { userAgent: 'Firefox/128.0', maxTouchPoints: 0 });
  vi.stubGlobal('window', new EventTarget());
  vi.mocked(openTest).mockReset().mockResolvedValue(TICKET);
  vi.mocked(sendResult)
    .mockReset()
    .mockResolvedValue({ ok: true, value: { ...GOOD, advice: [] } });
  vi.mocked(measureMedia)
    .mockReset()
    .mockImplementation(async (_channel, path) => ({
      path: path.name,
      port: path.port,
      first_frame_ms: 9,
      steps: [],
    }));
  vi.mocked(tryPaths)
    .mockReset()
    .mockImplementation(async (_channel, _paths, _source, _stop, news) => {
      news.begins(0);
      news.begins(1);
      news.ends(1, outcome(TLS, 'ok'));
      news.ends(0, outcome(UDP, 'blocked'));
    });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Runs a test up to the question about the speaker. */
async function asked(): Promise<TestRun> {
  const run = new TestRun({ test: 's' }, null);
  void run.start();
  await vi.waitFor(() => expect(run.stage.value.is).toBe('speaker'));
  return run;
}

test('everything that was found is handed in, with the paths in the order in which they stand', async () => {
  const run = await asked();
  run.answerSpeaker('heard');
  await vi.waitFor(() => expect(run.stage.value.is).toBe('judged'));
  expect(vi.mocked(sendResult).mock.lastCall).toEqual([
    't',
    {
      browser: { name: 'firefox', version: 128, os: 'other', webrtc: true },
      signalling: { https_rtt_ms: 12, wss: true, wss_rtt_ms: 13, proxied: false },
      paths: [outcome(UDP, 'blocked'), outcome(TLS, 'ok')],
      media: { path: 'turn_tls', port: 443, first_frame_ms: 9, steps: [] },
      devices: { microphone: 'ok', camera: 'frozen', speaker: 'heard' },
    },
  ]);
  expect([run.ticket?.id, channel.closed > 0, devices.closed > 0]).toEqual(['test_1', true, true]);
});

test('without an open path there is no media, and the devices are tried all the same', async () => {
  vi.mocked(tryPaths).mockImplementation(async (_channel, paths, _source, _stop, news) => {
    for (const [index, path] of paths.entries()) news.ends(index, outcome(path, 'blocked'));
  });
  await asked();
  expect(measureMedia).not.toHaveBeenCalled();
});

test('where the channel is blocked that is the result', async () => {
  channel.opening = { is: 'unreachable' };
  const run = await asked();
  run.answerSpeaker('skipped');
  await vi.waitFor(() => expect(run.stage.value.is).toBe('judged'));
  expect(vi.mocked(sendResult).mock.lastCall?.[1]).toMatchObject({
    signalling: { https_rtt_ms: 12, wss: false, wss_rtt_ms: null, proxied: null },
  });
  expect(tryPaths).not.toHaveBeenCalled();
});

test('a browser without WebRTC is told to the service, which says what to do', async () => {
  abilities = { ...CAN, peerConnection: false };
  const run = new TestRun({ test: 's' }, null);
  await run.start();
  expect(run.stage.value.is).toBe('judged');
  expect(vi.mocked(sendResult).mock.lastCall?.[1]).toMatchObject({ browser: { webrtc: false } });
  expect(tryPaths).not.toHaveBeenCalled();
});

test.each([
  [
    'by the door',
    { ok: false, refusal: { code: 'not-found', times: NO_TIMES, retryAfter: null } } as const,
    null,
  ],
  ['by the channel', TICKET, { is: 'refused', code: 'busy', retryAfter: 3000 }],
])('who is refused %s hears why, and nothing is handed in', async (_name, ticket, opening) => {
  vi.mocked(openTest).mockResolvedValue(ticket);
  if (opening) channel.opening = opening;
  const run = new TestRun({ test: 's' }, null);
  await run.start();
  expect(run.stage.value.is).toBe('refused');
  expect(sendResult).not.toHaveBeenCalled();
});

test('nobody has to answer the browser', async () => {
  devices.start = () => new Promise(() => undefined);
  const run = new TestRun({ test: 's' }, null);
  void run.start();
  await vi.waitFor(() => expect(run.stage.value).toEqual({ is: 'running', part: 'asking' }));
  run.skipDevices();
  await vi.waitFor(() => expect(run.stage.value.is).toBe('speaker'));
});

test('a page that goes away hands in what there is, and lets the camera go', async () => {
  const run = await asked();
  window.dispatchEvent(new Event('pagehide'));
  expect(run.stage.value.is).toBe('stopped');
  expect(vi.mocked(sendResult).mock.lastCall?.[2]).toEqual({ last: true });
  expect(vi.mocked(sendResult).mock.lastCall?.[1]).toMatchObject({ devices: { speaker: 'skipped' } });
  expect(devices.closed).toBeGreaterThan(0);
  run.stop();
  run.answerSpeaker('heard');
  await Promise.resolve();
  expect(sendResult).toHaveBeenCalledOnce();
});

test('a page that goes away before anything was tried hands nothing in', async () => {
  vi.mocked(tryPaths).mockImplementation(() => new Promise(() => undefined));
  const run = new TestRun({ test: 's' }, null);
  void run.start();
  await vi.waitFor(() => expect(tryPaths).toHaveBeenCalled());
  run.stop();
  expect(sendResult).not.toHaveBeenCalled();
});

test('a result that did not arrive is handed in again', async () => {
  vi.mocked(sendResult).mockResolvedValueOnce({
    ok: false,
    refusal: { code: 'unreachable', times: NO_TIMES, retryAfter: null },
  });
  const run = await asked();
  run.answerSpeaker('heard');
  await vi.waitFor(() => expect(run.stage.value.is).toBe('unsent'));
  await run.handIn();
  expect(run.stage.value.is).toBe('judged');
});

test('another try is the same test, as long as its leave is fresh', async () => {
  const fresh = { ...TICKET.value, since: performance.now() };
  const stale = { ...fresh, since: performance.now() - 6 * 60_000 };
  for (const [earlier, asked] of [
    [fresh, 0],
    [stale, 1],
  ] as const) {
    const run = new TestRun({ link: 'l' }, null, earlier);
    void run.start();
    await vi.waitFor(() => expect(run.stage.value.is).toBe('speaker'));
    expect(openTest).toHaveBeenCalledTimes(asked);
  }
});

test('a browser that cannot measure media hands in the rest', async () => {
  vi.mocked(measureMedia).mockRejectedValue(new DOMException('', 'NotSupportedError'));
  const run = await asked();
  run.answerSpeaker('heard');
  await vi.waitFor(() => expect(run.stage.value.is).toBe('judged'));
  const sent = vi.mocked(sendResult).mock.lastCall?.[1];
  expect([sent?.media, sent?.paths?.length, sent?.devices?.speaker]).toEqual([undefined, 2, 'heard']);
});

test.each([
  ['tries again until they are heard', [true, true], ['silent', 'silent'], 'ok'],
  ['goes on', [false], ['silent'], 'silent'],
] as const)('who was not heard %s', async (_name, answers, heard, result) => {
  devices.heard = [...heard];
  const run = new TestRun({ test: 's' }, null);
  void run.start();
  for (const answer of answers) {
    await vi.waitFor(() => expect(run.stage.value.is).toBe('silent'));
    run.answerSilence(answer);
    await Promise.resolve();
  }
  await vi.waitFor(() => expect(run.stage.value.is).toBe('speaker'));
  run.answerSpeaker('heard');
  await vi.waitFor(() => expect(run.stage.value.is).toBe('judged'));
  expect(vi.mocked(sendResult).mock.lastCall?.[1].devices?.microphone).toBe(result);
});

test('a page that goes away while it asks whether to try the microphone again hands in what there is', async () => {
  devices.heard = ['silent'];
  const run = new TestRun({ test: 's' }, null);
  void run.start();
  await vi.waitFor(() => expect(run.stage.value.is).toBe('silent'));
  run.stop();
  expect(vi.mocked(sendResult).mock.lastCall?.[1].devices?.microphone).toBe('silent');
  await Promise.resolve();
  expect(run.stage.value.is).toBe('stopped');
});
