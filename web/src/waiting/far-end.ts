import { vi } from 'vitest';

/** The service's end of each connection that a test makes, the latest last; stands in for the browser's WebSocket. */
export class FarEnd {
  static readonly OPEN = 1;
  static all: FarEnd[] = [];
  readyState = 0;
  said: Record<string, unknown>[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: () => void = () => undefined;

  constructor(readonly url: string) {
    FarEnd.all.push(this);
  }

  /** Takes the place of WebSocket from now on; `vi.unstubAllGlobals` puts it back. */
  static standIn(): void {
    FarEnd.all = [];
    vi.stubGlobal('WebSocket', FarEnd);
  }

  static get last(): FarEnd {
    return FarEnd.all[FarEnd.all.length - 1] as FarEnd;
  }

  send(text: string): void {
    this.said.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = FarEnd.OPEN;
    this.onopen();
  }

  says(word: object): void {
    this.onmessage({ data: JSON.stringify(word) });
  }

  breaks(): void {
    this.readyState = 3;
    this.onclose();
  }
}
