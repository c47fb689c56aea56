import { describe, expect, test } from 'vitest';
import * as probeEn from '../probe/i18n/en';
import * as probeFr from '../probe/i18n/fr';
import * as pageEn from './en';
import * as pageFr from './fr';
import { pickLanguage } from './language';
import { fill, placesOf } from './message';

type Texts = Readonly<Record<string, string>>;

describe.each([
  ['of the page', pageFr.fr, pageEn.en],
  ['of the connection test', probeFr.fr, probeEn.en],
] as [string, Texts, Texts][])('the catalogues %s', (_whose, fr, en) => {
  test('every English text has the places of the French one', () => {
    for (const [key, text] of Object.entries(fr)) {
      expect([key, placesOf(en[key] ?? '')]).toEqual([key, placesOf(text)]);
    }
  });

  test('no text is empty or carries blanks at its ends', () => {
    for (const text of [...Object.values(fr), ...Object.values(en)]) expect(text).toMatch(/^\S(.*\S)?$/s);
  });

  test('French uses its own apostrophe and quotation marks', () => {
    for (const text of Object.values(fr)) expect(text).not.toMatch(/['"]/);
  });

  test('French never breaks a line before tall punctuation or inside quotation marks', () => {
    for (const text of Object.values(fr)) expect(text).not.toMatch(/ [:;?!»]|« /);
  });

  test('French never takes the reader for a man', () => {
    // A participle or an adjective that agrees with the reader, or with someone of whom only the name is known.
    const masculine =
      /[Vv]ous (êtes|serez|avez été) (\p{L}+ )?\p{L}+(é|i|u|l)(?!\p{L})|\{name\} est \p{L}+é/u;
    for (const text of Object.values(fr)) expect(text).not.toMatch(masculine);
  });

  test('no text shows a technical name of an error', () => {
    for (const text of [...Object.values(fr), ...Object.values(en)]) {
      expect(text).not.toMatch(/Error|undefined|null|WebRTC|ICE|TURN|token/);
    }
  });
});

describe('filling places', () => {
  test('a value replaces every occurrence of its place', () => {
    expect(fill('{name} et {name}', { name: 'A' })).toBe('A et A');
  });

  test('a place without a value stays visible', () => {
    expect(fill('à {time}', {})).toBe('à {time}');
  });

  test('a value that looks like a place is not filled again', () => {
    expect(fill('{a}', { a: '{b}', b: 'x' })).toBe('{b}');
  });
});

describe('the language of a browser', () => {
  test.each([
    [['fr-FR', 'en'], 'fr'],
    [['en-GB'], 'en'],
    [['de-DE', 'en-US', 'fr'], 'en'],
    [['de', 'ar'], 'fr'],
    [[], 'fr'],
  ])('%j is answered in %s', (wanted, language) => {
    expect(pickLanguage(wanted)).toBe(language);
  });
});
