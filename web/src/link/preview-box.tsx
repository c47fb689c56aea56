import { CameraOff, type IconNode, Mic, MicOff, Video, VideoOff } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { LevelMeter } from '../devices/meter';
import type { Preview } from '../devices/preview';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { LONG, useLasting } from '../ui/lasting';

/** How the frame makes room: little where there is no picture to come, as much as needed for a question. */
const LOOKS = { off: '', asking: 'wordy', on: '', failed: 'low' } as const;

/** One's own picture with the two switches on it, and the level of the microphone below. */
export function PreviewBox({ preview }: { preview: Preview }) {
  const camera = preview.camera.value;
  const microphone = preview.microphone.value;
  const muted = preview.muted.value;
  const hears = microphone.is === 'on' && !muted;
  return (
    <div class="preview">
      <div class={`preview-frame ${LOOKS[camera.is]}`}>
        {camera.is === 'on' ? (
          <Mirror track={camera.track} />
        ) : (
          <div class="preview-empty">
            <Icon node={CameraOff} />
            <p role="status">
              {camera.is === 'asking' ? <Question both={microphone.is === 'asking'} /> : t('link.camera-off')}
            </p>
          </div>
        )}
        <div class="preview-switches">
          <Switch
            on={hears}
            icons={[Mic, MicOff]}
            word={t('bar.microphone')}
            name={hears ? t('devices.microphone-off') : t('devices.microphone-on')}
            onPress={() => (hears ? preview.turnOff('microphone') : void preview.unmute())}
          />
          <Switch
            on={camera.is === 'on'}
            icons={[Video, VideoOff]}
            word={t('bar.camera')}
            name={camera.is === 'on' ? t('devices.camera-off') : t('devices.camera-on')}
            onPress={() => (camera.is === 'on' ? preview.turnOff('camera') : void preview.turnOn('camera'))}
          />
        </div>
      </div>
      <LevelMeter track={microphone.is === 'on' ? microphone.track : null} muted={muted} />
    </div>
  );
}

/** What the browser asks; some hide the question in a corner, or behind another window. */
function Question({ both }: { both: boolean }) {
  const unseen = useLasting(LONG);
  return (
    <>
      {both ? t('devices.asking') : t('devices.asking-camera')}
      {unseen && <strong> {t('devices.asking-unseen')}</strong>}
    </>
  );
}

interface SwitchProps {
  on: boolean;
  icons: [IconNode, IconNode];
  word: string;
  name: string;
  onPress: () => void;
}

/** The visible word starts the spoken name too, so that people who steer by voice can say what they read. */
function Switch({ on, icons, word, name, onPress }: SwitchProps) {
  return (
    <button type="button" class={`switch ${on ? 'on' : 'off'}`} title={name} onClick={onPress}>
      <Icon node={icons[on ? 0 : 1]} />
      <span>
        {word}
        <span class="unseen"> : {name}</span>
      </span>
    </button>
  );
}

function Mirror({ track }: { track: MediaStreamTrack }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    element.srcObject = new MediaStream([track]);
    void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return <video ref={video} class="mirror" muted autoPlay playsInline aria-label={t('link.preview')} />;
}
