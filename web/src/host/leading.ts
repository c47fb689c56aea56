import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { pause } from '../app/retry';
import type { CallProps } from '../app/screen';
import type { Toasts } from '../call/toasts';
import { t } from '../i18n';
import { Host, moderates } from './host';

/** What it needs to know of the call. */
export interface Around {
  props: Pick<CallProps, 'admission' | 'rejoin'>;
  /** Whether the service says that this person moderates; null before it has said anything. */
  told: ReadonlySignal<boolean | null>;
  toasts: Toasts;
  speaker: () => string | null;
}

/**
 * Whether this person runs the call, as it is now: whoever is made a host or a delegate during the call has what
 * hosts have from then on, and whoever is one no more loses it.
 */
export class Leading {
  readonly host = signal<Host | null>(null);

  #around: Around;
  #stop: () => void = () => undefined;
  #next: ReturnType<typeof setTimeout> | undefined;
  #asking = 0;

  constructor(around: Around) {
    this.#around = around;
    if (moderates(around.props.admission.role)) this.host.value = this.#hostWith(around.props.admission);
  }

  start(): void {
    this.host.peek()?.start();
    this.#stop = effect(() => {
      const told = this.#around.told.value;
      if (told === true && !this.host.peek()) void this.#begin(0);
      if (told === false) this.#end();
    });
  }

  close(): void {
    this.#stop();
    this.#forget();
  }

  /** Asks the door for a token of the new role, for as long as the service says that there is one. */
  async #begin(failures: number): Promise<void> {
    const turn = ++this.#asking;
    const outcome = await this.#around.props.rejoin();
    if (turn !== this.#asking) return;
    if (!outcome.ok || !moderates(outcome.value.role)) {
      this.#next = setTimeout(() => void this.#begin(failures + 1), pause(failures, Math.random()));
      return;
    }
    const host = this.#hostWith(outcome.value);
    this.host.value = host;
    host.start();
    this.#around.toasts.say(t('host.promoted'));
  }

  #end(): void {
    const was = this.host.peek();
    this.#forget();
    if (was) this.#around.toasts.say(t('host.demoted'));
  }

  #forget(): void {
    this.#asking++;
    clearTimeout(this.#next);
    this.host.peek()?.close();
    this.host.value = null;
  }

  #hostWith(admission: CallProps['admission']): Host {
    const { props, toasts, speaker } = this.#around;
    return new Host({ admission, rejoin: props.rejoin }, toasts, speaker);
  }
}
