import type { RoomOptions } from 'livekit-client';
import { VideoPreset, VideoPresets } from 'livekit-client';
import { reconnectPause } from '../app/retry';

/**
 * Three encodings of the camera that together stay under 2 Mb/s, the most that sites reserve for a person:
 * 720p at 1.3, 360p at 0.45 and 180p at 0.16 Mb/s.
 */
const TOP = { maxBitrate: 1_300_000, maxFramerate: 30 };
const LOWER = [VideoPresets.h180, new VideoPreset(640, 360, 450_000, 25)];

/** How the page uses its room: only what is seen is received, only what someone sees is sent. */
export const ROOM_OPTIONS: RoomOptions = {
  adaptiveStream: true,
  dynacast: true,
  publishDefaults: {
    simulcast: true,
    videoCodec: 'vp8',
    videoEncoding: TOP,
    videoSimulcastLayers: LOWER,
    // Text on a shared screen must be sharp; that it moves slowly is no loss.
    screenShareEncoding: { maxBitrate: 1_500_000, maxFramerate: 15 },
    red: true,
    dtx: true,
  },
  reconnectPolicy: {
    nextRetryDelayInMs: ({ retryCount, elapsedMs }) => reconnectPause(retryCount, elapsedMs, Math.random()),
  },
  // Tracks outlive a lost connection, so that the browser need not ask for the camera again.
  stopLocalTrackOnUnpublish: false,
  // The library would leave when a phone is locked; the page leaves when it is closed.
  disconnectOnPageLeave: false,
};
