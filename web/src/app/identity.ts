import { recall, remember, remembered } from './memory';

/** What makes a guest the same person when the link is opened again on this device. */
export interface Guest {
  /** Random, sent with every join; whoever has it comes back to the same place. */
  key: string;
  name: string;
}

/** A guest is forgotten after this long, so that a borrowed phone does not keep a name. */
const KEEP = 24 * 60 * 60 * 1000;

const PLACE = 'guest.';

/** The guest that this device remembers for a link, or a new one without a name. */
export async function guestOf(link: string, now: number): Promise<Guest> {
  forgetOld(now);
  const kept = read(recall(PLACE + (await placeOf(link))));
  return kept ?? { key: randomKey(), name: '' };
}

/** Remembers a guest for a link for a day. */
export async function keepGuest(link: string, guest: Guest, now: number): Promise<void> {
  remember(PLACE + (await placeOf(link)), JSON.stringify({ ...guest, until: now + KEEP }));
}

function forgetOld(now: number): void {
  for (const name of remembered(PLACE)) {
    const until = readUntil(recall(name));
    if (until === null || until < now) remember(name, null);
  }
}

/** The link is a secret, so what is kept is filed under its digest. */
async function placeOf(link: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(link));
  return hex(new Uint8Array(digest).subarray(0, 12));
}

function randomKey(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function read(text: string | null): Guest | null {
  const value = parse(text);
  if (typeof value?.['key'] !== 'string' || typeof value['name'] !== 'string') return null;
  return { key: value['key'], name: value['name'] };
}

function readUntil(text: string | null): number | null {
  const until = parse(text)?.['until'];
  return typeof until === 'number' ? until : null;
}

function parse(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = text === null ? null : JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
