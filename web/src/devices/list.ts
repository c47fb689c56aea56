import { signal } from '@preact/signals';
import { recall, remember } from '../app/memory';

/** A device as a person chooses it. */
export interface Device {
  id: string;
  /** The browser's own name for it; empty before it allowed any capture. */
  label: string;
}

/** The kinds that a person chooses from, as browsers call them. */
export type DeviceKind = 'videoinput' | 'audioinput' | 'audiooutput';

/** Devices of each kind; empty lists before the browser tells. */
export type Devices = Readonly<Record<DeviceKind, readonly Device[]>>;

/** What is plugged in now; kept true by `watchDevices`. */
export const devices = signal<Devices>({ videoinput: [], audioinput: [], audiooutput: [] });

/** Reads the list again: after the first permission, since names are hidden before it. */
export async function refreshDevices(): Promise<void> {
  try {
    devices.value = sortDevices(await navigator.mediaDevices.enumerateDevices());
  } catch {
    // Without a list the person uses what the browser picked.
  }
}

/** Keeps the list true until the returned function is called. */
export function watchDevices(): () => void {
  const media = navigator.mediaDevices;
  const refresh = () => void refreshDevices();
  media?.addEventListener?.('devicechange', refresh);
  refresh();
  return () => media?.removeEventListener?.('devicechange', refresh);
}

/** Groups devices by kind, leaving out those that browsers list without an id before permission. */
export function sortDevices(infos: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): Devices {
  const of = (kind: DeviceKind) =>
    infos
      .filter((info) => info.kind === kind && info.deviceId !== '')
      .map((info) => ({ id: info.deviceId, label: info.label }));
  return { videoinput: of('videoinput'), audioinput: of('audioinput'), audiooutput: of('audiooutput') };
}

/** The device of this kind that was chosen last on this machine and is plugged in, or null. */
export function preferredDevice(kind: DeviceKind): string | null {
  const id = recall(`device.${kind}`);
  const listed = devices.value[kind];
  return id !== null && listed.some((device) => device.id === id) ? id : null;
}

/** Keeps a choice for the next call on this machine. */
export function preferDevice(kind: DeviceKind, id: string): void {
  remember(`device.${kind}`, id);
}
