import { language } from '../../i18n';
import type { Language } from '../../i18n/language';
import { type ArgumentsFor, fill } from '../../i18n/message';
import { en } from './en';
import { fr } from './fr';

/** The name of a text of the connection test. */
export type ProbeKey = keyof typeof fr;

/** A whole language of the connection test. */
export type ProbeCatalogue = { readonly [K in ProbeKey]: string };

export const catalogues: Record<Language, ProbeCatalogue> = { fr, en };

/** The text of a key in the language on screen, with its places filled. */
export function say<K extends ProbeKey>(key: K, ...[values]: ArgumentsFor<(typeof fr)[K]>): string {
  const text = catalogues[language.value][key];
  return values ? fill(text, values as Readonly<Record<string, string | number>>) : text;
}

/** Whether there is a text of this name: services are often newer than pages and know more reasons. */
export function isKey(key: string): key is ProbeKey {
  return key in fr;
}
