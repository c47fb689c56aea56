import { signal } from '@preact/signals';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { NO_TIMES, type Refusal, readRefusal } from '../api/refusal';
import { pause, planAfter } from '../app/retry';
import { WaitingSocket } from './socket';
import { type Place, readWord, type Word } from './words';

/** Where the connection to the waiting room stands. */
export type LineState = 'connecting' | 'waiting' | 'lost' | 'admitted';

/** How waiting ends without the call: turned away for a reason, gone, or the same link opened elsewhere too often. */
export type WaitingEnd = { how: 'refused'; refusal: Refusal } | { how: 'gave-up' } | { how: 'elsewhere' };

/** What the line needs of the page. */
export interface Around {
  /** Leave to wait: the token and where to connect. */
  admission: Admission;
  /** Asks the door again, which has a fresh token or says why there is none. */
  rejoin: () => Promise<Outcome<Admission>>;
  onAdmitted: (admission: Admission) => void;
  onEnd: (end: WaitingEnd) => void;
}

/** How long a line must stand before its loss counts as the first again. */
const STABLE = 10_000;

/**
 * One person's wait, from the door to the call, through any number of lost lines.
 *
 * The place in the queue is kept by the service; every new connection asks the door first, so that an admission
 * that came while the line was lost, or the end of the call, is found there.
 */
export class WaitingLine {
  readonly state = signal<LineState>('connecting');
  readonly place = signal<Place | null>(null);

  #around: Around;
  #admission: Admission;
  #socket = new WaitingSocket<Word>({
    read: readWord,
    word: (word) => this.#hear(word),
    lost: () => this.#lost(null),
  });
  #over = false;
  #failures = 0;
  #next: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(around: Around) {
    this.#around = around;
    this.#admission = around.admission;
  }

  /** Connects, and keeps trying until the person is let in, turned away or leaves. */
  start(): void {
    window.addEventListener('online', this.#tryNow);
    document.addEventListener('visibilitychange', this.#tryNow);
    this.#connect();
  }

  /** Gives the place up. */
  leave(): void {
    if (this.#over) return;
    this.#socket.say({ type: 'leave' });
    this.#finish({ how: 'gave-up' });
  }

  #connect(): void {
    if (!this.#over) this.#socket.open(this.#admission);
  }

  #hear(word: Word): void {
    switch (word.type) {
      case 'token':
        this.#admission = { ...this.#admission, token: word.token };
        break;
      case 'waiting':
        this.place.value = word.place;
        this.state.value = 'waiting';
        break;
      case 'admitted':
        this.#letIn({ ...this.#admission, token: word.token, wait: false });
        break;
      case 'denied':
        this.#refuse({ code: 'denied', times: NO_TIMES, retryAfter: null });
        break;
      case 'replaced':
        this.#finish({ how: 'elsewhere' });
        break;
      case 'again':
        this.#lost(word.retryAfter);
        break;
      case 'closed':
        // The door knows more: when it was, or when it opens.
        this.#lost(0);
        break;
      case 'refused':
        this.#turnedAway(word.code, word.retryAfter);
        break;
    }
  }

  #turnedAway(code: string, retryAfter: number | null): void {
    // A token may have run out while the line was lost; the door gives another, or the last word.
    if (code === 'unauthenticated') {
      this.#lost(0);
      return;
    }
    const refusal = { ...readRefusal(0, { code }, null), retryAfter };
    if (planAfter(refusal, 0, Date.now(), 0).kind === 'final') this.#refuse(refusal);
    else this.#lost(retryAfter);
  }

  /** Comes back after a pause; `wait` is what the service asks for, in milliseconds. */
  #lost(wait: number | null): void {
    if (this.#over) return;
    this.#socket.drop();
    if (Date.now() - this.#socket.standingSince > STABLE) this.#failures = 0;
    this.state.value = 'lost';
    const spread = Math.random();
    this.#return(wait === null || this.#failures > 0 ? pause(this.#failures, spread) : wait + spread * 1000);
    this.#failures++;
  }

  #return(milliseconds: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => void this.#askTheDoor(), milliseconds);
  }

  async #askTheDoor(): Promise<void> {
    if (this.#asking || this.#over) return;
    this.#asking = true;
    clearTimeout(this.#next);
    const outcome = await this.#around.rejoin();
    this.#asking = false;
    if (this.#over) return;
    if (outcome.ok) {
      this.#admission = outcome.value;
      if (outcome.value.wait) this.#connect();
      else this.#letIn(outcome.value);
      return;
    }
    const plan = planAfter(outcome.refusal, this.#failures, Date.now(), Math.random());
    if (plan.kind === 'final' || outcome.refusal.code === 'too-early') {
      this.#refuse(outcome.refusal);
      return;
    }
    this.#failures++;
    this.#return(plan.milliseconds);
  }

  #letIn(admission: Admission): void {
    if (this.#over) return;
    this.state.value = 'admitted';
    this.#stop();
    this.#around.onAdmitted(admission);
  }

  #refuse(refusal: Refusal): void {
    this.#finish({ how: 'refused', refusal });
  }

  #finish(end: WaitingEnd): void {
    if (this.#over) return;
    this.#stop();
    this.#around.onEnd(end);
  }

  #stop(): void {
    this.#over = true;
    this.#socket.drop();
    clearTimeout(this.#next);
    window.removeEventListener('online', this.#tryNow);
    document.removeEventListener('visibilitychange', this.#tryNow);
  }

  /** Ends a pause between two tries: the network is back, or the phone was unlocked. */
  readonly #tryNow = () => {
    if (document.visibilityState === 'visible' && this.state.value === 'lost') void this.#askTheDoor();
  };
}
