import type { Person } from './model';

/** Who came and who went between two pictures of a call, oneself excepted. */
export function comings(
  before: readonly Person[],
  after: readonly Person[],
): { entered: readonly Person[]; left: readonly Person[] } {
  return { entered: others(after, before), left: others(before, after) };
}

/** Those of `these` who are not in `those`. */
function others(these: readonly Person[], those: readonly Person[]): Person[] {
  const known = new Set(those.map((person) => person.identity));
  return these.filter((person) => !person.self && !known.has(person.identity));
}
