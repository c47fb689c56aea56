import type { Language } from './language';
import { fill, type Key } from './message';

/** Where the wording of a moment comes from: the catalogue of one language. */
export type Words = { readonly [K in Extract<Key, `time.${string}`>]: string };

const DAY = 24 * 60 * 60 * 1000;

/** A clock time as people of that language write it: `14 h 30`, `2:30 pm`. */
export function clockTime(at: Date, language: Language): string {
  if (language === 'fr') {
    return `${at.getHours()}\u00a0h\u00a0${String(at.getMinutes()).padStart(2, '0')}`;
  }
  return new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit', hourCycle: 'h12' }).format(
    at,
  );
}

/** A moment in words relative to today, in the device's own time zone: `demain à 9 h 00`. */
export function moment(at: Date, now: Date, language: Language, words: Words): string {
  const time = clockTime(at, language);
  const days = Math.round((midnight(at) - midnight(now)) / DAY);
  if (days === 0) return fill(words['time.today'], { time });
  if (days === 1) return fill(words['time.tomorrow'], { time });
  if (days === -1) return fill(words['time.yesterday'], { time });
  const date = new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }),
  }).format(at);
  // Browsers differ in the comma of English and in the ordinal of the French first.
  const plain = date.replace(',', '').replace(/\b1 /, language === 'fr' ? '1er ' : '1 ');
  return fill(words['time.on'], { date: language === 'fr' ? `le ${plain}` : plain, time });
}

/** Days are counted between midnights, rounded, since a day of the clock change has 23 or 25 hours. */
function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
