import { expect, test } from 'vitest';
import { browserOf } from './browser';

const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';

test.each([
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/140.0.0.0 Safari/537.36`,
    0,
    'chrome 140 windows',
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/140.0.0.0 Safari/537.36 Edg/139.0.0.0`,
    0,
    'edge 139 windows',
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${BLINK} Chrome/138.0.0.0 Mobile Safari/537.36`,
    5,
    'chrome 138 android',
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${BLINK} Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/137.0.0.0`,
    5,
    'edge 137 android',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 0, 'firefox 128 linux'],
  ['Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0', 5, 'firefox 128 android'],
  [`${MAC} Version/17.4 Safari/605.1.15`, 0, 'safari 17 macos'],
  [`${MAC} Version/17.4 Safari/605.1.15`, 5, 'safari 17 ios'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) CriOS/123.0 Mobile/15E148', 5, 'other 123 ios'],
  ['something else', 0, 'other 0 other'],
])('%s is told as %s', (userAgent, touchPoints, told) => {
  const { name, version, os } = browserOf(userAgent, touchPoints, true);
  expect(`${name} ${version} ${os}`).toBe(told);
});
