import { afterEach, describe, expect, test, vi } from 'vitest';
import { openAudioContext } from './audio-context';
import { playChime } from './chime';
import { watchLevel } from './level';

class Context {}

class Refused {
  constructor() {
    throw new DOMException('', 'NotSupportedError');
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a browser without sound graphs', () => {
  test.each([undefined, Refused])(
    '%s measures no level and plays no notes, without an error',
    async (given) => {
      vi.stubGlobal('AudioContext', given);
      expect(watchLevel({} as MediaStreamTrack, () => undefined)).toBeNull();
      await expect(playChime(null)).resolves.toBeUndefined();
    },
  );
});

test('a browser that knows sound graphs by their older name has them', () => {
  vi.stubGlobal('webkitAudioContext', Context);
  expect(openAudioContext()).toBeInstanceOf(Context);
});
