/**
 * The few things that this device keeps, all under one prefix. Storage may be refused (private windows, full
 * disks, policies): then nothing is kept and the page works as on a first visit.
 */
const PREFIX = 'colloque.';

/** What was kept under a name, or null. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Keeps a text under a name; null forgets it. */
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Kept for this visit only, by whoever holds the value.
  }
}

/** Names of everything that is kept and starts with `start`. */
export function remembered(start: string): string[] {
  try {
    const names: string[] = [];
    for (let i = 0; i < localStorage.length; i++) {
      const name = localStorage.key(i);
      if (name?.startsWith(PREFIX + start)) names.push(name.slice(PREFIX.length));
    }
    return names;
  } catch {
    return [];
  }
}
