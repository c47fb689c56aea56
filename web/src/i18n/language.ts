/** Languages the page speaks, the first one for everybody whose browser asks for none of them. */
export const LANGUAGES = ['fr', 'en'] as const;

/** A language of the page, as in the `lang` attribute. */
export type Language = (typeof LANGUAGES)[number];

/** Whether a stored or foreign value names a language of the page. */
export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.some((language) => language === value);
}

/** The first language of the browser's list that the page speaks; regions do not matter (`en-GB` is `en`). */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    if (isLanguage(base)) return base;
  }
  return LANGUAGES[0];
}
