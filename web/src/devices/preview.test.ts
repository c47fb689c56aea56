import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Capture } from './capture';
import { Preview } from './preview';

/** A track as the browser gives it, as far as a preview touches it. */
class Track {
  readonly kind: 'video' | 'audio';
  enabled = true;
  stopped = false;
  onended: (() => void) | null = null;

  constructor(capture: Capture) {
    this.kind = capture === 'camera' ? 'video' : 'audio';
  }

  stop(): void {
    this.stopped = true;
  }
}

/** Every track that was given, in the order in which it was asked for. */
let given: Track[];

/** What the browser refuses for now. */
let refused: Set<Capture>;

async function getUserMedia(wanted: MediaStreamConstraints) {
  const captures = (['camera', 'microphone'] as const).filter((capture) =>
    capture === 'camera' ? wanted.video : wanted.audio,
  );
  if (captures.some((capture) => refused.has(capture))) throw new DOMException('', 'NotReadableError');
  const tracks = captures.map((capture) => new Track(capture));
  given.push(...tracks);
  return {
    getTracks: () => tracks,
    getVideoTracks: () => tracks.filter(({ kind }) => kind === 'video'),
    getAudioTracks: () => tracks.filter(({ kind }) => kind === 'audio'),
  };
}

beforeEach(() => {
  given = [];
  refused = new Set();
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia, enumerateDevices: async () => [] } });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('trying again', () => {
  test('opens what failed and leaves a microphone that works alone, muted as it was', async () => {
    refused.add('camera');
    const preview = new Preview();
    await preview.start();
    preview.turnOff('microphone');
    refused.clear();
    await preview.retry();
    expect(preview.camera.value.is).toBe('on');
    expect(preview.muted.value).toBe(true);
    expect(given.map(({ kind, enabled, stopped }) => ({ kind, enabled, stopped }))).toEqual([
      { kind: 'audio', enabled: false, stopped: false },
      { kind: 'video', enabled: true, stopped: false },
    ]);
  });

  test('puts one question when both failed', async () => {
    refused = new Set(['camera', 'microphone']);
    const preview = new Preview();
    await preview.start();
    refused.clear();
    await preview.retry();
    expect([preview.camera.value.is, preview.microphone.value.is]).toEqual(['on', 'on']);
    expect(given).toHaveLength(2);
  });
});

test('before a call for sound alone the camera is not asked for, nor after a failure', async () => {
  refused.add('microphone');
  const preview = new Preview(true);
  await preview.start();
  expect([preview.camera.value.is, preview.microphone.value.is]).toEqual(['off', 'failed']);
  refused.clear();
  await preview.retry();
  expect([preview.camera.value.is, preview.microphone.value.is]).toEqual(['off', 'on']);
  expect(given.map(({ kind }) => kind)).toEqual(['audio']);
});

test('starting anew lets go of everything that was open', async () => {
  const preview = new Preview();
  await preview.start();
  await preview.start();
  expect(given.map(({ stopped }) => stopped)).toEqual([true, true, false, false]);
});

test('another microphone stays muted until the person asks to be heard', async () => {
  const preview = new Preview();
  await preview.start();
  preview.turnOff('microphone');
  await preview.turnOn('microphone', 'headset');
  expect(given.at(-1)?.enabled).toBe(false);
  await preview.unmute();
  expect(given.at(-1)?.enabled).toBe(true);
});
