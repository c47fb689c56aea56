import { CameraOff, Headphones, type IconNode, Mic, MicOff, Video, VideoOff } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { LevelMeter } from '../devices/meter';
import type { Preview } from '../devices/preview';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { LONG, useLasting } from '../ui/lasting';

/** How the frame makes room: little where there is no picture to come, as much as needed for a question. */
const LOOKS = { off: '', asking: 'wordy', on: '', failed: 'low' } as const;

/** One's own picture with the two switches on it, or that none is needed, and the level of the microphone below. */
export function PreviewBox({ preview }: { preview: Preview }) {
  const camera = preview.camera.value;
  const microphone = preview.microphone.value;
  const muted = preview.muted.value;
  const hears = microphone.is === 'on' && !muted;
  return (
    <div class="preview">
      <div class={`preview-frame ${preview.audioOnly ? 'wordy low' : LOOKS[camera.is]}`}>
        {camera.is === 'on' ? (
          <Mirror track={camera.track} />
        ) : (
          <div class="preview-empty">
            <Icon node={preview.audioOnly ? Headphones : CameraOff} />
            {preview.audioOnly && <p>{t('link.audio-only')}</p>}
            <p role="status">
              <NoPicture preview={preview} />
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
          {!preview.audioOnly && (
            <Switch
              on={camera.is === 'on'}
              icons={[Video, VideoOff]}
              word={t('bar.camera')}
              name={camera.is === 'on' ? t('devices.camera-off') : t('devices.camera-on')}
              onPress={() => (camera.is === 'on' ? preview.turnOff('camera') : void preview.turnOn('camera'))}
            />
          )}
        </div>
      </div>
      <LevelMeter track={microphone.is === 'on' ? microphone.track : null} muted={muted} />
    </div>
  );
}

/** Why there is no picture: the browser still asks, or the camera is off. */
function NoPicture({ preview }: { preview: Preview }) {
  const camera = preview.camera.value.is === 'asking';
  const microphone = preview.microphone.value.is === 'asking';
  if (camera) return <Question words={t(microphone ? 'devices.asking' : 'devices.asking-camera')} />;
  if (!preview.audioOnly) return <>{t('link.camera-off')}</>;
  return microphone ? <Question words={t('devices.asking-microphone')} /> : null;
}

/** What the browser asks; some hide the question in a corner, or behind another window. */
function Question({ words }: { words: string }) {
  const unseen = useLasting(LONG);
  return (
    <>
      {words}
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

/** One's own picture, as in a mirror. */
export function Mirror({ track }: { track: MediaStreamTrack }) {
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
