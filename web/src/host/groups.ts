/** A sub-group as hosts see it. */
export interface Group {
  id: string;
  /** Empty where it has none. */
  name: string;
  /** Identities of those who belong there, in the call or not. */
  members: readonly string[];
  /** When it closes by itself, in milliseconds since 1970; null if it does not. */
  closesAt: number | null;
}

/** Somebody in the call or in one of its groups. */
export interface InCall {
  identity: string;
  /** Empty where they gave none. */
  name: string;
  moderates: boolean;
}

/** Where one person goes; null is the room itself. */
export interface Placing {
  identity: string;
  group: string | null;
}

/** The most groups that are opened from the page at once. */
export const MOST_GROUPS = 10;

/** The group that somebody belongs to; null is the room itself. */
export function groupOf(identity: string, groups: readonly Group[]): Group | null {
  return groups.find((group) => group.members.includes(identity)) ?? null;
}

/** Who is shared out: those who moderate go where they are needed by themselves. */
export function toShareOut(people: readonly InCall[]): string[] {
  return people.filter((person) => !person.moderates).map((person) => person.identity);
}

/**
 * Shares people out so that no group has two more than another, and gives who has to move for it: whoever is in a
 * group already stays there as far as that goes.
 */
export function evenly(
  people: readonly string[],
  groups: readonly Pick<Group, 'id' | 'members'>[],
): Placing[] {
  const filled = groups.map(({ id, members }) => ({
    id,
    members: people.filter((one) => members.includes(one)),
  }));
  const [first] = filled;
  if (!first) return [];
  const smallest = () =>
    filled.reduce((least, one) => (one.members.length < least.members.length ? one : least));
  const largest = () => filled.reduce((most, one) => (one.members.length > most.members.length ? one : most));
  const settled = new Set(filled.flatMap((group) => group.members));
  for (const one of people) if (!settled.has(one)) smallest().members.push(one);
  while (largest().members.length > smallest().members.length + 1) {
    const one = largest().members.pop();
    if (one !== undefined) smallest().members.push(one);
  }
  return filled.flatMap(({ id, members }) => {
    const before = groups.find((group) => group.id === id)?.members ?? [];
    return members.filter((one) => !before.includes(one)).map((identity) => ({ identity, group: id }));
  });
}
