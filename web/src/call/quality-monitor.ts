import { type Signal, signal } from '@preact/signals';
import { ConnectionQuality, type Room } from 'livekit-client';
import { type Count, judge, lossBetween, type Measurement, type Verdict } from './quality';
import { wordOf } from './snapshot';

/** How often the line is measured, in milliseconds: often enough to explain what one just heard. */
const EVERY = 3000;

/** Measurements without a byte after which the line counts as dead: signs of life come every 5 s at the latest. */
const QUIET = 2;

/** Reads the browser's own statistics every few seconds and puts them into a word and a reason. */
export class QualityMonitor {
  readonly verdict: Signal<Verdict> = signal({ word: 'good', reason: 'measuring' });
  /** Whether nothing at all, not even a sign of life, came from the service of late. */
  readonly silent = signal(false);

  #room: Room;
  #timer: ReturnType<typeof setInterval>;
  #before = new Map<string, Count>();
  #bytes = 0;
  #quiet = 0;

  constructor(room: Room) {
    this.#room = room;
    this.#timer = setInterval(() => void this.#measure(), EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #measure(): Promise<void> {
    const { connectionQuality } = this.#room.localParticipant;
    const server = connectionQuality === ConnectionQuality.Lost ? 'lost' : wordOf(connectionQuality);
    const reports = await this.#reports();
    this.#listen(reports);
    this.verdict.value = judge(this.#read(reports), server);
  }

  #listen(reports: readonly RTCStatsReport[]): void {
    const bytes = bytesReceived(reports);
    this.#quiet = bytes !== null && bytes === this.#bytes ? this.#quiet + 1 : 0;
    this.#bytes = bytes ?? 0;
    this.silent.value = this.#quiet >= QUIET;
  }

  /** One report a track; those of one connection share the candidate pair. */
  async #reports(): Promise<RTCStatsReport[]> {
    const participants = [this.#room.localParticipant, ...this.#room.remoteParticipants.values()];
    const tracks = participants.flatMap((someone) =>
      [...someone.trackPublications.values()].flatMap((publication) => publication.track ?? []),
    );
    const reports = await Promise.all(
      tracks.map((track) => track.getRTCStatsReport().catch(() => undefined)),
    );
    return reports.filter((report) => report !== undefined);
  }

  #read(reports: readonly RTCStatsReport[]): Measurement {
    const measured: Measurement = { lossUp: null, lossDown: null, roundTrip: null, limitation: null };
    const counts = new Map<string, Count>();
    for (const report of reports) {
      report.forEach((stats) => {
        if (stats.type === 'remote-inbound-rtp') {
          measured.lossUp = most(measured.lossUp, number(stats.fractionLost));
          measured.roundTrip = most(measured.roundTrip, inMilliseconds(stats.roundTripTime));
        } else if (stats.type === 'inbound-rtp') {
          counts.set(stats.id, { received: stats.packetsReceived ?? 0, lost: stats.packetsLost ?? 0 });
        } else if (stats.type === 'outbound-rtp' && stats.qualityLimitationReason) {
          if (measured.limitation === null || stats.qualityLimitationReason !== 'none') {
            measured.limitation = stats.qualityLimitationReason;
          }
        } else if (stats.type === 'candidate-pair' && stats.nominated) {
          measured.roundTrip = most(measured.roundTrip, inMilliseconds(stats.currentRoundTripTime));
        }
      });
    }
    measured.lossDown = this.#lossSince(counts);
    return measured;
  }

  /** Loss over all received tracks together: one track alone sends too few packets to judge by. */
  #lossSince(counts: Map<string, Count>): number | null {
    const before: Count = { received: 0, lost: 0 };
    const after: Count = { received: 0, lost: 0 };
    for (const [id, count] of counts) {
      const earlier = this.#before.get(id);
      if (!earlier) continue;
      before.received += earlier.received;
      before.lost += earlier.lost;
      after.received += count.received;
      after.lost += count.lost;
    }
    this.#before = counts;
    return lossBetween(before, after);
  }
}

/** Everything received on the path in use, or null while there is none. */
function bytesReceived(reports: readonly RTCStatsReport[]): number | null {
  let bytes: number | null = null;
  for (const report of reports) {
    report.forEach((stats) => {
      if (stats.type === 'candidate-pair' && stats.nominated)
        bytes = most(bytes, number(stats.bytesReceived));
    });
  }
  return bytes;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function inMilliseconds(seconds: unknown): number | null {
  const value = number(seconds);
  return value === null ? null : value * 1000;
}

function most(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.max(a, b);
}
