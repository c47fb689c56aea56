import { effect, signal } from '@preact/signals';
import { type Level, watchLevel } from '../devices/level';
import type { OwnMedia } from './own-media';

/** A voice near the microphone; well above what comes from the loudspeaker or a neighbour. */
const TALK = 0.55;

/** Readings in a row that make it speech and not a cough: half a second. */
const ENOUGH = 8;

/** Told once, a person is left in peace this long, in milliseconds. */
const PEACE = 30_000;

/** Calls back when someone speaks into a muted microphone, until the returned function is called. */
export function watchMutedTalk(media: OwnMedia, connected: () => boolean, tell: () => void): () => void {
  const muted = signal(false);
  const stopFollowing = effect(() => {
    muted.value = connected() && !media.microphoneOn.value;
  });
  let toldAt = Number.NEGATIVE_INFINITY;
  const stopWatching = effect(() => {
    const track = media.microphone?.mediaStreamTrack;
    if (!muted.value || track?.readyState !== 'live') return undefined;
    let loud = 0;
    const stop = watchLevel(track, (level: Level) => {
      loud = level !== null && level > TALK ? loud + 1 : 0;
      if (loud < ENOUGH || performance.now() - toldAt < PEACE) return;
      toldAt = performance.now();
      tell();
    });
    return stop ?? undefined;
  });
  return () => {
    stopFollowing();
    stopWatching();
  };
}
