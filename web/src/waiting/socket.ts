import type { Admission } from '../api/answers';

/** Longer silence than this, in milliseconds, is a dead line: the service asks every 15 s whether we are there. */
const SILENCE = 40_000;

/** What is done with what comes over the channel; `word` gets everything but pings. */
export interface Ears<Word> {
  /** Reads a frame; null for what this page does not know. */
  read: (frame: unknown) => Word | null;
  word: (word: Word) => void;
  /** The connection is gone, or nothing was heard for too long; not called after `drop`. */
  lost: () => void;
}

/**
 * The page's end of the service's channel `/waiting`, for who waits and for hosts: one connection at a time, which
 * says hello, answers pings and notices by itself when it is dead. When to connect again is for its owner to say.
 */
export class WaitingSocket<Word extends { type: string }> {
  /** When the present connection was opened, in milliseconds since 1970. */
  standingSince = 0;

  #ears: Ears<Word>;
  #socket: WebSocket | null = null;
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(ears: Ears<Word>) {
    this.#ears = ears;
  }

  /** Connects with a token; what was connected before is left alone. */
  open(admission: Admission): void {
    const socket = new WebSocket(`${admission.wsUrl}/waiting`);
    this.#socket = socket;
    this.#heard();
    socket.onopen = () => {
      this.standingSince = Date.now();
      this.say({ type: 'hello', v: 1, token: admission.token });
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#heard();
      const word = this.#ears.read(event.data);
      if (word?.type === 'ping') this.say({ type: 'pong' });
      else if (word) this.#ears.word(word);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#ears.lost();
    };
  }

  /** Sends a message; false when there is no connection to send it over. */
  say(message: object): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Ends the connection; nothing is heard of it any more. */
  drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#watchdog);
    socket?.close();
  }

  #heard(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#ears.lost(), SILENCE);
  }
}
