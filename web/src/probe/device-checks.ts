import { VOICE, watchLevel } from '../devices/level';
import type { CaptureState } from '../devices/preview';
import type { CameraResult, MicrophoneResult } from './result';

/** How long somebody may take to say a few words, and a camera to show something, in milliseconds. */
const WITHIN = 5000;

/** Readings of the microphone that are a voice and not a knock on the table. */
const ENOUGH = 4;

/** How often the camera's picture is looked at, in milliseconds. */
const LOOK_EVERY = 400;

/** Looks that are needed to call a picture black or frozen: some cameras start with a few dark ones. */
const LOOKS = 6;

/** A picture whose brightest spot is under this, of 255, shows nothing. */
const DARK = 24;

/** What one look at the camera found. */
export interface Look {
  /** Of the brightest spot, 0 to 255. */
  brightness: number;
  /** Different pictures have different ones, nearly always. */
  fingerprint: number;
}

/** Why a capture gives nothing, as a result; null while it is on. */
export function absence(state: CaptureState): 'denied' | 'missing' | 'skipped' | null {
  switch (state.is) {
    case 'on':
      return null;
    case 'failed':
      return state.why === 'refused' || state.why === 'system' ? 'denied' : 'missing';
    default:
      return 'skipped';
  }
}

/** Judges a camera by several looks; real cameras are never quite still. */
export function cameraBy(looks: readonly Look[]): CameraResult {
  const first = looks[0];
  if (!first || looks.every(({ fingerprint }) => fingerprint === first.fingerprint)) {
    return first && first.brightness < DARK ? 'black' : 'frozen';
  }
  return looks.every(({ brightness }) => brightness < DARK) ? 'black' : 'ok';
}

/** Listens until a voice is heard, or for five seconds. */
export function checkMicrophone(track: MediaStreamTrack, stop: AbortSignal): Promise<MicrophoneResult> {
  return new Promise((resolve) => {
    let voiced = 0;
    let measured = false;
    let unwatch: (() => void) | null = null;
    const settle = (result: MicrophoneResult) => {
      unwatch?.();
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      resolve(result);
    };
    const onStop = () => settle('skipped');
    // Where levels cannot be read nobody knows; that is no fault of the microphone.
    const timer = setTimeout(() => settle(measured ? 'silent' : 'skipped'), WITHIN);
    stop.addEventListener('abort', onStop);
    unwatch = watchLevel(track, (level) => {
      if (level === null) return;
      measured = true;
      if (level > VOICE && ++voiced >= ENOUGH) settle('ok');
    });
    if (stop.aborted || !unwatch) settle('skipped');
  });
}

/** Looks at what the camera shows until it has shown a picture that changes, or for long enough. */
export async function checkCamera(track: MediaStreamTrack, stop: AbortSignal): Promise<CameraResult> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  void video.play().catch(() => undefined);
  const looks: Look[] = [];
  const until = performance.now() + WITHIN;
  while (!stop.aborted && performance.now() < until && looks.length < LOOKS * 2) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    const look = lookAt(video);
    if (look) looks.push(look);
    if (looks.length >= LOOKS && cameraBy(looks) === 'ok') break;
  }
  video.srcObject = null;
  return stop.aborted ? 'skipped' : cameraBy(looks);
}

function lookAt(video: HTMLVideoElement): Look | null {
  if (video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  const pencil = canvas.getContext('2d');
  if (!pencil) return null;
  pencil.drawImage(video, 0, 0, canvas.width, canvas.height);
  return lookOf(pencil.getImageData(0, 0, canvas.width, canvas.height).data);
}

/** What a picture of red, green, blue and opacity amounts to. */
export function lookOf(pixels: ArrayLike<number>): Look {
  let brightness = 0;
  let fingerprint = 0;
  for (let i = 0; i + 2 < pixels.length; i += 4) {
    const light = ((pixels[i] ?? 0) + (pixels[i + 1] ?? 0) + (pixels[i + 2] ?? 0)) / 3;
    brightness = Math.max(brightness, light);
    fingerprint = (fingerprint * 31 + Math.round(light)) % 0x7fffffff;
  }
  return { brightness, fingerprint };
}
