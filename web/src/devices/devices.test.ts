import { describe, expect, test } from 'vitest';
import { loudness } from './level';
import { sortDevices } from './list';
import { troubleOf } from './preview';
import { familyOf, obstacle } from './support';
import { adviceFor, whyOf } from './trouble';

const AGENTS = {
  chrome:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  edge: 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
  android:
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'firefox-android': 'Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0',
  safari:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
  ios: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
} as const;

describe('the family of a browser', () => {
  test.each(Object.entries(AGENTS))('%s', (family, agent) => {
    expect(familyOf(agent, family === 'ios' ? 5 : 0)).toBe(family);
  });

  test.each(['CriOS/140.0', 'FxiOS/140.0', 'EdgiOS/140.0', 'GSA/380.0'])(
    '%s on an iPhone asks for the camera by the rules of the phone',
    (browser) => {
      expect(familyOf(AGENTS.ios.replace('Version/18.0', browser), 5)).toBe('ios-other');
    },
  );

  test('an iPad that calls itself a Mac is told by its touch screen', () => {
    expect(familyOf(AGENTS.safari, 5)).toBe('ios');
  });

  test('an unknown browser gets the general words', () => {
    expect(familyOf('Lynx/2.9', 0)).toBe('other');
  });
});

describe('an obstacle to calls', () => {
  const able = {
    secure: true,
    peerConnection: true,
    getUserMedia: true,
    transceivers: true,
    language: true,
    userAgent: AGENTS.chrome,
  };

  test('there is none in a present browser', () => {
    expect(obstacle(able)).toBeNull();
  });

  test('plain http comes first, since it hides the rest', () => {
    expect(obstacle({ ...able, secure: false, getUserMedia: false })).toBe('insecure');
  });

  test('a browser without peer connections cannot call', () => {
    expect(obstacle({ ...able, peerConnection: false })).toBe('webrtc');
  });

  test('a browser that lacks what the code of the call needs is too old', () => {
    expect(obstacle({ ...able, language: false })).toBe('webrtc');
  });

  test('a window inside an application sends people to their browser', () => {
    const userAgent = `${AGENTS.ios} [FBAN/FBIOS]`;
    expect(obstacle({ ...able, getUserMedia: false, userAgent })).toBe('in-app');
  });
});

describe('an error of the browser', () => {
  test.each([
    [new DOMException('Permission denied', 'NotAllowedError'), 'refused'],
    [new DOMException('Permission denied by system', 'NotAllowedError'), 'system'],
    [new DOMException('', 'NotFoundError'), 'missing'],
    [new DOMException('', 'OverconstrainedError'), 'missing'],
    [new DOMException('', 'NotReadableError'), 'busy'],
    [new TypeError('x'), 'failed'],
    ['text', 'failed'],
    [null, 'failed'],
  ])('%s is %s', (error, why) => {
    expect(whyOf(error)).toBe(why);
  });

  test('is put into words with the way out in this browser', () => {
    expect(adviceFor('camera', 'refused', 'firefox')).toEqual({
      title: 'devices.refused.camera.title',
      text: 'devices.refused.firefox',
    });
    expect(adviceFor('both', 'busy', 'ios')).toEqual({
      title: 'devices.busy.both.title',
      text: 'devices.busy',
    });
  });
});

describe('trouble with both devices', () => {
  const failed = (why: 'refused' | 'missing') => ({ is: 'failed' as const, why });

  test('is said once when the reason is the same', () => {
    expect(troubleOf(failed('refused'), failed('refused'))).toEqual({ what: 'both', why: 'refused' });
  });

  test('begins with the microphone, without which nobody is heard', () => {
    expect(troubleOf(failed('refused'), failed('missing'))).toEqual({ what: 'microphone', why: 'missing' });
  });

  test('does not exist when a camera is just off', () => {
    expect(troubleOf({ is: 'off' }, { is: 'asking' })).toBeNull();
  });
});

test('devices that a browser lists without an id before permission are left out', () => {
  const hidden = { kind: 'videoinput', deviceId: '', label: '' } as const;
  const shown = { kind: 'videoinput', deviceId: 'a', label: 'Camera' } as const;
  expect(sortDevices([hidden, shown]).videoinput).toEqual([{ id: 'a', label: 'Camera' }]);
});

describe('loudness', () => {
  test('silence is nothing and full scale is everything', () => {
    expect(loudness(new Float32Array(512))).toBe(0);
    expect(loudness([1, -1, 1, -1])).toBeCloseTo(1);
  });

  test('a tenth of the swing is a third less', () => {
    expect(loudness([0.1, -0.1])).toBeCloseTo(2 / 3, 2);
  });
});
