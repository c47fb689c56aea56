import { signal } from '@preact/signals';
import type { Admission } from '../api/answers';
import type { Outcome } from '../api/join';
import { readRefusal } from '../api/refusal';
import { pause, planAfter } from '../app/retry';
import { WaitingSocket } from '../waiting/socket';
import { type HostWord, readHostWord, type Scene } from './scene';

/** How something that a host asked for went; `unreachable` when no answer came. */
export type Answer = { ok: true } | { ok: false; code: string };

/** What the channel needs of the page. */
export interface HostAround {
  admission: Admission;
  /** Asks the door for a fresh token. */
  rejoin: () => Promise<Outcome<Admission>>;
}

/** How long a host waits for an answer, in milliseconds, before being told that none came. */
const PATIENCE = 8000;

/**
 * The host's line to the service: who waits, what the rules are, and the verbs that change them.
 *
 * It stands beside the call's own line and outlives each other's losses. What was asked while it was lost is
 * answered at once as unreachable rather than done later, when the host has thought better of it.
 */
export class HostChannel {
  readonly scene = signal<Scene | null>(null);
  readonly connected = signal(false);

  #around: HostAround;
  #admission: Admission;
  #socket = new WaitingSocket<HostWord>({
    read: readHostWord,
    word: (word) => this.#hear(word),
    lost: () => this.#lost(null),
  });
  #over = false;
  #stale = false;
  #failures = 0;
  #lastId = 0;
  #waiting = new Map<number, (answer: Answer) => void>();
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(around: HostAround) {
    this.#around = around;
    this.#admission = around.admission;
  }

  /** Connects, and keeps trying for as long as the call is on screen. */
  start(): void {
    this.#connect();
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#next);
    this.#drop();
  }

  /** Asks the service to do something; the answer says whether it is done and kept. */
  ask(verb: string, fields: object = {}): Promise<Answer> {
    const id = ++this.#lastId;
    if (!this.connected.value || !this.#socket.say({ type: verb, id, ...fields })) {
      return Promise.resolve({ ok: false, code: 'unreachable' });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(id, { ok: false, code: 'unreachable' }), PATIENCE);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  #connect(): void {
    if (!this.#over) this.#socket.open(this.#admission);
  }

  #hear(word: HostWord): void {
    switch (word.type) {
      case 'people':
        this.#failures = 0;
        this.connected.value = true;
        this.scene.value = word.scene;
        break;
      case 'token':
        this.#admission = { ...this.#admission, token: word.token };
        break;
      case 'done':
        this.#answer(word.id, { ok: true });
        break;
      case 'error':
        this.#answer(word.id, { ok: false, code: word.code });
        break;
      case 'refused':
        this.#stale = true;
        if (planAfter(readRefusal(0, { code: word.code }, null), 0, 0, 0).kind === 'final') this.close();
        else this.#lost(word.retryAfter);
        break;
      case 'again':
        this.#lost(word.retryAfter);
        break;
      case 'over':
        this.close();
        break;
    }
  }

  #lost(wait: number | null): void {
    if (this.#over) return;
    this.#drop();
    clearTimeout(this.#next);
    this.#next = setTimeout(() => void this.#return(), wait ?? pause(this.#failures, Math.random()));
    this.#failures++;
  }

  async #return(): Promise<void> {
    if (this.#stale || this.#failures > 2) {
      const outcome = await this.#around.rejoin();
      if (this.#over) return;
      if (!outcome.ok) {
        // The call itself finds out in its own way whether this is the end of it.
        this.#lost(null);
        return;
      }
      this.#admission = outcome.value;
      this.#stale = false;
    }
    this.#connect();
  }

  #answer(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #drop(): void {
    this.#socket.drop();
    this.connected.value = false;
    for (const id of [...this.#waiting.keys()]) this.#answer(id, { ok: false, code: 'unreachable' });
  }
}
