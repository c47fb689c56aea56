import { canChooseSpeaker } from '../devices/chime';
import { DeviceChoice } from '../devices/choice';
import { deviceInUse, type Preview } from '../devices/preview';
import { SpeakerTest } from '../devices/speaker-test';
import { t } from '../i18n';

/** Choice of devices and the speaker test, folded away since the browser's choice is mostly right. */
export function DeviceSettings({ preview }: { preview: Preview }) {
  return (
    <div class="link-devices">
      <SpeakerTest speakerId={preview.speakerId.value} />
      <details>
        <summary>{t(preview.audioOnly ? 'link.settings-audio-only' : 'link.settings')}</summary>
        <div class="choices">
          {!preview.audioOnly && (
            <DeviceChoice
              kind="videoinput"
              chosen={deviceInUse(preview.camera.value)}
              onChoose={(id) => void preview.turnOn('camera', id)}
            />
          )}
          <DeviceChoice
            kind="audioinput"
            chosen={deviceInUse(preview.microphone.value)}
            onChoose={(id) => void preview.turnOn('microphone', id)}
          />
          {canChooseSpeaker() && (
            <DeviceChoice
              kind="audiooutput"
              chosen={preview.speakerId.value}
              onChoose={(id) => preview.chooseSpeaker(id)}
            />
          )}
        </div>
      </details>
    </div>
  );
}
