import {
  ConnectionState,
  type LocalTrack,
  type LocalTrackPublication,
  type Room,
  RoomEvent,
  Track,
} from 'livekit-client';

/**
 * The screen that this person shares, and its sound.
 *
 * When the library loses the line for good it drops both without ending the capture. They are held here too,
 * so that they can be sent again, and so that nothing goes on being captured unseen.
 */
export class OwnScreen {
  #room: Room;
  #tracks: readonly LocalTrack[] = [];
  #closed = false;
  #onTaken: () => void;

  /** `onTaken` is called when the service ends the share: somebody who may has taken over, or has forbidden it. */
  constructor(room: Room, onTaken: () => void = () => undefined) {
    this.#room = room;
    this.#onTaken = onTaken;
    room.on(RoomEvent.LocalTrackUnpublished, (publication) => this.#forget(publication));
  }

  /** Whether a screen is captured now; between two connections too. */
  get on(): boolean {
    return this.#tracks.some((track) => track.source === Track.Source.ScreenShare && isLive(track));
  }

  /** Has the person choose a screen and sends it; throws when either fails. */
  async start(): Promise<void> {
    const wanted = { audio: true, contentHint: 'detail' } as const;
    this.#tracks = await this.#room.localParticipant.createScreenTracks(wanted);
    // The call may end while the browser's window of choices is open.
    if (this.#closed) return this.#letGo();
    try {
      await this.#send();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const stopped = this.#tracks;
    this.#letGo();
    for (const track of stopped) await this.#room.localParticipant.unpublishTrack(track, true);
  }

  /** Sends it on a new connection; false when it was shared before and is no longer. */
  async sendAgain(): Promise<boolean> {
    if (this.#tracks.length === 0) return true;
    const sent =
      this.on &&
      (await this.#send().then(
        () => true,
        () => false,
      ));
    if (!sent) await this.stop();
    return sent;
  }

  /** Ends the capture for good, whether or not anyone was still being sent it. */
  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  async #send(): Promise<void> {
    for (const track of this.#tracks.filter(isLive)) {
      await this.#room.localParticipant.publishTrack(track, { source: track.source });
    }
  }

  #letGo(): void {
    for (const track of this.#tracks) track.stop();
    this.#tracks = [];
  }

  /** A capture that is still live was not stopped by the person: the line took it, or the service did. */
  #forget({ track }: LocalTrackPublication): void {
    if (!track) return;
    if (!isLive(track)) this.#tracks = this.#tracks.filter((kept) => kept !== track);
    // A line that is lost is known to be so a moment later, and every track with it.
    else setTimeout(() => this.#takenIfConnected(track));
  }

  #takenIfConnected(track: LocalTrack): void {
    if (this.#closed || this.#room.state !== ConnectionState.Connected) return;
    if (!this.#tracks.includes(track)) return;
    const taken = track.source === Track.Source.ScreenShare;
    track.stop();
    this.#tracks = this.#tracks.filter((kept) => kept !== track);
    if (taken) this.#onTaken();
  }
}

/** Whether a track still captures. */
export function isLive(track: LocalTrack): boolean {
  return track.mediaStreamTrack.readyState === 'live';
}
