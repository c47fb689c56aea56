import { signal } from '@preact/signals';
import { announce } from '../ui/live';
import type { Tone } from '../ui/notice';

/** A few words that pass. */
export interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

/** How long words stay, in milliseconds: enough for a slow reader, and longer for what asks for an action. */
const STAY: Record<Tone, number> = { info: 5000, warning: 12_000, error: 12_000 };

/** More than this many at once hide the faces; the oldest goes first. */
const MOST = 3;

/** Passing words over the call, said by screen readers too. */
export class Toasts {
  readonly shown = signal<readonly Toast[]>([]);
  #last = 0;

  say(text: string, tone: Tone = 'info', stay = STAY[tone]): void {
    const toast = { id: ++this.#last, tone, text };
    const others = this.shown.value.filter((other) => other.text !== text);
    this.shown.value = [...others, toast].slice(-MOST);
    announce(text, { atOnce: tone === 'error' });
    setTimeout(() => this.dismiss(toast.id), stay);
  }

  dismiss(id: number): void {
    this.shown.value = this.shown.value.filter((toast) => toast.id !== id);
  }
}
