import { t } from '../i18n';
import { Field } from '../ui/field';
import { type Device, type DeviceKind, devices } from './list';

const WORDS = {
  videoinput: 'devices.camera',
  audioinput: 'devices.microphone',
  audiooutput: 'devices.speaker',
} as const;

interface Props {
  kind: DeviceKind;
  /** The device in use, or null when none is. */
  chosen: string | null;
  onChoose: (id: string) => void;
  /** Devices to leave out, for instance the camera already shown. */
  except?: string | null;
}

/** The list of devices of one kind; nothing at all while there is nothing to choose from. */
export function DeviceChoice({ kind, chosen, onChoose, except = null }: Props) {
  const list = devices.value[kind].filter((device) => device.id !== except);
  if (list.length === 0) return null;
  const known = list.some((device) => device.id === chosen);
  return (
    <Field label={t(WORDS[kind])}>
      {(wiring) => (
        <select
          {...wiring}
          value={known && chosen !== null ? chosen : ''}
          onChange={(event) => {
            if (event.currentTarget.value !== '') onChoose(event.currentTarget.value);
          }}
        >
          {!known && <option value="">{kind === 'audiooutput' ? t('devices.default-speaker') : '–'}</option>}
          {list.map((device, index) => (
            <option key={device.id} value={device.id}>
              {nameOf(device, kind, index)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function nameOf(device: Device, kind: DeviceKind, index: number): string {
  return device.label || t('devices.unnamed', { kind: t(WORDS[kind]), number: index + 1 });
}
