import { parse, textOf } from '../waiting/words';

/** What a host, a delegate or the application says to everybody, in all groups at once. */
export interface Announcement {
  text: string;
  /** Identity of who said it; null for the application. */
  by: string | null;
  /** What they are called, empty where they are not. */
  name: string;
}

/** The topic under which the service says it; it lets nobody else use the topic. */
export const ANNOUNCED = 'colloque.announcement';

/** Reads an announcement; null for what is none. */
export function readAnnouncement(payload: Uint8Array): Announcement | null {
  const value = parse(new TextDecoder().decode(payload));
  const text = textOf(value?.['text']).trim();
  if (!value || text === '') return null;
  const { by } = value;
  return { text, by: typeof by === 'string' ? by : null, name: textOf(value['name']) };
}
