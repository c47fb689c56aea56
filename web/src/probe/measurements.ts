import { httpsRoundTrip } from './api';
import type { ProbeChannel } from './channel';
import { stepOf } from './figures';
import { Leg } from './leg';
import type { MediaResult, MediaStep, PathResult, SignallingResult } from './result';
import { median, outcomeOf, PATHS_TIME, targetsWithin } from './rules';
import type { TestSignal } from './test-signal';
import type { Path } from './words';

/** Round trips that are measured; the first request of a page also opens a connection, which does not count. */
const ROUND_TRIPS = 3;
const PINGS = 5;

/** How long a request may take, in milliseconds. */
const REQUEST_WITHIN = 5000;

/** Paths that are tried at the same time: more would take the line away from each other. */
const AT_ONCE = 2;

/** How long each bit rate is tried, and how much of it the encoder and the service get to adapt, in milliseconds. */
const STEP = 2500;
const SETTLING = 1000;

/** How the service is reached by requests. */
export async function measureHttps(): Promise<number | null> {
  const trips: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const milliseconds = await httpsRoundTrip(REQUEST_WITHIN);
    if (milliseconds === null) break;
    trips.push(milliseconds);
  }
  return trips.length === 0 ? null : Math.round(Math.min(...trips));
}

/** How the service is reached over the channel that stands. */
export async function measureChannel(
  channel: ProbeChannel,
): Promise<Pick<SignallingResult, 'wss' | 'wss_rtt_ms'>> {
  const trips: number[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const milliseconds = await channel.ping();
    if (milliseconds === null) break;
    trips.push(milliseconds);
  }
  const middle = median(trips);
  return { wss: true, wss_rtt_ms: middle === null ? null : Math.round(middle) };
}

/** What is told while paths are tried. */
export interface PathNews {
  begins: (index: number) => void;
  ends: (index: number, result: PathResult) => void;
}

/** Tries every path, each by itself, in their order. */
export async function tryPaths(
  channel: ProbeChannel,
  paths: readonly Path[],
  source: TestSignal,
  stop: AbortSignal,
  news: PathNews,
): Promise<void> {
  const until = performance.now() + PATHS_TIME;
  const queue = paths.map((path, index) => ({ path, index }));
  const work = async () => {
    for (let next = queue.shift(); next && !stop.aborted; next = queue.shift()) {
      const { path, index } = next;
      news.begins(index);
      const result =
        performance.now() < until
          ? await tryPath(`p${index}`, channel, path, source, stop)
          : resultOf(path, 'skipped', null, null);
      news.ends(index, result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A browser that cannot even begin, for instance since it does not know the kind of relay, has not tried. */
async function tryPath(
  name: string,
  channel: ProbeChannel,
  path: Path,
  source: TestSignal,
  stop: AbortSignal,
): Promise<PathResult> {
  // A tone is enough and costs little; where none sounds, a picture.
  const sent = source.sounds ? { audio: source.audio, video: null } : { audio: null, video: source.video };
  try {
    return await withLeg(new Leg(name, path, channel, sent), stop, async (leg) => {
      const echo = await leg.echo();
      if (echo.is === 'unknown') return resultOf(path, 'skipped', null, leg.ipv6);
      const milliseconds = echo.is === 'back' ? echo.ms : null;
      return resultOf(path, outcomeOf(milliseconds), milliseconds, leg.ipv6);
    });
  } catch {
    return resultOf(path, 'skipped', null, null);
  }
}

/** Starts a leg, and ends it when the work is done or stopped. */
async function withLeg<Found>(
  leg: Leg,
  stop: AbortSignal,
  work: (leg: Leg) => Promise<Found>,
): Promise<Found> {
  const onStop = () => leg.close();
  stop.addEventListener('abort', onStop);
  try {
    leg.start();
    return await work(leg);
  } finally {
    stop.removeEventListener('abort', onStop);
    leg.close();
  }
}

function resultOf(
  path: Path,
  outcome: PathResult['outcome'],
  connectMs: number | null,
  ipv6: boolean | null,
): PathResult {
  return { name: path.name, port: path.port, outcome, connect_ms: connectMs, ipv6 };
}

/** Sends sound and picture over a path and back, at one rate after the other up to `most` kilobits a second. */
export async function measureMedia(
  channel: ProbeChannel,
  path: Path,
  most: number,
  source: TestSignal,
  stop: AbortSignal,
): Promise<MediaResult> {
  const targets = targetsWithin(most);
  const audio = source.sounds ? source.audio : null;
  source.noise = noiseFor(targets[0] ?? most);
  const leg = new Leg('media', path, channel, { audio, video: source.video });
  const media: MediaResult = { path: path.name, port: path.port, first_frame_ms: null, steps: [] };
  return withLeg(leg, stop, async () => {
    media.first_frame_ms = await leg.firstPicture();
    for (const target of targets) {
      if (stop.aborted) break;
      source.noise = noiseFor(target);
      media.steps.push(await measureStep(leg, channel, target));
    }
    return media;
  });
}

/** This many kilobits a second are a whole picture of noise at a quality that encoders like. */
const WHOLE_PICTURE = 2000;

function noiseFor(target: number): number {
  return Math.min(target / WHOLE_PICTURE, 1);
}

async function measureStep(leg: Leg, channel: ProbeChannel, target: number): Promise<MediaStep> {
  await leg.allow(target);
  await sleep(SETTLING);
  const [from, seenBefore] = await Promise.all([leg.sample(), channel.figures('media')]);
  await sleep(STEP - SETTLING);
  const [to, seenAfter] = await Promise.all([leg.sample(), channel.figures('media')]);
  const seen = seenBefore && seenAfter ? ([seenBefore, seenAfter] as const) : null;
  return stepOf(target, from, to, seen);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
