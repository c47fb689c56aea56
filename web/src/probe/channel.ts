import type { Figures } from './figures';
import { type Ready, readWord, type Word } from './words';

/** How long the service may take for any answer, in milliseconds. */
const ANSWER_WITHIN = 5000;

/** How the channel's beginning went. */
export type Opening =
  | { is: 'ready'; ready: Ready }
  | { is: 'refused'; code: string; retryAfter: number | null }
  /** No connection came about, or it broke, or nothing was said in time. */
  | { is: 'unreachable' };

/** What the service says about a leg without being asked. */
export type News = Extract<Word, { type: 'offer_wanted' | 'connected' | 'failed' | 'error' }>;

/** Mids of the sections in which a leg sends. */
export interface Mids {
  audio: string | null;
  video: string | null;
}

/**
 * The page's end of the service's channel `/probe`: one connection for the whole of a test.
 *
 * Whatever is asked is answered with null when the line is lost, when nothing comes in time or when the service
 * says no; a test goes on with what it has.
 */
export class ProbeChannel {
  /** Called once when the service or the network ends the connection. */
  onLost: () => void = () => undefined;

  #socket: WebSocket;
  #waiting = new Map<string, (word: Word | null) => void>();
  #listeners = new Map<string, (news: News) => void>();
  #open: Promise<boolean>;
  #pings = 0;
  #over = false;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#open = new Promise((resolve) => {
      this.#socket.onopen = () => resolve(true);
      this.#socket.onclose = () => {
        resolve(false);
        this.#lose();
      };
    });
    this.#socket.onmessage = (event) => {
      const word = readWord(event.data);
      if (word) this.#hear(word);
    };
  }

  /** Says who asks, and hears what there is to try. */
  async hello(token: string): Promise<Opening> {
    const asked = this.#answerTo('hello', () => ({ type: 'hello', v: 1, token }));
    const word = await asked;
    if (word?.type === 'ready') return { is: 'ready', ready: word.ready };
    if (word?.type === 'refused') return { is: 'refused', code: word.code, retryAfter: word.retryAfter };
    return { is: 'unreachable' };
  }

  /** One round trip over the channel, in milliseconds. */
  async ping(): Promise<number | null> {
    const id = ++this.#pings;
    const since = performance.now();
    const word = await this.#answerTo(`pong ${id}`, () => ({ type: 'ping', id }));
    return word ? performance.now() - since : null;
  }

  /** Offers a leg, or offers it again; the answer's description. */
  async offer(leg: string, sdp: string, mids: Mids): Promise<string | null> {
    const word = await this.#answerTo(`answer ${leg}`, () => ({ type: 'offer', leg, sdp, ...mids }));
    return word?.type === 'answer' ? word.sdp : null;
  }

  /** What the service has counted of a leg so far. */
  async figures(leg: string): Promise<Figures | null> {
    const word = await this.#answerTo(`figures ${leg}`, () => ({ type: 'figures', leg }));
    return word?.type === 'figures' ? word.figures : null;
  }

  /** Has `tell` called with what the service says about a leg. */
  listen(leg: string, tell: (news: News) => void): void {
    this.#listeners.set(leg, tell);
  }

  /** Ends a leg. */
  hangUp(leg: string): void {
    this.#listeners.delete(leg);
    this.#say({ type: 'hang_up', leg });
  }

  /** Ends the connection. */
  close(): void {
    if (this.#over) return;
    this.#say({ type: 'bye' });
    this.onLost = () => undefined;
    this.#socket.close();
    this.#lose();
  }

  /** One question at a time of each kind; a later one of the same kind takes the earlier one's answer away. */
  async #answerTo(kind: string, question: () => object): Promise<Word | null> {
    const answer = new Promise<Word | null>((resolve) => {
      this.#waiting.get(kind)?.(null);
      const settle = (word: Word | null) => {
        clearTimeout(timer);
        if (this.#waiting.get(kind) === settle) this.#waiting.delete(kind);
        resolve(word);
      };
      const timer = setTimeout(() => settle(null), ANSWER_WITHIN);
      this.#waiting.set(kind, settle);
      void this.#open.then((opened) => {
        if (!opened || this.#over) settle(null);
        else this.#say(question());
      });
    });
    return answer;
  }

  #hear(word: Word): void {
    switch (word.type) {
      case 'ready':
      case 'refused':
        this.#waiting.get('hello')?.(word);
        break;
      case 'pong':
        this.#waiting.get(`pong ${word.id}`)?.(word);
        break;
      case 'answer':
      case 'figures':
        this.#waiting.get(`${word.type} ${word.leg}`)?.(word);
        break;
      case 'error':
        if (word.leg !== null) {
          this.#waiting.get(`answer ${word.leg}`)?.(null);
          this.#listeners.get(word.leg)?.(word);
        }
        break;
      default:
        this.#listeners.get(word.leg)?.(word);
    }
  }

  #say(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #lose(): void {
    if (this.#over) return;
    this.#over = true;
    for (const settle of [...this.#waiting.values()]) settle(null);
    this.onLost();
  }
}
