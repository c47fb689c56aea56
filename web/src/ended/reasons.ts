/** Why a call was not good; the room service takes these words and no others. */
export const REASONS = [
  'audio_missing',
  'audio_choppy',
  'audio_echo',
  'video_missing',
  'video_frozen',
  'video_blurry',
  'delay',
  'connection_lost',
  'device_trouble',
  'hard_to_use',
  'other',
] as const;

export type Reason = (typeof REASONS)[number];

/** From bad to good. */
export const SCORES = [1, 2, 3, 4, 5] as const;

export type Score = (typeof SCORES)[number];

/** Whoever found nothing wrong is not asked what was wrong. */
export function asksWhy(score: Score | null): boolean {
  return score !== null && score < 5;
}
