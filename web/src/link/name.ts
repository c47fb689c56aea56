/** Longest display name; the room service takes no more. */
export const LONGEST_NAME = 60;

/** A name without blanks at the ends, doubled blanks, or characters that cannot be seen. */
export function cleanName(text: string): string {
  return text
    .replace(/\p{Cc}|\p{Cf}/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** What is wrong with a name, or null. */
export function wrongName(text: string): 'missing' | 'too-long' | null {
  const name = cleanName(text);
  if (name === '') return 'missing';
  return [...name].length > LONGEST_NAME ? 'too-long' : null;
}
