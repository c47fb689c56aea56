import type { fr } from './fr';

/** The name of a text; a name that is not in the French catalogue does not compile. */
export type Key = keyof typeof fr;

/** A whole language: every key, nothing else; one that lacks a text does not compile. */
export type Catalogue = { readonly [K in Key]: string };

type PlacesIn<Text extends string> = Text extends `${string}{${infer Place}}${infer Rest}`
  ? Place | PlacesIn<Rest>
  : never;

/** What a text needs to be complete: `{name}` in the French text asks for `name`. */
export type Values<K extends Key> = ValuesIn<(typeof fr)[K]>;

type ValuesIn<Text extends string> = { readonly [Place in PlacesIn<Text>]: string | number };

/** The name of a text that is complete as it stands. */
export type PlainKey = { [K in Key]: [PlacesIn<(typeof fr)[K]>] extends [never] ? K : never }[Key];

/** The second argument of `t`: absent for texts without places, required for the others. */
export type Arguments<K extends Key> = ArgumentsFor<(typeof fr)[K]>;

/** The same for a text of any catalogue. */
export type ArgumentsFor<Text extends string> = [PlacesIn<Text>] extends [never] ? [] : [ValuesIn<Text>];

/** Puts values into the `{places}` of a text; a place without a value stays visible, so that it is noticed. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{([a-z]+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** The `{places}` of a text in order of their names. */
export function placesOf(text: string): string[] {
  return [...text.matchAll(/\{([a-z]+)\}/g)].map((match) => match[1] ?? '').sort();
}
