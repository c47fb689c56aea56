import { computed, effect, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { recall, remember } from '../app/memory';
import type { CallProps, Visit } from '../app/screen';
import { whyOf } from '../devices/trouble';
import { troubleWords } from '../devices/words';
import type { Host } from '../host/host';
import { Leading } from '../host/leading';
import { t } from '../i18n';
import type { Corner } from './corner';
import { arrange, type LayoutChoice, tilesOf } from './model';
import { watchMutedTalk } from './muted-talk';
import { QualityMonitor } from './quality-monitor';
import { CallSession } from './session';
import type { Action } from './shortcuts';

/** What lies beside the faces. */
export type Panel = 'chat' | 'people' | 'host';

/** What lies over them. */
export type Overlay = 'settings' | 'second-camera' | 'shortcuts' | 'remove' | 'end';

/** How this person looks at the call, and what they can do in it: the session plus everything that is only seen here. */
export class CallView {
  readonly visit: Visit;
  readonly session: CallSession;
  readonly quality: QualityMonitor;

  readonly panel = signal<Panel | null>(null);
  readonly overlay = signal<Overlay | null>(null);
  readonly menuOpen = signal(false);
  readonly choice = signal<LayoutChoice>('grid');
  readonly pinned = signal<string | null>(null);
  readonly selfHidden = signal(false);
  readonly corner = signal<Corner>('bottom-right');
  readonly letters = signal(recall('shortcuts') !== 'off');

  readonly tiles = computed(() => tilesOf(this.session.people.value));
  readonly arrangement = computed(() =>
    arrange(this.tiles.value, {
      choice: this.choice.value,
      pinned: this.pinned.value,
      lastSpeaker: this.session.lastSpeaker.value,
    }),
  );
  /** Whether media is cut, as far as can be told from here. */
  readonly cut = computed(() => {
    const phase = this.session.phase.value;
    return phase === 'reconnecting' || (phase === 'resuming' && this.quality.silent.value);
  });
  readonly self = computed(() => this.session.people.value.find((person) => person.self) ?? null);

  readonly #leading: Leading;
  readonly #stops: (() => void)[];

  constructor(props: CallProps) {
    this.visit = props.visit;
    this.session = new CallSession(props);
    this.quality = new QualityMonitor(this.session.room);
    this.#leading = new Leading({
      props,
      told: this.session.moderates,
      toasts: this.session.toasts,
      speaker: () => this.session.media.speakerId.value,
    });
    this.#stops = [
      watchMutedTalk(
        this.session.media,
        () => this.session.phase.value === 'connected',
        () => this.session.toasts.say(t('notice.speaking-muted'), 'warning'),
      ),
      effect(() => {
        if (!this.host) this.#putAwayHosting();
      }),
    ];
  }

  /** What a host or delegate can do beside taking part; null for everybody else. */
  get host(): Host | null {
    return this.#leading.host.value;
  }

  start(): void {
    void this.session.start();
    this.#leading.start();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#leading.close();
    this.quality.stop();
    void this.session.leave();
  }

  togglePanel(panel: Panel): void {
    this.panel.value = this.panel.value === panel ? null : panel;
  }

  togglePinned(key: string): void {
    this.pinned.value = this.pinned.value === key ? null : key;
  }

  setLetters(on: boolean): void {
    this.letters.value = on;
    remember('shortcuts', on ? null : 'off');
  }

  /** Carries out what a key or a button asks for. */
  act(action: Action): void {
    const { session } = this;
    const { media } = session;
    const may = session.rights.value;
    switch (action) {
      case 'microphone':
        if (!media.microphoneOn.value && !may.unmute) {
          session.toasts.say(t('notice.may-not-unmute'), 'warning');
          break;
        }
        this.#try('microphone', may.microphone, () => media.setMicrophone(!media.microphoneOn.value));
        break;
      case 'camera':
        if (!may.pictures) {
          session.toasts.say(t('notice.audio-only'), 'warning');
          break;
        }
        this.#try('camera', may.camera, () => media.setCamera(!media.cameraOn.value));
        break;
      case 'share':
        if (!media.screenOn.value && this.#anotherPresents()) {
          session.toasts.say(t('notice.presenting-already'), 'warning');
          break;
        }
        this.#try('screen', may.screen, () => media.setScreen(!media.screenOn.value));
        break;
      case 'hand':
        this.#try('hand', may.hand, () => session.setHand(this.self.value?.handSince == null));
        break;
      case 'chat':
        this.togglePanel('chat');
        break;
      case 'close':
        this.#closeTopmost();
        break;
    }
  }

  /** Closes what only hosts have open. */
  #putAwayHosting(): void {
    if (this.panel.peek() === 'host') this.panel.value = null;
    const overlay = this.overlay.peek();
    if (overlay === 'remove' || overlay === 'end') this.overlay.value = null;
  }

  /** Whether only one may share at a time, and somebody does whom this person cannot take over from. */
  #anotherPresents(): boolean {
    if (!this.visit.invitation.features.onePresenter || this.host !== null) return false;
    return this.session.people.value.some(
      (person) => !person.self && person.pictures.some((picture) => picture.kind === 'screen'),
    );
  }

  /** Does what is allowed, and says in plain words why something did not work. */
  #try(what: What, allowed: boolean, act: () => Promise<void>): void {
    if (!allowed) {
      this.session.toasts.say(t('notice.not-allowed'), 'warning');
      return;
    }
    act().catch((error: unknown) => {
      const words = wordsFor(error, what);
      if (words) this.session.toasts.say(words, 'error');
    });
  }

  /** Dialogs close by themselves; what remains is closed from the top down. */
  #closeTopmost(): void {
    if (this.menuOpen.value) this.menuOpen.value = false;
    else if (this.panel.value) this.panel.value = null;
    else if (this.pinned.value) this.pinned.value = null;
  }
}

type What = 'microphone' | 'camera' | 'screen' | 'hand';

function wordsFor(error: unknown, what: What): string | null {
  if (what === 'hand') return t('notice.action-failed');
  if (what !== 'screen') return troubleWords(what, error);
  switch (whyOf(error)) {
    case 'refused':
      // Closing the browser's own window of choices is no mistake.
      return null;
    case 'system':
      return t('notice.share-refused-by-system');
    default:
      return t('notice.share-failed');
  }
}

/** The view of the call that a component is part of. */
export const ViewContext = createContext<CallView | null>(null);

/** The call on screen; only for components inside it. */
export function useCall(): CallView {
  const view = useContext(ViewContext);
  if (!view) throw new Error('a part of the call was drawn outside of it');
  return view;
}
