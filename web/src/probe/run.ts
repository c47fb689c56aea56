import { signal } from '@preact/signals';
import { type Refusal, readRefusal } from '../api/refusal';
import { Preview } from '../devices/preview';
import { abilitiesHere, obstacle } from '../devices/support';
import { type Credential, isFresh, openTest, sendResult, type Ticket } from './api';
import { browserOf } from './browser';
import { type Opening, ProbeChannel } from './channel';
import { absence, checkCamera, checkMicrophone } from './device-checks';
import { type Progress, pathId, START } from './lines';
import { measureChannel, measureHttps, measureMedia, tryPaths } from './measurements';
import type { DevicesResult, Judgement, SpeakerResult, TestResult } from './result';
import { bestOf } from './rules';
import { TestSignal } from './test-signal';
import type { Ready } from './words';

/** What the test does, or needs of the person. */
export type Stage =
  | { is: 'ready' }
  | { is: 'running'; part: 'service' | 'paths' | 'media' | 'asking' | 'devices' }
  /** Nothing was heard by the microphone: does the person want to say something again? */
  | { is: 'silent' }
  /** Three notes were played: were they heard? */
  | { is: 'speaker' }
  | { is: 'sending' }
  | { is: 'judged'; judgement: Judgement }
  /** All was measured, but the service does not have it. */
  | { is: 'unsent' }
  | { is: 'refused'; refusal: Refusal }
  | { is: 'stopped' };

/** Stages in which the service does not have the result yet. */
const UNSENT: readonly Stage['is'][] = ['running', 'silent', 'speaker', 'sending', 'unsent'];

/** One connection test, from the button to the verdict. */
export class TestRun {
  readonly stage = signal<Stage>({ is: 'ready' });
  readonly progress = signal<Progress>(START);

  /** The camera and the microphone that are tried: those that are open already, or the test's own. */
  readonly captures: Preview;

  /** Leave to do it, null before there is any; names the test for whoever looks it up in the room API. */
  ticket: Ticket | null = null;

  #credential: Credential;
  readonly #given: Preview | null;
  #source = new TestSignal();
  #stop = new AbortController();
  #channel: ProbeChannel | null = null;
  #skip: () => void = () => undefined;
  #answer: (heard: SpeakerResult) => void = () => undefined;
  #speakAgain: (again: boolean) => void = () => undefined;

  /**
   * Captures that are given belong to who gives them; without them the test opens its own, and lets them go.
   *
   * @param earlier the ticket of a test that is done once more
   */
  constructor(credential: Credential, captures: Preview | null, earlier: Ticket | null = null) {
    this.#credential = credential;
    this.#given = captures;
    this.ticket = earlier && isFresh(earlier) ? earlier : null;
    this.captures = captures ?? new Preview();
  }

