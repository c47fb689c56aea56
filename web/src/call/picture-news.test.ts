import type { VideoTrack } from 'livekit-client';
import { describe, expect, test } from 'vitest';
import type { Picture } from './model';
import { isSoundOnly, pictureNews } from './picture-news';

function picture(more: Partial<Picture> = {}): Picture {
  return { id: 'p', kind: 'camera', track: {} as VideoTrack, paused: false, ...more };
}

const shown = picture();
const paused = picture({ paused: true });
const off = picture({ track: null });

describe('the pictures of the others', () => {
  test.each([
    [[], false],
    [[off], false],
    [[paused, shown], false],
    [[paused, off], true],
    [[paused, paused], true],
  ])('%#: sound only is when every picture to be seen is held back', (pictures, soundOnly) => {
    expect(isSoundOnly(pictures)).toBe(soundOnly);
  });

  test('are mentioned when all are held back, and when one is back', () => {
    expect(pictureNews(false, [paused])).toBe('sound-only');
    expect(pictureNews(true, [paused, shown])).toBe('pictures-back');
  });

  test('are not said to be back when their cameras were turned off or their people left', () => {
    expect(pictureNews(true, [off])).toBeNull();
    expect(pictureNews(true, [])).toBeNull();
  });

  test('are mentioned once', () => {
    expect(pictureNews(true, [paused])).toBeNull();
    expect(pictureNews(false, [shown])).toBeNull();
  });
});
