import { effect, signal } from '@preact/signals';
import { recall, remember } from '../app/memory';
import type { Person } from '../call/model';
import type { Toasts } from '../call/toasts';
import { playChime } from '../devices/chime';
import { t } from '../i18n';
import { type HostAround, HostChannel } from './channel';
import type { Placing } from './groups';
import { newcomers } from './newcomers';
import { FREE, type Restraints, type Source } from './scene';

/** Two notes that rise: somebody is at the door. */
const KNOCK: readonly number[] = [523.25, 783.99];

/** How many people are moved at once; the service takes no more. */
const MOST_PLACED = 100;

/** Whether this role lets people in and keeps order. */
export function moderates(role: string): boolean {
  return role === 'host' || role === 'delegate';
}

/** What a host or delegate can do beside taking part: who waits, who may what, and the end. */
export class Host {
  readonly channel: HostChannel;
  readonly chime = signal(recall('chime') !== 'off');
  /** Who is about to be removed, until that is confirmed or thought better of. */
  readonly removing = signal<Person | null>(null);

  #toasts: Toasts;
  #speaker: () => string | null;
  #stop: () => void = () => undefined;

  constructor(around: HostAround, toasts: Toasts, speaker: () => string | null) {
    this.channel = new HostChannel(around);
    this.#toasts = toasts;
    this.#speaker = speaker;
  }

  start(): void {
    let known: readonly string[] = [];
    this.#stop = effect(() => {
      const scene = this.channel.scene.value;
      if (!scene) return;
      const came = newcomers(known, scene.waiting);
      known = scene.waiting.map((one) => one.identity);
      const first = came[0];
      if (!first) return;
      const name = first.name || t('call.nameless');
      this.#toasts.say(
        came.length === 1 ? t('host.knocks', { name }) : t('host.several-knock', { count: came.length }),
      );
      if (this.chime.peek()) void playChime(this.#speaker(), KNOCK).catch(() => undefined);
    });
    this.channel.start();
  }

  close(): void {
    this.#stop();
    this.channel.close();
  }

  setChime(on: boolean): void {
    this.chime.value = on;
    remember('chime', on ? null : 'off');
  }

  /** Asks for something and says in words when it did not work; tells whether it did. */
  async ask(verb: string, fields: object = {}): Promise<boolean> {
    const answer = await this.channel.ask(verb, fields);
    if (answer.ok) return true;
    this.#toasts.say(wordsFor(verb, answer.code), 'error');
    return false;
  }

  /** Has people be in groups or back in the room; stops where that did not work. */
  async place(placings: readonly Placing[]): Promise<void> {
    for (let at = 0; at < placings.length; at += MOST_PLACED) {
      if (!(await this.ask('place', { places: placings.slice(at, at + MOST_PLACED) }))) return;
    }
  }

  /** Says something to everybody, in all groups. */
  async announce(text: string): Promise<boolean> {
    const taken = await this.ask('announce', { text });
    if (taken) this.#toasts.say(t('announce.sent'));
    return taken;
  }

  /** What holds for one person. */
  restraintsOf(identity: string): Restraints {
    return this.channel.scene.value?.restrained.get(identity) ?? FREE;
  }

  /** What holds for everybody who does not moderate. */
  get forAll(): Restraints {
    return this.channel.scene.value?.forAll ?? FREE;
  }

  /** Allows or forbids a source: to one person, or with null to everybody. */
  allow(identity: string | null, source: Source, allowed: boolean): void {
    const { forbidden } = identity === null ? this.forAll : this.restraintsOf(identity);
    const others = forbidden.filter((other) => other !== source);
    void this.ask('restrain', { ...whom(identity), forbidden: allowed ? others : [...others, source] });
  }

  /** Lets people switch their microphone on again by themselves, or not. */
  allowUnmuting(identity: string | null, allowed: boolean): void {
    void this.ask('restrain', { ...whom(identity), may_unmute: allowed });
  }
}

function whom(identity: string | null): object {
  return identity === null ? {} : { identity };
}

/** Verbs about groups: what is not there any more is one of those. */
const OF_GROUPS: readonly string[] = ['place', 'close_group'];

function wordsFor(verb: string, code: string): string {
  switch (code) {
    case 'forbidden':
      return t('host.forbidden');
    case 'rate-limited':
      return t('host.too-often');
    case 'not-found':
    case 'invalid-transition':
      return t(OF_GROUPS.includes(verb) ? 'groups.gone' : 'host.gone');
    default:
      return t('notice.action-failed');
  }
}
