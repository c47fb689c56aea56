import type { PlainKey } from '../i18n';

/** What the page must know about the browser before it offers a call. */
export interface Abilities {
  secure: boolean;
  peerConnection: boolean;
  getUserMedia: boolean;
  transceivers: boolean;
  /** Whether the language has what the code of the call takes for granted. */
  language: boolean;
  userAgent: string;
}

/** Why a call cannot be made here: no WebRTC or too old for it, no https, or a window inside another application. */
export type Obstacle = 'webrtc' | 'insecure' | 'in-app';

/** Applications whose built-in windows show pages but forbid the camera; each names itself to web servers. */
const IN_APP = /\b(FBAN|FBAV|Instagram|Line\/|Snapchat|MicroMessenger|GSA\/)/;

/** The obstacle to a call, or null when there is none. */
export function obstacle(abilities: Abilities): Obstacle | null {
  if (!abilities.secure) return 'insecure';
  const { peerConnection, transceivers, getUserMedia, language } = abilities;
  if (peerConnection && transceivers && getUserMedia && language) return null;
  return IN_APP.test(abilities.userAgent) ? 'in-app' : 'webrtc';
}

/** What this browser can do. */
export function abilitiesHere(): Abilities {
  const connection = typeof RTCPeerConnection === 'function' ? RTCPeerConnection : null;
  return {
    secure: window.isSecureContext,
    peerConnection: connection !== null,
    transceivers: connection !== null && 'addTransceiver' in connection.prototype,
    getUserMedia: typeof navigator.mediaDevices?.getUserMedia === 'function',
    language: knowsLanguage(),
    userAgent: navigator.userAgent,
  };
}

/** What `livekit-client` uses without looking: there from Chrome 93, Firefox 95 and Safari 15.4 on. */
function knowsLanguage(): boolean {
  return 'hasOwn' in Object && typeof WeakRef === 'function' && typeof crypto.randomUUID === 'function';
}

/** Families of browsers that ask for the camera in different ways. */
export type Family =
  | 'chrome'
  | 'android'
  | 'edge'
  | 'firefox'
  | 'firefox-android'
  | 'safari'
  | 'ios'
  | 'ios-other'
  | 'other';

/** Browsers of an iPhone other than its own: there the phone's settings decide, not the browser's. */
const OTHER_ON_IOS = /\b(CriOS|FxiOS|EdgiOS|GSA)\//;

/** The family of a browser, from what it calls itself; only words on a help page depend on it. */
export function familyOf(userAgent: string, touchPoints: number): Family {
  const apple = /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1);
  if (apple) return OTHER_ON_IOS.test(userAgent) ? 'ios-other' : 'ios';
  if (/Firefox\//.test(userAgent)) return /Android/.test(userAgent) ? 'firefox-android' : 'firefox';
  if (/Android/.test(userAgent)) return /Chrome\//.test(userAgent) ? 'android' : 'other';
  if (/Edg\//.test(userAgent)) return 'edge';
  if (/Chrom(e|ium)\//.test(userAgent)) return 'chrome';
  if (/Safari\//.test(userAgent)) return 'safari';
  return 'other';
}

/** The way out when the camera is refused, in the words of one family of browsers. */
export function wayOut(family: Family): Extract<PlainKey, `devices.refused.${Family}`> {
  return `devices.refused.${family}`;
}