  /** Tries everything, and hands the result in. To be called while the person presses a button. */
  async start(): Promise<void> {
    // Touched first: browsers let a tone sound only while a button is being pressed.
    void this.#source.audio;
    window.addEventListener('pagehide', this.#onHide);
    const webrtc = obstacle(abilitiesHere()) === null;
    this.#found({ browser: browserOf(navigator.userAgent, navigator.maxTouchPoints, webrtc) });
    const ready = await this.#reachService();
    if (ready && webrtc) await this.#tryMedia(ready);
    this.#channel?.close();
    this.#source.close();
    if (this.#over) return;
    if (webrtc) await this.#checkDevices();
    if (this.#over) return;
    this.progress.value = { ...this.progress.value, running: [], over: true };
    await this.handIn();
  }

  /** Hands the result in, again where it failed before. */
  async handIn(): Promise<void> {
    if (!this.ticket || this.#stop.signal.aborted) return;
    this.stage.value = { is: 'sending' };
    const outcome = await sendResult(this.ticket.token, this.progress.value.result);
    if (this.#stop.signal.aborted) return;
    this.stage.value = outcome.ok ? { is: 'judged', judgement: outcome.value } : { is: 'unsent' };
  }

  /** Goes on without camera and microphone, when the browser's question is not answered. */
  skipDevices(): void {
    this.#skip();
  }

  /** Whether the microphone that heard nothing is to be tried once more: five seconds are short for who reads first. */
  answerSilence(again: boolean): void {
    this.#speakAgain(again);
  }

  /** What the person says about the three notes. */
  answerSpeaker(heard: SpeakerResult): void {
    this.#answer(heard);
  }

  /** Ends the test wherever it is; what was measured is handed in, since half a result says something too. */
  stop(): void {
    if (this.#stop.signal.aborted) return;
    window.removeEventListener('pagehide', this.#onHide);
    this.#stop.abort();
    this.#channel?.close();
    this.#source.close();
    this.#skip();
    this.#letGo();
    const { is } = this.stage.value;
    const unsent = UNSENT.includes(is);
    if (unsent) this.stage.value = { is: 'stopped' };
    const { result } = this.progress.value;
    if (unsent && this.ticket && (result.paths?.length ?? 0) > 0) {
      void sendResult(this.ticket.token, result, { last: true });
    }
  }

  readonly #onHide = () => this.stop();

  /** Whether nothing more is to be tried. */
  get #over(): boolean {
    return this.#stop.signal.aborted || this.stage.value.is === 'refused';
  }

  /** Opens the test and its channel; null where the channel does not come about. */
  async #reachService(): Promise<Ready | null> {
    this.#begin('service', 'signalling');
    if (!this.ticket) {
      const opened = await openTest(this.#credential);
      if (this.#over) return null;
      if (!opened.ok) return this.#refuse(opened.refusal);
      this.ticket = opened.value;
    }
    const https = await measureHttps();
    if (this.#over) return null;
    const channel = new ProbeChannel(this.ticket.wsUrl);
    this.#channel = channel;
    const opening = await channel.hello(this.ticket.token);
    if (this.#over) return null;
    if (opening.is === 'refused') return this.#refuse(refusalOf(opening));
    if (opening.is === 'unreachable') {
      this.#found({ signalling: { https_rtt_ms: https, wss: false, wss_rtt_ms: null, proxied: null } });
      return null;
    }
    const reached = await measureChannel(channel);
    this.#found({ signalling: { https_rtt_ms: https, ...reached, proxied: opening.ready.proxied } });
    return opening.ready;
  }

  async #tryMedia({ paths, kilobits }: Ready): Promise<void> {
    const channel = this.#channel;
    if (!channel || this.#over) return;
    this.#begin('paths');
    this.progress.value = { ...this.progress.value, paths, outcomes: paths.map(() => null) };
    await tryPaths(channel, paths, this.#source, this.#stop.signal, {
      begins: (index) => this.#mark(pathId(index), true),
      ends: (index, outcome) => {
        const outcomes = this.progress.value.outcomes.map((old, at) => (at === index ? outcome : old));
        this.progress.value = { ...this.progress.value, outcomes };
        this.#found({ paths: outcomes.flatMap((known) => known ?? []) });
        this.#mark(pathId(index), false);
      },
    });
    const tried = this.progress.value.outcomes;
    const best = bestOf(tried.flatMap((known) => known ?? []));
    const path = best && paths[tried.indexOf(best)];
    if (!path || this.#over) return;
    this.#begin('media', 'media');
    // What cannot be measured is left out of the result, which is then one of a test that was not finished.
    const media = await measureMedia(channel, path, kilobits, this.#source, this.#stop.signal).catch(
      () => null,
    );
    if (media) this.#found({ media });
  }

  async #checkDevices(): Promise<void> {
    const { captures } = this;
    const skipped = new AbortController();
    const skipping = new Promise<void>((resolve) => {
      this.#skip = () => {
        skipped.abort();
        this.#answer('skipped');
        this.#speakAgain(false);
        resolve();
      };
    });
    this.#begin('asking', 'microphone', 'camera');
    const asked = this.#given ? settled(captures, skipped.signal) : captures.start();
    await Promise.race([asked, skipping]);
    if (this.#over) return;
    this.#begin('devices', 'microphone', 'camera');
    const microphone = captures.microphone.value;
    const camera = captures.camera.value;
    const devices: DevicesResult = { microphone: 'skipped', camera: 'skipped', speaker: 'skipped' };
    [devices.microphone, devices.camera] = await Promise.all([
      microphone.is === 'on'
        ? checkMicrophone(microphone.track, skipped.signal)
        : (absence(microphone) ?? 'skipped'),
      camera.is === 'on' ? checkCamera(camera.track, skipped.signal) : (absence(camera) ?? 'skipped'),
    ]);
    this.#found({ devices: { ...devices } });
    while (devices.microphone === 'silent' && microphone.is === 'on' && (await this.#wantsAnotherTry())) {
      this.#begin('devices', 'microphone');
      devices.microphone = await checkMicrophone(microphone.track, skipped.signal);
    }
    if (this.#over) return;
    this.#found({ devices: { ...devices } });
    const answered = new Promise<SpeakerResult>((resolve) => {
      this.#answer = resolve;
    });
    this.#begin('devices', 'speaker');
    this.stage.value = { is: 'speaker' };
    this.#letGo();
    this.#found({ devices: { ...devices, speaker: await answered } });
  }

  #wantsAnotherTry(): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    this.stage.value = { is: 'silent' };
    return new Promise((resolve) => {
      this.#speakAgain = resolve;
    });
  }

  #letGo(): void {
    if (!this.#given) this.captures.close();
  }

  #refuse(refusal: Refusal): null {
    this.stage.value = { is: 'refused', refusal };
    return null;
  }

  #begin(part: Extract<Stage, { is: 'running' }>['part'], ...running: string[]): void {
    if (this.#over) return;
    this.stage.value = { is: 'running', part };
    this.progress.value = { ...this.progress.value, running };
  }

  #mark(id: string, running: boolean): void {
    const others = this.progress.value.running.filter((other) => other !== id);
    this.progress.value = { ...this.progress.value, running: running ? [...others, id] : others };
  }

  #found(part: Partial<TestResult>): void {
    const result = { ...this.progress.value.result, ...part };
    this.progress.value = { ...this.progress.value, result };
  }
}

/** Refusals of the channel have the names of those of the door. */
function refusalOf({ code, retryAfter }: Extract<Opening, { is: 'refused' }>): Refusal {
  return { ...readRefusal(0, { code }, null), retryAfter };
}

/** Resolves when the browser's question, which somebody else put, is answered. */
function settled(captures: Preview, stop: AbortSignal): Promise<void> {
  const asks = () => captures.microphone.value.is === 'asking' || captures.camera.value.is === 'asking';
  if (!asks()) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (asks() && !stop.aborted) return;
      clearInterval(timer);
      resolve();
    }, 200);
  });
}
