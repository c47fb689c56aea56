import type { Picture } from './model';

/** What is said once about the pictures of the others: the server holds them all back, or sends them again. */
export type PictureNews = 'sound-only' | 'pictures-back';

/** Whether the server cuts to sound only: there are pictures to be seen, and it holds back every one. */
export function isSoundOnly(pictures: readonly Picture[]): boolean {
  const seen = visible(pictures);
  return seen.length > 0 && seen.every((picture) => picture.paused);
}

/** What to say of the pictures now; a picture that was held back and then turned off has not come back. */
export function pictureNews(soundOnlyBefore: boolean, pictures: readonly Picture[]): PictureNews | null {
  const soundOnly = isSoundOnly(pictures);
  if (soundOnly === soundOnlyBefore) return null;
  if (soundOnly) return 'sound-only';
  return visible(pictures).length > 0 ? 'pictures-back' : null;
}

function visible(pictures: readonly Picture[]): Picture[] {
  return pictures.filter((picture) => picture.track !== null);
}
