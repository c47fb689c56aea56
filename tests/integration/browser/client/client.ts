/** One participant in one page: the verbs with which the Python tests drive an unmodified livekit-client. */

import { Room, Track, type RoomConnectOptions, type RoomOptions } from "livekit-client";
import * as data from "./data";
import { offerDependencies, receivesDependencies } from "./dependencies";
import { Journal } from "./journal";
import * as publish from "./publish";
import { Viewers } from "./viewers";
import * as watch from "./watch";

export interface JoinOptions {
  room?: RoomOptions;
  connect?: RoomConnectOptions;
  /** A passphrase: every frame is then encrypted end to end with a key derived from it. */
  e2eeKey?: string;
  /** Whether Chromium is to read what pictures need from the header extension, or from payloads. */
  dependencies?: boolean;
}

const journal = new Journal();
const viewers = new Viewers(journal, document.getElementById("videos")!);
let room: Room | undefined;

function joined(): Room {
  if (!room) throw new Error("not joined");
  return room;
}

const verbs = {
  /** Connects and answers how long it took until the client called itself connected, in milliseconds. */
  async join(url: string, token: string, options: JoinOptions = {}) {
    room = new Room({
      adaptiveStream: false,
      dynacast: false,
      ...options.room,
      ...(options.e2eeKey ? { encryption: await publish.encryption(options.e2eeKey) } : {}),
    });
    if (options.dependencies !== undefined) offerDependencies(options.dependencies);
    journal.follow(room);
    viewers.follow(room);
    if (options.e2eeKey) await room.setE2EEEnabled(true);
    const before = performance.now();
    await room.connect(url, token, options.connect);
    return performance.now() - before;
  },

  leave: () => joined().disconnect(),
  state: () => ({
    connection: joined().state,
    identity: joined().localParticipant.identity,
    permissions: joined().localParticipant.permissions?.toJson(),
    others: watch.roster(joined()),
  }),

  microphone: (on: boolean) => publish.microphone(joined(), on),
  camera: (on: boolean, options?: publish.CameraOptions) => publish.camera(joined(), on, options),
  screen: (on: boolean, options?: publish.ScreenOptions) => publish.screen(joined(), on, options),
  unpublish: (source: Track.Source) => publish.unpublish(joined(), source),
  allow: (identities: string[] | null) => publish.allow(joined(), identities),

  subscribe: (identity: string, source: Track.Source, on: boolean) =>
    watch.publication(joined(), identity, source).setSubscribed(on),
  enable: (identity: string, source: Track.Source, on: boolean) =>
    watch.publication(joined(), identity, source).setEnabled(on),
  quality: (identity: string, source: Track.Source, quality: watch.Quality) =>
    watch.setQuality(joined(), identity, source, quality),
  /** Asks for so many pictures a second. */
  rate: (identity: string, source: Track.Source, fps: number) =>
    watch.publication(joined(), identity, source).setVideoFPS(fps),
  receiving: (identity: string, source: Track.Source) => watch.receiving(joined(), identity, source),
  receivesDependencies,
  sending: (source: Track.Source) => watch.sending(joined(), source),
  /** Pictures shown since the viewer was made, newest last: when (ms) and how wide. */
  frames: (identity: string, source: Track.Source) => viewers.frames(identity, source),
  /** The cipher of the media path, as this browser names it. */
  transport: () => watch.transport(joined()),
  way: () => watch.way(joined()),

  sendData: (text: string, options?: data.DataOptions) => data.send(joined(), text, options),
  chat: (text: string) => data.chat(joined(), text),
  text: (text: string, topic: string, to?: string[]) => data.text(joined(), text, topic, to),
  hearText: (topic: string) => data.hearText(joined(), topic, journal),
  answerRpc: (method: string) => data.answerRpc(joined(), method),
  callRpc: (to: string, method: string, payload: string) => data.callRpc(joined(), to, method, payload),

  attributes: (values: Record<string, string>) => joined().localParticipant.setAttributes(values),
  metadata: (text: string) => joined().localParticipant.setMetadata(text),
  rename: (name: string) => joined().localParticipant.setName(name),
  simulate: (scenario: Parameters<Room["simulateScenario"]>[0]) => joined().simulateScenario(scenario),

  /** What happened in the call so far; see journal.ts for the fields. */
  journal: () => journal.entries,
  /** Resolves with the first entry at or after `from` that has this event and these fields. */
  happened: (event: string, fields: Record<string, unknown>, from: number, timeoutMs: number) =>
    journal.happened(event, fields, from, timeoutMs),
  now: () => performance.timeOrigin + performance.now(),
};

export type Verbs = typeof verbs;

declare global {
  interface Window {
    client: Verbs;
    errors: string[];
  }
}

window.client = verbs;
window.errors = [];
window.addEventListener("error", (event) => window.errors.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => window.errors.push(`unhandled: ${String(event.reason)}`));
