import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { type Level, VOICE, watchLevel } from './level';

/** How long a voice must have been heard before the page says so, in readings. */
const ENOUGH = 4;

type Hearing = 'speak' | 'heard' | 'touch' | 'unmeasured';

/**
 * A bar that follows the microphone, and the same in words for those who cannot see it.
 *
 * The bar is moved by hand, past the rendering: fifteen times a second is too often for that.
 */
export function LevelMeter({ track, muted }: { track: MediaStreamTrack | null; muted: boolean }) {
  const bar = useRef<HTMLDivElement>(null);
  const [hearing, setHearing] = useState<Hearing>('speak');
  useEffect(() => {
    if (!track || muted) return undefined;
    let heard = 0;
    const stop = watchLevel(track, (level: Level) => {
      if (bar.current) bar.current.style.transform = `scaleX(${(level ?? 0).toFixed(2)})`;
      if (level !== null && level > VOICE) heard += 1;
      setHearing(level === null ? 'touch' : heard >= ENOUGH ? 'heard' : 'speak');
    });
    if (!stop) setHearing('unmeasured');
    return stop ?? undefined;
  }, [track, muted]);
  const live = track !== null && !muted;
  const words = !track
    ? t('devices.level-none')
    : muted
      ? t('devices.level-off')
      : t(`devices.level-${hearing}`);
  return (
    <div class="meter">
      <div class="meter-track" aria-hidden="true">
        {live && <div class="meter-bar" ref={bar} />}
      </div>
      <p role="status">
        <span class="unseen">{t('devices.level')} : </span>
        {words}
      </p>
    </div>
  );
}
