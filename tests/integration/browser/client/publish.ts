/** What this participant sends. Camera and microphone are the browser's own fake devices. */

import {
  ExternalE2EEKeyProvider,
  LocalVideoTrack,
  Track,
  VideoPresets,
  type E2EEOptions,
  type Room,
  type TrackPublishOptions,
} from "livekit-client";

export interface CameraOptions {
  codec?: "vp8" | "h264" | "vp9" | "av1";
  simulcast?: boolean;
  /** Pixels across; 1280 gives three encodings, 640 two, 320 one. */
  width?: number;
}

export interface ScreenOptions {
  /** Draws instead of capturing, for browsers that capture only after a click. */
  drawn?: boolean;
}

export async function microphone(room: Room, on: boolean): Promise<string | undefined> {
  return (await room.localParticipant.setMicrophoneEnabled(on))?.trackSid;
}

export async function camera(room: Room, on: boolean, options: CameraOptions = {}): Promise<string | undefined> {
  const { codec = "vp8", simulcast = true, width = 1280 } = options;
  const publishing: TrackPublishOptions = { videoCodec: codec, simulcast, backupCodec: false };
  const resolution = { ...VideoPresets.h720.resolution, width, height: (width * 9) / 16 };
  return (await room.localParticipant.setCameraEnabled(on, { resolution }, publishing))?.trackSid;
}

export async function screen(room: Room, on: boolean, options: ScreenOptions = {}): Promise<string | undefined> {
  if (!options.drawn) {
    const capture = { preferCurrentTab: true, selfBrowserSurface: "include" as const };
    return (await room.localParticipant.setScreenShareEnabled(on, capture))?.trackSid;
  }
  const track = new LocalVideoTrack(drawnPicture(1280, 720), undefined, true);
  return (await room.localParticipant.publishTrack(track, { source: Track.Source.ScreenShare, simulcast: false }))
    .trackSid;
}

export async function unpublish(room: Room, source: Track.Source): Promise<void> {
  const track = room.localParticipant.getTrackPublication(source)?.track;
  if (!track) throw new Error(`nothing published as ${source}`);
  await room.localParticipant.unpublishTrack(track);
}

/** Lets only these participants subscribe to this one's tracks; null lets everyone. */
export function allow(room: Room, identities: string[] | null): void {
  room.localParticipant.setTrackSubscriptionPermissions(
    identities === null,
    (identities ?? []).map((participantIdentity) => ({ participantIdentity, allowAll: true })),
  );
}

export async function encryption(passphrase: string): Promise<E2EEOptions> {
  const keyProvider = new ExternalE2EEKeyProvider();
  await keyProvider.setKey(passphrase);
  return { keyProvider, worker: new Worker("e2ee.js") };
}

function drawnPicture(width: number, height: number): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d")!;
  let count = 0;
  setInterval(() => {
    pen.fillStyle = `hsl(${(count * 7) % 360} 60% 40%)`;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = "white";
    pen.font = "200px sans-serif";
    pen.fillText(String(count++), 100, height / 2);
  }, 66);
  return canvas.captureStream(15).getVideoTracks()[0]!;
}
