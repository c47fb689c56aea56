import type { CameraResult, MediaResult, MicrophoneResult, PathName, PathResult, TestResult } from './result';
import { LONG_WAY } from './rules';

/** How one check stands. */
export type LineState = 'waiting' | 'running' | 'ok' | 'slow' | 'blocked' | 'skipped';

/** What a check is about. */
export type Subject =
  | { is: 'browser' | 'signalling' | 'media' | 'microphone' | 'camera' | 'speaker' }
  | { is: 'path'; name: PathName; port: number; found: PathResult | null };

/** One check as the page shows it. */
export interface Line {
  id: string;
  subject: Subject;
  state: LineState;
}

/** How far a test is. */
export interface Progress {
  result: TestResult;
  /** Every way that is tried, known once the service has said so. */
  paths: readonly { name: PathName; port: number }[];
  /** What came of each, null before it is known. */
  outcomes: readonly (PathResult | null)[];
  /** Ids of the lines that are being tried now. */
  running: readonly string[];
  /** Nothing more will be tried. */
  over: boolean;
}

export const START: Progress = { result: {}, paths: [], outcomes: [], running: [], over: false };

/** Rates from which a picture is good, and from which there is one at all, in kilobits a second. */
const GOOD_PICTURE = 1000;
const ANY_PICTURE = 150;

/** From this share on a rate counts as reached: encoders stay below what they may take. */
const REACHED = 0.8;

/** More than this share lost, and a step is not a rate that the line carries. */
const MUCH_LOST = 0.05;

/** The name of the line of a path. */
export function pathId(index: number): string {
  return `path-${index}`;
}

/** All checks, in the order in which they are tried. */
export function linesOf(progress: Progress): Line[] {
  const { result, paths, outcomes } = progress;
  const { devices } = result;
  const atDevices = devices !== undefined || progress.running.includes('microphone');
  const line = (id: string, subject: Subject, found: LineState | null): Line => ({
    id,
    subject,
    state: progress.running.includes(id) ? 'running' : (found ?? (progress.over ? 'skipped' : 'waiting')),
  });
  return [
    line('browser', { is: 'browser' }, result.browser ? (result.browser.webrtc ? 'ok' : 'blocked') : null),
    line('signalling', { is: 'signalling' }, signallingState(result)),
    ...paths.map(({ name, port }, index) =>
      line(
        pathId(index),
        { is: 'path', name, port, found: outcomes[index] ?? null },
        outcomes[index]?.outcome ?? null,
      ),
    ),
    line('media', { is: 'media' }, mediaStateOf(result.media, atDevices)),
    line('microphone', { is: 'microphone' }, devices ? deviceState(devices.microphone) : null),
    line('camera', { is: 'camera' }, devices ? deviceState(devices.camera) : null),
    line('speaker', { is: 'speaker' }, devices ? deviceState(devices.speaker) : null),
  ];
}

/** The rate that came through both ways, in kilobits a second: the best step of those with little loss. */
export function carried(media: MediaResult): number {
  const rates = media.steps
    .filter((step) => step.loss_up <= MUCH_LOST && step.loss_down <= MUCH_LOST)
    .map((step) => Math.min(step.kbps_up, step.kbps_down));
  return Math.max(0, ...rates);
}

/** Losses and delay over all steps, the worst of each. */
export function worst(media: MediaResult): { loss: number; rttMs: number | null } {
  const rtts = media.steps.flatMap((step) => (step.rtt_ms === null ? [] : [step.rtt_ms]));
  return {
    loss: Math.max(0, ...media.steps.flatMap((step) => [step.loss_up, step.loss_down])),
    rttMs: rtts.length === 0 ? null : Math.max(...rtts),
  };
}

function signallingState({ signalling }: TestResult): LineState | null {
  if (!signalling) return null;
  if (!signalling.wss) return 'blocked';
  return (signalling.wss_rtt_ms ?? 0) > LONG_WAY ? 'slow' : 'ok';
}

/** Media that was not reached before the devices' turn will not be. */
function mediaStateOf(media: MediaResult | undefined, past: boolean): LineState | null {
  if (media) return mediaState(media);
  return past ? 'skipped' : null;
}

function mediaState(media: MediaResult): LineState {
  const kilobits = carried(media);
  // Where a service lets calls take less than a good picture, no more is tried or needed.
  const tried = Math.max(0, ...media.steps.map((step) => step.target_kbps));
  if (kilobits > 0 && kilobits >= Math.min(GOOD_PICTURE, tried * REACHED)) return 'ok';
  return kilobits >= ANY_PICTURE ? 'slow' : 'blocked';
}

function deviceState(result: MicrophoneResult | CameraResult | 'heard' | 'not_heard'): LineState {
  if (result === 'ok' || result === 'heard') return 'ok';
  return result === 'skipped' ? 'skipped' : 'blocked';
}
