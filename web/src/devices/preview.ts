import { type Signal, signal } from '@preact/signals';
import { type Capture, constraintsFor, deviceOf } from './capture';
import { preferDevice, preferredDevice, refreshDevices } from './list';
import { type What, type Why, whyOf } from './trouble';

/** Where one capture stands. */
export type CaptureState =
  | { is: 'off' }
  | { is: 'asking' }
  | { is: 'on'; track: MediaStreamTrack }
  | { is: 'failed'; why: Why };

/** What a person takes along into the call: live tracks, so that the browser need not ask again. */
export interface Luggage {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  /** Whether the microphone starts muted. */
  muted: boolean;
  speakerId: string | null;
  /** Says who takes what the browser grants only after the person has gone in. */
  onLate: (take: Taker) => void;
}

/** Takes over one live track. */
export type Taker = (capture: Capture, track: MediaStreamTrack) => void;

/** In the order in which they are asked for: nobody is heard without a microphone. */
const CAPTURES = ['microphone', 'camera'] as const;

/** The captures before the call: one camera and one microphone, asked for, shown, switched and handed over. */
export class Preview {
  readonly camera: Signal<CaptureState> = signal({ is: 'off' });
  readonly microphone: Signal<CaptureState> = signal({ is: 'off' });
  readonly muted = signal(false);
  readonly speakerId = signal<string | null>(null);
  /** Another screen goes on with it, so the one that made it must not close it. */
  movedOn = false;

  readonly #captures: readonly Capture[];
  #closed = false;
  #late: Taker = (_capture, track) => track.stop();

  /** With `audioOnly` the camera is never asked for. */
  constructor(readonly audioOnly = false) {
    this.#captures = audioOnly ? ['microphone'] : CAPTURES;
  }

  /** Asks for all at once, so that the browser puts one question and not two. */
  async start(): Promise<void> {
    await refreshDevices();
    this.speakerId.value = preferredDevice('audiooutput');
    for (const capture of this.#captures) {
      this.#stop(capture);
      this[capture].value = { is: 'asking' };
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: constraintsFor('microphone', preferredDevice('audioinput')),
        ...(this.audioOnly ? {} : { video: constraintsFor('camera', preferredDevice('videoinput')) }),
      });
      if (!this.audioOnly) this.#take('camera', stream.getVideoTracks()[0]);
      this.#take('microphone', stream.getAudioTracks()[0]);
    } catch (error) {
      await this.#startApart(whyOf(error));
    }
    await refreshDevices();
  }

  /** Asks again for what failed; what works, and whether the person is muted, stays as it is. */
  async retry(): Promise<void> {
    const failed = this.#captures.filter((capture) => this[capture].value.is === 'failed');
    if (failed.length === this.#captures.length) return this.start();
    for (const capture of failed) await this.turnOn(capture);
  }

  /** Has the person heard from now on, opening the microphone if there is none yet. */
  async unmute(): Promise<void> {
    this.#mute(false);
    await this.turnOn('microphone');
  }

  /** Opens one capture, or another device for it; a muted microphone stays muted. */
  async turnOn(capture: Capture, deviceId: string | null = null): Promise<void> {
    const state = this[capture];
    if (state.value.is === 'asking' || (state.value.is === 'on' && deviceId === null)) return;
    this.#stop(capture);
    state.value = { is: 'asking' };
    const kind = capture === 'camera' ? 'videoinput' : 'audioinput';
    const constraints = constraintsFor(capture, deviceId ?? preferredDevice(kind));
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
        capture === 'camera' ? { video: constraints } : { audio: constraints },
      );
      this.#take(capture, stream.getTracks()[0]);
      if (deviceId !== null) preferDevice(kind, deviceId);
    } catch (error) {
      state.value = { is: 'failed', why: whyOf(error) };
    }
    await refreshDevices();
  }

  /** Turns one capture off: the camera is let go (its light goes out), the microphone only falls silent. */
  turnOff(capture: Capture): void {
    if (capture === 'microphone') {
      this.#mute(true);
      return;
    }
    this.#stop('camera');
    this.camera.value = { is: 'off' };
  }

  chooseSpeaker(id: string): void {
    this.speakerId.value = id;
    preferDevice('audiooutput', id);
  }

  /** Hands the live tracks over; from then on they belong to the call. */
  handOver(): Luggage {
    const luggage: Luggage = {
      camera: this.camera.value.is === 'on' ? this.camera.value.track : null,
      microphone: this.microphone.value.is === 'on' ? this.microphone.value.track : null,
      muted: this.muted.value,
      speakerId: this.speakerId.value,
      onLate: (take) => {
        this.#late = take;
      },
    };
    this.#closed = true;
    for (const track of [luggage.camera, luggage.microphone]) if (track) track.onended = null;
    return luggage;
  }

  /** Lets everything go, unless it was handed over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop('camera');
    this.#stop('microphone');
  }

  /** After a joint question failed: one at a time, but never a second question about what was just refused. */
  async #startApart(why: Why): Promise<void> {
    for (const capture of this.#captures) {
      const askAlone = why !== 'refused' || (await isGranted(capture));
      if (askAlone) {
        this[capture].value = { is: 'off' };
        await this.turnOn(capture);
      } else {
        this[capture].value = { is: 'failed', why };
      }
    }
  }

  #take(capture: Capture, track: MediaStreamTrack | undefined): void {
    if (!track) {
      this[capture].value = { is: 'failed', why: 'missing' };
      return;
    }
    if (this.#closed) {
      this.#late(capture, track);
      return;
    }
    if (capture === 'microphone') track.enabled = !this.muted.value;
    track.onended = () => {
      this[capture].value = { is: 'failed', why: 'failed' };
      void refreshDevices();
    };
    this[capture].value = { is: 'on', track };
  }

  #mute(muted: boolean): void {
    this.muted.value = muted;
    const state = this.microphone.value;
    if (state.is === 'on') state.track.enabled = !muted;
  }

  #stop(capture: Capture): void {
    const state = this[capture].value;
    if (state.is !== 'on') return;
    state.track.onended = null;
    state.track.stop();
  }
}

/** What failed for one reason, to be said once; null when nothing did. */
export function troubleOf(camera: CaptureState, microphone: CaptureState): { what: What; why: Why } | null {
  if (camera.is === 'failed' && microphone.is === 'failed') {
    return { what: camera.why === microphone.why ? 'both' : 'microphone', why: microphone.why };
  }
  if (microphone.is === 'failed') return { what: 'microphone', why: microphone.why };
  if (camera.is === 'failed') return { what: 'camera', why: camera.why };
  return null;
}

/** The id of the device in use, or null. */
export function deviceInUse(state: CaptureState): string | null {
  return state.is === 'on' ? deviceOf(state.track) : null;
}

async function isGranted(capture: Capture): Promise<boolean> {
  try {
    // Firefox before 131 and Safari before 16 know neither name; they land in the catch.
    const status = await navigator.permissions.query({ name: capture as PermissionName });
    return status.state === 'granted';
  } catch {
    return false;
  }
}
