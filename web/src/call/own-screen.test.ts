import { type Room, RoomEvent, Track } from 'livekit-client';
import { describe, expect, test } from 'vitest';
import { OwnScreen } from './own-screen';

/** A capture as the browser gives it: live until someone ends it. */
class Capture {
  readonly source = Track.Source.ScreenShare;
  readonly mediaStreamTrack = { readyState: 'live' };

  stop(): void {
    this.mediaStreamTrack.readyState = 'ended';
  }
}

/** A room that keeps track of what is sent, and can lose its line as LiveKit's does. */
class FakeRoom {
  readonly captured: Capture[] = [];
  sent: Capture[] = [];
  mayPublish = true;
  state = 'disconnected';
  #unpublished: (publication: { track: Capture }) => void = () => undefined;

  readonly localParticipant = {
    createScreenTracks: async () => {
      const capture = new Capture();
      this.captured.push(capture);
      return [capture];
    },
    publishTrack: async (track: Capture) => {
      if (!this.mayPublish) throw new Error('no right to publish');
      this.sent.push(track);
    },
    unpublishTrack: async (track: Capture) => this.#unpublish(track),
  };

  on(event: string, listener: (publication: { track: Capture }) => void): this {
    if (event === RoomEvent.LocalTrackUnpublished) this.#unpublished = listener;
    return this;
  }

  loseLine(): void {
    for (const track of this.sent) this.#unpublish(track);
  }

  /** The person ends the capture in the browser's own bar. */
  endInBrowser(): void {
    for (const track of this.captured) track.stop();
    this.loseLine();
  }

  #unpublish(track: Capture): void {
    this.sent = this.sent.filter((other) => other !== track);
    this.#unpublished({ track });
  }
}

async function sharing(): Promise<{ room: FakeRoom; screen: OwnScreen }> {
  const room = new FakeRoom();
  const screen = new OwnScreen(room as unknown as Room);
  await screen.start();
  return { room, screen };
}

describe('a shared screen', () => {
  test('is sent again after the line was lost', async () => {
    const { room, screen } = await sharing();
    room.loseLine();
    expect(room.sent).toEqual([]);
    expect(screen.on).toBe(true);
    expect(await screen.sendAgain()).toBe(true);
    expect(room.sent).toEqual(room.captured);
  });

  test('that ended while the line was lost is not sent again, and that is told', async () => {
    const { room, screen } = await sharing();
    room.loseLine();
    room.captured[0]?.stop();
    expect(await screen.sendAgain()).toBe(false);
    expect(room.sent).toEqual([]);
    expect(await screen.sendAgain()).toBe(true);
  });

  test('that may no longer be sent is no longer captured', async () => {
    const { room, screen } = await sharing();
    room.loseLine();
    room.mayPublish = false;
    expect(await screen.sendAgain()).toBe(false);
    expect(screen.on).toBe(false);
    expect(room.captured[0]?.mediaStreamTrack.readyState).toBe('ended');
  });

  test('is let go by whoever leaves while the line is lost', async () => {
    const { room, screen } = await sharing();
    room.loseLine();
    screen.close();
    expect(room.captured[0]?.mediaStreamTrack.readyState).toBe('ended');
  });

  test('that is chosen only after the call has ended is let go at once', async () => {
    const room = new FakeRoom();
    const screen = new OwnScreen(room as unknown as Room);
    const choosing = screen.start();
    screen.close();
    await choosing;
    expect(room.captured[0]?.mediaStreamTrack.readyState).toBe('ended');
    expect(room.sent).toEqual([]);
  });

  test('that was stopped in the browser is over, and nothing was lost', async () => {
    const { room, screen } = await sharing();
    room.endInBrowser();
    expect(screen.on).toBe(false);
    expect(await screen.sendAgain()).toBe(true);
  });
});

test('a share that the service ends is not sent again, and said to be over', async () => {
  const room = new FakeRoom();
  let taken = 0;
  const screen = new OwnScreen(room as unknown as Room, () => {
    taken++;
  });
  await screen.start();
  room.state = 'connected';
  room.loseLine();
  await new Promise((resolve) => setTimeout(resolve));
  expect([taken, screen.on]).toEqual([1, false]);
  await screen.sendAgain();
  expect(room.sent).toEqual([]);
});
