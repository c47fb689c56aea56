import { signal } from '@preact/signals';
import {
  ConnectionState,
  createLocalAudioTrack,
  createLocalVideoTrack,
  LocalAudioTrack,
  type LocalTrack,
  LocalVideoTrack,
  type Room,
  RoomEvent,
  Track,
  VideoPresets,
} from 'livekit-client';
import { type Capture, deviceOf, soundFrom } from '../devices/capture';
import { canChooseSpeaker } from '../devices/chime';
import { preferDevice, preferredDevice } from '../devices/list';
import type { Luggage } from '../devices/preview';
import { OwnScreen } from './own-screen';
import { SECOND_CAMERA } from './snapshot';

/** What can be switched on and off. */
export type Switchable = 'microphone' | 'camera' | 'screen' | 'second';

/** What this person sends: tracks that outlive a lost connection and are published again after it. */
export class OwnMedia {
  readonly microphoneOn = signal(false);
  readonly cameraOn = signal(false);
  readonly screenOn = signal(false);
  readonly secondOn = signal(false);
  readonly speakerId = signal<string | null>(null);
  /** Switches that are being carried out; pressing again meanwhile does nothing. */
  readonly busy = signal<ReadonlySet<Switchable>>(new Set());

  #room: Room;
  #screen: OwnScreen;
  #camera: LocalVideoTrack | null = null;
  #microphone: LocalAudioTrack | null = null;
  #second: LocalVideoTrack | null = null;

