import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProbeChannel } from './channel';
import { readSample } from './figures';
import type { Echo } from './leg';
import { measureMedia, tryPaths } from './measurements';
import type { PathResult } from './result';
import type { TestSignal } from './test-signal';
import type { Path } from './words';

/** Every leg that was made; what comes back of each path, by its port, after how many milliseconds. */
const legs = vi.hoisted(() => ({
  all: [] as { name: string; sent: object; closed: boolean; allowed: number[] }[],
  open: 0,
  most: 0,
  echo: (_port: number): [Echo, number] => [{ is: 'none' }, 5000],
}));

vi.mock('./leg', () => ({
  Leg: class {
    ipv6 = false;
    closed = false;
    allowed: number[] = [];
    constructor(
      readonly name: string,
      readonly path: Path,
      _channel: unknown,
      readonly sent: object,
    ) {
      if (path.port === 0) throw new DOMException('', 'SyntaxError');
      legs.all.push(this);
    }
    start(): void {
      legs.most = Math.max(legs.most, ++legs.open);
    }
    async echo(): Promise<Echo> {
      const [echo, after] = legs.echo(this.path.port);
      await new Promise((resolve) => setTimeout(resolve, after));
      return echo;
    }
    firstPicture = async () => 90;
    allow = async (kilobits: number) => void this.allowed.push(kilobits);
    sample = async () => readSample([], performance.now());
    close(): void {
      if (!this.closed) legs.open--;
      this.closed = true;
    }
  },
}));

const CHANNEL = { figures: async () => null } as unknown as ProbeChannel;
const SOURCE = { sounds: true, audio: 'tone', video: 'noise', noise: 1 } as unknown as TestSignal;

function pathTo(port: number): Path {
  return { name: 'turn_udp', port, policy: 'relay', iceServers: [] };
}

async function tried(ports: number[], stop = new AbortController()): Promise<(string | undefined)[]> {
  const results: PathResult[] = [];
  const trying = tryPaths(CHANNEL, ports.map(pathTo), SOURCE, stop.signal, {
    begins: () => undefined,
    ends: (index, result) => {
      results[index] = result;
    },
  });
  await vi.advanceTimersByTimeAsync(60_000);
  await trying;
  return ports.map((_, index) => results[index]?.outcome);
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(legs, { all: [], open: 0, most: 0, echo: () => [{ is: 'none' }, 5000] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('paths', () => {
  test('are tried two at a time, each to its own end', async () => {
    legs.echo = (port) => [port === 2 ? { is: 'back', ms: 40 } : { is: 'none' }, port === 2 ? 40 : 5000];
    expect(await tried([1, 2, 3])).toEqual(['blocked', 'ok', 'blocked']);
    expect([legs.most, legs.all.map(({ closed }) => closed)]).toEqual([2, [true, true, true]]);
  });

  test('are not begun after twenty seconds', async () => {
    const outcomes = await tried([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(outcomes).toEqual([...Array(8).fill('blocked'), 'skipped', 'skipped']);
  });

  test('of which nobody can say why nothing came back were not tried', async () => {
    legs.echo = () => [{ is: 'unknown' }, 100];
    expect(await tried([1])).toEqual(['skipped']);
  });

  test('that the browser will not even begin do not keep it from the others', async () => {
    legs.echo = () => [{ is: 'back', ms: 3000 }, 3000];
    expect(await tried([0, 1])).toEqual(['skipped', 'slow']);
  });

  test('carry a tone, or where none sounds a picture', async () => {
    await tried([1]);
    Object.assign(SOURCE, { sounds: false });
    await tried([2]);
    Object.assign(SOURCE, { sounds: true });
    expect(legs.all.map(({ sent }) => sent)).toEqual([
      { audio: 'tone', video: null },
      { audio: null, video: 'noise' },
    ]);
  });

  test('end at once when the test does', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await tried([1, 2], stop)).toEqual([undefined, undefined]);
  });
});

describe('media', () => {
  test('is tried at one rate after the other, for ten seconds', async () => {
    const measuring = measureMedia(CHANNEL, pathTo(1), 2500, SOURCE, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(10_000);
    const media = await measuring;
    expect(media.first_frame_ms).toBe(90);
    expect(media.steps.map((step) => step.target_kbps)).toEqual([150, 500, 1200, 2000]);
    expect(legs.all.map(({ allowed, closed }) => [allowed, closed])).toEqual([
      [[150, 500, 1200, 2000], true],
    ]);
  });

  test('ends with the test, with the steps that were done', async () => {
    const stop = new AbortController();
    const measuring = measureMedia(CHANNEL, pathTo(1), 2500, SOURCE, stop.signal);
    await vi.advanceTimersByTimeAsync(2600);
    stop.abort();
    expect(legs.open).toBe(0);
    await vi.advanceTimersByTimeAsync(2500);
    expect((await measuring).steps).toHaveLength(2);
  });
});
