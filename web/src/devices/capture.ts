/** The two kinds of capture that a person chooses. */
export type Capture = 'camera' | 'microphone';

/** The camera asks for 720p: the top of the three simulcast encodings, and what cheap cameras deliver well. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
};

const SOUND = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/** What to ask the browser for; without a chosen device it is the one that shows the person. */
export function constraintsFor(capture: Capture, deviceId: string | null): MediaTrackConstraints {
  if (capture === 'microphone') return soundFrom(deviceId);
  return deviceId === null
    ? { ...PICTURE, facingMode: 'user' }
    : { ...PICTURE, deviceId: { exact: deviceId } };
}

/** What to ask of a microphone; null takes the browser's choice. */
export function soundFrom(deviceId: string | null) {
  return deviceId === null ? { ...SOUND } : { ...SOUND, deviceId: { exact: deviceId } };
}

/** The id of the device behind a track, or null where the browser does not tell. */
export function deviceOf(track: MediaStreamTrack): string | null {
  return track.getSettings().deviceId ?? null;
}
