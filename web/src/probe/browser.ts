import { familyOf } from '../devices/support';
import type { BrowserResult } from './result';

/** The browser and the system behind what a browser calls itself, as far as they matter for a call. */
export function browserOf(userAgent: string, touchPoints: number, webrtc: boolean): BrowserResult {
  const [name, version] = nameOf(userAgent, touchPoints);
  return { name, version, os: osOf(userAgent, touchPoints), webrtc };
}

function nameOf(userAgent: string, touchPoints: number): [BrowserResult['name'], number] {
  switch (familyOf(userAgent, touchPoints)) {
    case 'firefox':
    case 'firefox-android':
      return ['firefox', versionIn(userAgent, /Firefox\/(\d+)/)];
    case 'edge':
      return ['edge', versionIn(userAgent, /Edg\/(\d+)/)];
    case 'chrome':
      return ['chrome', versionIn(userAgent, /Chrom(?:e|ium)\/(\d+)/)];
    case 'android':
      if (/EdgA\//.test(userAgent)) return ['edge', versionIn(userAgent, /EdgA\/(\d+)/)];
      return ['chrome', versionIn(userAgent, /Chrome\/(\d+)/)];
    case 'safari':
    case 'ios':
      return ['safari', versionIn(userAgent, /Version\/(\d+)/)];
    default:
      return ['other', versionIn(userAgent, /(?:CriOS|FxiOS|EdgiOS|Version)\/(\d+)/)];
  }
}

function osOf(userAgent: string, touchPoints: number): BrowserResult['os'] {
  if (/iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1)) return 'ios';
  if (/Android/.test(userAgent)) return 'android';
  if (/Windows/.test(userAgent)) return 'windows';
  if (/Macintosh/.test(userAgent)) return 'macos';
  return /Linux|CrOS/.test(userAgent) ? 'linux' : 'other';
}

/** 0 where it is not said. */
function versionIn(userAgent: string, pattern: RegExp): number {
  return Number(pattern.exec(userAgent)?.[1] ?? 0);
}
