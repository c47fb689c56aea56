import { useState } from 'preact/hooks';
import { canChooseSpeaker } from '../devices/chime';
import { DeviceChoice } from '../devices/choice';
import { type DeviceKind, devices } from '../devices/list';
import { LevelMeter } from '../devices/meter';
import { SpeakerTest } from '../devices/speaker-test';
import { troubleWords } from '../devices/words';
import { EndDialog, RemoveDialog } from '../host/dialogs';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { KEYS } from './shortcuts';
import { useCall } from './view';

/** The windows over the call: devices, second camera, shortcuts. */
export function Dialogs() {
  const view = useCall();
  const close = () => {
    view.overlay.value = null;
  };
  switch (view.overlay.value) {
    case 'settings':
      return <DeviceDialog onClose={close} />;
    case 'second-camera':
      return <SecondCameraDialog onClose={close} />;
    case 'shortcuts':
      return <ShortcutsDialog onClose={close} />;
    case 'remove':
      return view.host && <RemoveDialog host={view.host} onClose={close} />;
    case 'end':
      return view.host && <EndDialog host={view.host} onClose={close} />;
    case null:
      return null;
  }
}

function DeviceDialog({ onClose }: { onClose: () => void }) {
  const view = useCall();
  const { media } = view.session;
  const rights = view.session.rights.value;
  const [, redraw] = useState(0);
  const choose = (kind: DeviceKind) => (id: string) => {
    media
      .choose(kind, id)
      .catch((error: unknown) =>
        view.session.toasts.say(
          troubleWords(kind === 'videoinput' ? 'camera' : 'microphone', error),
          'error',
        ),
      )
      .finally(() => redraw((times) => times + 1));
  };
  const microphone = media.microphone?.mediaStreamTrack ?? null;
  return (
    <Dialog title={t('settings.title')} onClose={onClose}>
      {rights.camera && (
        <DeviceChoice
          kind="videoinput"
          chosen={media.deviceInUse('videoinput')}
          onChoose={choose('videoinput')}
        />
      )}
      {rights.microphone && (
        <>
          <DeviceChoice
            kind="audioinput"
            chosen={media.deviceInUse('audioinput')}
            onChoose={choose('audioinput')}
          />
          <LevelMeter track={microphone} muted={!media.microphoneOn.value} />
        </>
      )}
      {canChooseSpeaker() ? (
        <DeviceChoice kind="audiooutput" chosen={media.speakerId.value} onChoose={choose('audiooutput')} />
      ) : (
        <p class="soft">{t('settings.speaker-fixed')}</p>
      )}
      <SpeakerTest speakerId={media.speakerId.value} />
    </Dialog>
  );
}

function SecondCameraDialog({ onClose }: { onClose: () => void }) {
  const view = useCall();
  const { media } = view.session;
  const first = media.deviceInUse('videoinput');
  const cameras = devices.value.videoinput.filter((device) => device.id !== first);
  const [chosen, choose] = useState(cameras[0]?.id ?? null);
  const start = () => {
    onClose();
    media
      .setSecondCamera(chosen)
      .catch((error: unknown) => view.session.toasts.say(troubleWords('camera', error), 'error'));
  };
  return (
    <Dialog title={t('second.title')} onClose={onClose}>
      <p>{t('second.text')}</p>
      {cameras.length === 0 ? (
        <p>
          <strong>{t('second.none')}</strong>
        </p>
      ) : (
        <>
          <DeviceChoice kind="videoinput" chosen={chosen} onChoose={choose} except={first} />
          <Button look="main" onClick={start}>
            {t('second.start')}
          </Button>
        </>
      )}
    </Dialog>
  );
}

const ACTIONS = ['microphone', 'camera', 'share', 'hand', 'chat', 'close'] as const;

function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const view = useCall();
  return (
    <Dialog title={t('shortcuts.title')} onClose={onClose}>
      <dl class="shortcuts">
        {ACTIONS.map((action) => (
          <div key={action}>
            <dt>
              <kbd>{action === 'close' ? t('shortcuts.escape') : KEYS[action]}</kbd>
            </dt>
            <dd>{t(`shortcuts.${action}`)}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={view.letters.value}
          onChange={(event) => view.setLetters(event.currentTarget.checked)}
        />
        <span>{t('shortcuts.use')}</span>
      </label>
    </Dialog>
  );
}
