import { isRecord } from '../api/refusal';
import { parse, seconds, textOf } from '../waiting/words';
import type { Figures } from './figures';
import { PATHS, type PathName } from './result';

/** A way to try: by itself, with nothing but this one server to help. */
export interface Path {
  name: PathName;
  port: number;
  policy: RTCIceTransportPolicy;
  iceServers: RTCIceServer[];
}

/** What the service sees of the connection, and the ways that it wants tried. */
export interface Ready {
  proxied: boolean;
  /** The most that a leg may take, in kilobits a second. */
  kilobits: number;
  paths: Path[];
}

/** What a leg may take where the service does not say. */
const KILOBITS = 2500;

/** What the service says on the channel of a connection test. */
export type Word =
  | { type: 'ready'; ready: Ready }
  | { type: 'refused'; code: string; retryAfter: number | null }
  | { type: 'pong'; id: number }
  | { type: 'answer'; leg: string; sdp: string }
  | { type: 'offer_wanted'; leg: string }
  | { type: 'connected'; leg: string; ipv6: boolean | null }
  | { type: 'failed'; leg: string; reason: string }
  | { type: 'figures'; leg: string; figures: Figures }
  | { type: 'error'; code: string; leg: string | null };

/** Reads a frame; null for what this page does not know. */
export function readWord(frame: unknown): Word | null {
  const value = parse(frame);
  if (!value) return null;
  const leg = textOf(value['leg']);
  switch (value['type']) {
    case 'ready':
      return { type: 'ready', ready: readReady(value) };
    case 'refused':
      return { type: 'refused', code: textOf(value['code']), retryAfter: seconds(value['retry_after']) };
    case 'pong':
      return { type: 'pong', id: Number(value['id']) };
    case 'answer':
      return { type: 'answer', leg, sdp: textOf(value['sdp']) };
    case 'offer_wanted':
      return { type: 'offer_wanted', leg };
    case 'connected':
      return { type: 'connected', leg, ipv6: flag(value['ipv6']) };
    case 'failed':
      return { type: 'failed', leg, reason: textOf(value['reason']) };
    case 'figures':
      return { type: 'figures', leg, figures: readFigures(value) };
    case 'error':
      return { type: 'error', code: textOf(value['code']), leg: leg === '' ? null : leg };
    default:
      return null;
  }
}

function readReady(value: Record<string, unknown>): Ready {
  const seen = isRecord(value['seen']) ? value['seen'] : {};
  const limits = isRecord(value['limits']) ? value['limits'] : {};
  const paths = Array.isArray(value['paths']) ? value['paths'] : [];
  return {
    proxied: seen['proxied'] === true,
    kilobits: Number(limits['kbps']) || KILOBITS,
    paths: paths.flatMap(readPath),
  };
}

/** A path of a kind that this page does not know is left out: services are often newer than pages. */
function readPath(value: unknown): Path[] {
  if (!isRecord(value)) return [];
  const name = PATHS.find((known) => known === value['name']);
  const port = value['port'];
  if (!name || typeof port !== 'number') return [];
  const servers = Array.isArray(value['ice_servers']) ? value['ice_servers'] : [];
  return [
    {
      name,
      port,
      policy: value['policy'] === 'relay' ? 'relay' : 'all',
      iceServers: servers.flatMap(readIceServer),
    },
  ];
}

function readIceServer(value: unknown): RTCIceServer[] {
  if (!isRecord(value)) return [];
  const urls = [value['urls']].flat().filter((url) => typeof url === 'string');
  if (urls.length === 0) return [];
  return [{ urls, username: textOf(value['username']), credential: textOf(value['credential']) }];
}

function readFigures(value: Record<string, unknown>): Figures {
  const rtt = value['rtt_ms'];
  return {
    packetsUp: Number(value['packets_up']) || 0,
    lostUp: Number(value['lost_up']) || 0,
    rttMs: typeof rtt === 'number' ? rtt : null,
  };
}

function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
