import type { PlainKey } from '../i18n';
import { type Family, wayOut } from './support';

/** What does not work: the camera, the microphone, or both for one reason. */
export type What = 'camera' | 'microphone' | 'both';

/** Why: refused in the browser or by the system, nothing plugged in, in use elsewhere, or broken. */
export type Why = 'refused' | 'system' | 'missing' | 'busy' | 'failed';

/** The reason behind an error of `getUserMedia` or `getDisplayMedia`, by its standard name. */
export function whyOf(error: unknown): Why {
  const name = nameOf(error);
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      // Chromium says so in the message alone when the operating system, not the person, refused.
      return /system/i.test(messageOf(error)) ? 'system' : 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** What to say about a trouble: a title and the way out. */
export interface Advice {
  title: PlainKey;
  text: PlainKey;
}

/** Words for a trouble in the browser at hand. */
export function adviceFor(what: What, why: Why, family: Family): Advice {
  switch (why) {
    case 'refused':
      return { title: `devices.refused.${what}.title`, text: wayOut(family) };
    case 'system':
      return { title: 'devices.refused.system.title', text: 'devices.refused.system' };
    default:
      return { title: `devices.${why}.${what}.title`, text: `devices.${why}` };
  }
}

function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.message : '';
}