  constructor(room: Room, luggage: Luggage, onScreenTaken: () => void) {
    this.#room = room;
    this.#screen = new OwnScreen(room, () => {
      this.refresh();
      onScreenTaken();
    });
    if (luggage.camera) this.#camera = new LocalVideoTrack(luggage.camera, undefined, false);
    if (luggage.microphone) this.#microphone = new LocalAudioTrack(luggage.microphone, undefined, false);
    this.#startMuted = luggage.muted;
    luggage.onLate((capture, track) => void this.#adopt(capture, track));
    this.speakerId.value = luggage.speakerId;
    const refresh = () => this.refresh();
    room.on(RoomEvent.LocalTrackPublished, refresh).on(RoomEvent.LocalTrackUnpublished, refresh);
    room.on(RoomEvent.TrackMuted, refresh).on(RoomEvent.TrackUnmuted, refresh);
  }

  /** What was chosen for captures that are off: the browser opens it only when they are turned on. */
  #chosen = signal<{ readonly videoinput?: string; readonly audioinput?: string }>({});
  #startMuted: boolean;
  #stopped = false;

  /** The camera's track, to be shown to oneself, or null while it is off. */
  get camera(): LocalVideoTrack | null {
    return this.#camera && !this.#camera.isMuted ? this.#camera : null;
  }

  /** The microphone's track, or null where none was ever opened. */
  get microphone(): LocalAudioTrack | null {
    return this.#microphone;
  }

  /**
   * Publishes what there is: once after the first connection, and again after each new one.
   *
   * Says whether a shared screen was lost meanwhile.
   */
  async publish(): Promise<{ screenLost: boolean }> {
    if (this.#startMuted && this.#microphone) await this.#microphone.mute();
    this.#startMuted = false;
    const speaker = this.speakerId.value;
    if (speaker !== null && canChooseSpeaker()) {
      await this.#room.switchActiveDevice('audiooutput', speaker).catch(() => undefined);
    }
    // One that fails (no right to publish, a device that died) must not keep the others from being sent.
    await Promise.allSettled([
      this.#microphone && this.#send(this.#microphone, Track.Source.Microphone),
      this.#camera && this.#send(this.#camera, Track.Source.Camera),
      this.#second && this.#send(this.#second, Track.Source.Camera, SECOND_CAMERA),
    ]);
    const screenLost = !(await this.#screen.sendAgain());
    this.refresh();
    return { screenLost };
  }

  async setMicrophone(on: boolean): Promise<void> {
    await this.#once('microphone', async () => {
      if (this.#microphone) await (on ? this.#microphone.unmute() : this.#microphone.mute());
      else if (on) {
        this.#microphone = await createLocalAudioTrack(soundFrom(preferredDevice('audioinput')));
        await this.#send(this.#microphone, Track.Source.Microphone);
      }
    });
  }

  async setCamera(on: boolean): Promise<void> {
    await this.#once('camera', async () => {
      if (this.#camera) await (on ? this.#camera.unmute() : this.#camera.mute());
      else if (on) {
        this.#camera = await this.#openCamera(preferredDevice('videoinput'));
        await this.#send(this.#camera, Track.Source.Camera);
      }
    });
  }

  async setScreen(on: boolean): Promise<void> {
    await this.#once('screen', async () => {
      await (on ? this.#screen.start() : this.#screen.stop());
    });
  }

  /** Shows a second camera beside the face, or with null stops showing it. */
  async setSecondCamera(deviceId: string | null): Promise<void> {
    await this.#once('second', async () => {
      if (this.#second) {
        await this.#room.localParticipant.unpublishTrack(this.#second, true);
        this.#second.stop();
        this.#second = null;
      }
      if (deviceId !== null) {
        this.#second = await this.#openCamera(deviceId);
        await this.#send(this.#second, Track.Source.Camera, SECOND_CAMERA);
      }
    });
  }

  /** Uses another device from now on; a camera or microphone that is off stays off. */
  async choose(kind: 'videoinput' | 'audioinput' | 'audiooutput', id: string): Promise<void> {
    if (kind === 'audiooutput') {
      await this.#room.switchActiveDevice('audiooutput', id);
      this.speakerId.value = id;
    } else {
      await (kind === 'videoinput' ? this.#camera : this.#microphone)?.setDeviceId({ exact: id });
      this.#chosen.value = { ...this.#chosen.value, [kind]: id };
    }
    preferDevice(kind, id);
    this.refresh();
  }

  /** The id of the device in use for a kind, or of the one that will be when it is turned on; null for none. */
  deviceInUse(kind: 'videoinput' | 'audioinput'): string | null {
    const track = kind === 'videoinput' ? this.#camera : this.#microphone;
    const chosen = this.#chosen.value[kind] ?? null;
    if (!track || track.isMuted) return chosen ?? (track && deviceOf(track.mediaStreamTrack));
    return deviceOf(track.mediaStreamTrack);
  }

  /** Lets go of what this person may not send any more; the service has ended it already. */
  letGo(what: 'camera' | 'microphone' | 'screen'): void {
    if (what === 'camera') {
      for (const track of [this.#camera, this.#second]) track?.stop();
      this.#camera = this.#second = null;
    } else if (what === 'microphone') {
      this.#microphone?.stop();
      this.#microphone = null;
    } else {
      void this.#screen.stop().catch(() => undefined);
    }
    this.refresh();
  }

  /** Lets every device go: lights out. */
  stop(): void {
    this.#stopped = true;
    this.#screen.close();
    for (const track of [this.#camera, this.#microphone, this.#second]) track?.stop();
  }

  refresh(): void {
    this.microphoneOn.value = this.#microphone !== null && !this.#microphone.isMuted;
    this.cameraOn.value = this.#camera !== null && !this.#camera.isMuted;
    // While it starts or stops the switch does nothing, and a button that offers to stop it would lie.
    this.screenOn.value = this.#screen.on && !this.busy.value.has('screen');
    this.secondOn.value = this.#second !== null;
  }

  /** The person answered the browser's question only after they had gone in. */
  async #adopt(capture: Capture, track: MediaStreamTrack): Promise<void> {
    if (this.#stopped || (capture === 'camera' ? this.#camera : this.#microphone)) {
      track.stop();
      return;
    }
    if (capture === 'camera') this.#camera = new LocalVideoTrack(track, undefined, false);
    else this.#microphone = new LocalAudioTrack(track, undefined, false);
    if (this.#room.state === ConnectionState.Connected) await this.publish();
    this.refresh();
  }

  async #openCamera(deviceId: string | null): Promise<LocalVideoTrack> {
    return createLocalVideoTrack({
      resolution: VideoPresets.h720.resolution,
      ...(deviceId === null ? { facingMode: 'user' as const } : { deviceId: { exact: deviceId } }),
    });
  }

  async #send(track: LocalTrack, source: Track.Source, name?: string): Promise<void> {
    await this.#room.localParticipant.publishTrack(track, { source, ...(name ? { name } : {}) });
  }

  async #once(what: Switchable, act: () => Promise<void>): Promise<void> {
    if (this.busy.value.has(what)) return;
    this.busy.value = new Set([...this.busy.value, what]);
    try {
      await act();
    } finally {
      this.busy.value = new Set([...this.busy.value].filter((other) => other !== what));
      this.refresh();
    }
  }
}
