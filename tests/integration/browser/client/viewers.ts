/** A video element for every subscribed track, and a record of the pictures it really showed. */

import { RoomEvent, Track, type Room } from "livekit-client";
import type { Journal } from "./journal";

export interface Frame {
  at: number;
  width: number;
}

const KEPT = 3000; // 100 s at 30 pictures a second: longer than any test

export class Viewers {
  #frames = new Map<string, Frame[]>();

  constructor(
    readonly journal: Journal,
    readonly parent: HTMLElement,
  ) {}

  follow(room: Room): void {
    room.on(RoomEvent.TrackSubscribed, (track, publication, who) => {
      const element = track.attach();
      this.parent.append(element);
      if (track.kind === Track.Kind.Video) {
        this.#record(element as HTMLVideoElement, who.identity, publication.source);
      }
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
  }

  frames(identity: string, source: Track.Source): Frame[] {
    return this.#frames.get(`${identity}/${source}`) ?? [];
  }

  #record(element: HTMLVideoElement, identity: string, source: Track.Source): void {
    element.muted = true;
    const frames: Frame[] = [];
    this.#frames.set(`${identity}/${source}`, frames);
    let width = 0;
    const note = (now: number, picture: VideoFrameCallbackMetadata) => {
      const at = performance.timeOrigin + now;
      frames.push({ at, width: picture.width });
      if (frames.length > KEPT) frames.shift();
      if (frames.length === 1) this.journal.write("firstFrame", { identity, source, width: picture.width });
      if (picture.width !== width) this.journal.write("frameWidth", { identity, source, width: picture.width });
      width = picture.width;
      element.requestVideoFrameCallback(note);
    };
    element.requestVideoFrameCallback(note);
  }
}
