import { openAudioContext } from './audio-context';

/** How often the level is read, in milliseconds: fast enough to follow a voice, slow enough for an old phone. */
const EVERY = 66;

/** Levels under this are the hum of a quiet room. */
export const VOICE = 0.12;

/** A reading of the microphone: 0 is silence, 1 is as loud as it gets; null while the browser holds sound back. */
export type Level = number | null;

/**
 * Reads the level of a microphone until the returned function is called.
 *
 * Browsers keep sound graphs asleep until the person has touched the page; until then readings are null. Where
 * the browser cannot read levels at all there is no function to call, and no reading.
 */
export function watchLevel(track: MediaStreamTrack, report: (level: Level) => void): (() => void) | null {
  const context = openAudioContext();
  if (!context) return null;
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  // A clone keeps this graph apart from the call: muting there does not silence the meter of a preview.
  const own = track.clone();
  own.enabled = true;
  const source = context.createMediaStreamSource(new MediaStream([own]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const wake = () => void context.resume().catch(() => undefined);
  wake();
  document.addEventListener('pointerdown', wake);
  document.addEventListener('keydown', wake);
  const timer = setInterval(() => {
    if (context.state !== 'running') return report(null);
    analyser.getFloatTimeDomainData(samples);
    report(loudness(samples));
  }, EVERY);
  return () => {
    clearInterval(timer);
    document.removeEventListener('pointerdown', wake);
    document.removeEventListener('keydown', wake);
    source.disconnect();
    own.stop();
    void context.close().catch(() => undefined);
  };
}

/** Loudness of samples in [-1, 1] on a scale that looks even to the ear: -60 dB and less is 0, full scale is 1. */
export function loudness(samples: ArrayLike<number>): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += (samples[i] ?? 0) ** 2;
  const decibels = 10 * Math.log10(energy / Math.max(samples.length, 1) + 1e-12);
  return Math.min(Math.max(1 + decibels / 60, 0), 1);
}
