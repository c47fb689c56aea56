import type { MediaStep } from './result';

/** What a connection has moved so far, and how it does now: one reading of its statistics. */
export interface Sample {
  /** Milliseconds on any clock that does not jump. */
  at: number;
  bytesUp: number;
  bytesDown: number;
  packetsUp: number;
  packetsDown: number;
  /** As far as the browser knows it; the service knows better. */
  lostUp: number;
  lostDown: number;
  framesDown: number;
  rttMs: number | null;
  jitterMs: number | null;
}

/** The service's own count of what it got, which is the truth about losses on the way up. */
export interface Figures {
  packetsUp: number;
  lostUp: number;
  rttMs: number | null;
}

/** One member of `RTCStatsReport`; browsers leave out what they do not measure. */
type Stat = Readonly<Record<string, unknown>>;

/** Adds up what a report says about all media of one connection. */
export function readSample(report: Iterable<Stat>, at: number): Sample {
  const sample: Sample = {
    at,
    bytesUp: 0,
    bytesDown: 0,
    packetsUp: 0,
    packetsDown: 0,
    lostUp: 0,
    lostDown: 0,
    framesDown: 0,
    rttMs: null,
    jitterMs: null,
  };
  for (const stat of report) {
    switch (stat['type']) {
      case 'outbound-rtp':
        sample.bytesUp += count(stat['bytesSent']) + count(stat['headerBytesSent']);
        sample.packetsUp += count(stat['packetsSent']);
        break;
      case 'inbound-rtp':
        sample.bytesDown += count(stat['bytesReceived']) + count(stat['headerBytesReceived']);
        sample.packetsDown += count(stat['packetsReceived']);
        sample.lostDown += count(stat['packetsLost']);
        sample.framesDown += count(stat['framesDecoded']);
        // The sound's own: a picture's packets leave in bursts, which is no fault of the line.
        if (stat['kind'] === 'audio') sample.jitterMs = milliseconds(stat['jitter']) ?? sample.jitterMs;
        break;
      case 'remote-inbound-rtp':
        sample.lostUp += count(stat['packetsLost']);
        sample.rttMs ??= milliseconds(stat['roundTripTime']);
        break;
      case 'candidate-pair':
        if (stat['nominated'] === true) {
          sample.rttMs = milliseconds(stat['currentRoundTripTime']) ?? sample.rttMs;
        }
        break;
    }
  }
  return sample;
}

/** What happened between two samples while `target` kilobits a second were tried. */
export function stepOf(
  target: number,
  from: Sample,
  to: Sample,
  seen: readonly [Figures, Figures] | null,
): MediaStep {
  const seconds = Math.max(to.at - from.at, 1) / 1000;
  const rate = (bytes: number) => Math.max(0, Math.round((bytes * 8) / 1000 / seconds));
  const lossUp = seen
    ? share(seen[1].lostUp - seen[0].lostUp, seen[1].packetsUp - seen[0].packetsUp)
    : share(to.lostUp - from.lostUp, to.packetsUp - from.packetsUp - (to.lostUp - from.lostUp));
  return {
    target_kbps: target,
    kbps_up: rate(to.bytesUp - from.bytesUp),
    kbps_down: rate(to.bytesDown - from.bytesDown),
    loss_up: lossUp,
    loss_down: share(to.lostDown - from.lostDown, to.packetsDown - from.packetsDown),
    rtt_ms: rounded(to.rttMs ?? seen?.[1].rttMs ?? null),
    jitter_ms: rounded(to.jitterMs),
  };
}

/** The share that was lost, from 0 to 1; late packets may make the count of lost ones go back. */
function share(lost: number, came: number): number {
  const all = lost + came;
  if (lost <= 0 || all <= 0) return 0;
  return Math.min(Math.round((lost / all) * 1000) / 1000, 1);
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function milliseconds(seconds: unknown): number | null {
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : null;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
