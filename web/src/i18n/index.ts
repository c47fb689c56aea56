import { effect, signal } from '@preact/signals';
import { recall, remember } from '../app/memory';
import { en } from './en';
import { fr } from './fr';
import { isLanguage, type Language, pickLanguage } from './language';
import { type Arguments, type Catalogue, fill, type Key } from './message';
import { clockTime, moment } from './times';

export type { Language } from './language';
export type { Key, PlainKey } from './message';

const catalogues: Record<Language, Catalogue> = { fr, en };

function firstLanguage(): Language {
  const stored = recall('language');
  return isLanguage(stored) ? stored : pickLanguage(navigator.languages ?? [navigator.language]);
}

/** The language on screen; components that call `t` redraw when it changes. */
export const language = signal<Language>(firstLanguage());

effect(() => {
  document.documentElement.lang = language.value;
});

/** The text of a key in the language on screen, with its places filled. */
export function t<K extends Key>(key: K, ...[values]: Arguments<K>): string {
  const text = catalogues[language.value][key];
  return values ? fill(text, values) : text;
}

/** Switches language and keeps the choice on this device. */
export function speak(chosen: Language): void {
  language.value = chosen;
  remember('language', chosen);
}

/** A moment in words of the language on screen: `aujourd’hui à 14 h 30`. */
export function sayMoment(at: Date, now: Date): string {
  return moment(at, now, language.value, catalogues[language.value]);
}

/** A clock time in the language on screen: `14 h 30`. */
export function sayTime(at: Date): string {
  return clockTime(at, language.value);
}
