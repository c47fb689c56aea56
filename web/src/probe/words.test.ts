import { describe, expect, test } from 'vitest';
import { readWord } from './words';

const read = (word: object) => readWord(JSON.stringify(word));

describe('what the service says', () => {
  test('when it is ready has the paths that this page knows, each with its own server', () => {
    const relay = { urls: ['turn:a:3478?transport=udp'], username: 'u', credential: 'c' };
    const word = read({
      type: 'ready',
      seen: { proxied: true, tls: true, ipv6: false },
      limits: { seconds: 60, legs: 2, kbps: 800 },
      paths: [
        { name: 'udp', port: 10000, policy: 'all', ice_servers: [] },
        { name: 'turn_udp', port: 3478, policy: 'relay', ice_servers: [relay] },
        { name: 'turn_quic', port: 443, policy: 'relay', ice_servers: [relay] },
        { name: 'turn_tls' },
        'x',
      ],
    });
    expect(word).toEqual({
      type: 'ready',
      ready: {
        proxied: true,
        kilobits: 800,
        paths: [
          { name: 'udp', port: 10000, policy: 'all', iceServers: [] },
          { name: 'turn_udp', port: 3478, policy: 'relay', iceServers: [relay] },
        ],
      },
    });
  });

  test('about a leg is read with its name', () => {
    expect(read({ type: 'answer', leg: 'p0', sdp: 'v=0' })).toEqual({
      type: 'answer',
      leg: 'p0',
      sdp: 'v=0',
    });
    expect(read({ type: 'connected', leg: 'p0', path: 'udp', ipv6: true })).toMatchObject({ ipv6: true });
    expect(read({ type: 'error', code: 'busy' })).toEqual({ type: 'error', code: 'busy', leg: null });
    expect(
      read({ type: 'figures', leg: 'p0', packets_up: 9, lost_up: 1, bytes_up: 3, rtt_ms: null }),
    ).toEqual({ type: 'figures', leg: 'p0', figures: { packetsUp: 9, lostUp: 1, rttMs: null } });
  });

  test('to be asked again later has its seconds', () => {
    expect(read({ type: 'refused', code: 'busy', retry_after: 3 })).toMatchObject({ retryAfter: 3000 });
  });

  test.each(['x', '[]', '{}', '{"type":"news"}', null, 7])('%j is nothing', (frame) => {
    expect(readWord(frame)).toBeNull();
  });
});
