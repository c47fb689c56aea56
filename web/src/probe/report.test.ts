import { afterEach, describe, expect, test, vi } from 'vitest';
import { adviceOf, reasonOf } from './line-words';
import { linesOf, START } from './lines';
import { csvOf, type Findings, textOf } from './report';
import type { Judgement, PathResult, TestResult } from './result';

const spoken = vi.hoisted(() => ({ value: 'fr' }));
vi.mock('../i18n', () => ({ language: spoken }));

const PATHS: PathResult[] = [
  { name: 'udp', port: 10000, outcome: 'blocked', connect_ms: null, ipv6: null },
  { name: 'turn_tls', port: 443, outcome: 'ok', connect_ms: 812.4, ipv6: false },
];

const RESULT: TestResult = {
  browser: { name: 'firefox', version: 128, os: 'linux', webrtc: true },
  signalling: { https_rtt_ms: 20, wss: true, wss_rtt_ms: 21, proxied: true },
  paths: PATHS,
  media: {
    path: 'turn_tls',
    port: 443,
    first_frame_ms: 640,
    steps: [
      {
        target_kbps: 1200,
        kbps_up: 510,
        kbps_down: 505,
        loss_up: 0,
        loss_down: 0.015,
        rtt_ms: 44.6,
        jitter_ms: 2,
      },
    ],
  },
  devices: { microphone: 'silent', camera: 'ok', speaker: 'heard' },
};

function findings(): Findings {
  const lines = linesOf({ ...START, result: RESULT, paths: PATHS, outcomes: PATHS, over: true });
  return {
    host: 'visio.example',
    id: 'test_1',
    when: '6 mai à 9 h 15',
    verdict: 'Possible',
    reason: 'Motif, avec "guillemets"',
    advice: ['Ouvrir 10000/UDP.'],
    lines,
    result: RESULT,
  };
}

afterEach(() => {
  spoken.value = 'fr';
});

describe('the report', () => {
  test('as a text says each port with what came of it and every rate', () => {
    expect(textOf(findings()).replaceAll('\u00a0', ' ')).toBe(`Test de connexion visio.example

Date : 6 mai à 9 h 15
Référence : test_1
Conclusion : Possible
Motif : Motif, avec "guillemets"

À faire
- Ouvrir 10000/UDP.

- Navigateur : OK (firefox 128, linux)
- Liaison avec le service : OK (21 ms, un intermédiaire relaie les requêtes)
- Passage direct, port 10000/UDP : Blocage
- Relais chiffré, port 443/TCP : OK (812 ms, IPv4)
- Son et image, aller et retour : Lenteurs (0,5 Mbit/s, pertes 2 %, première image après 640 ms)
- 1200 kbit/s demandés : envoi 510 kbit/s, réception 505 kbit/s, pertes 0,0 % et 1,5 %, aller-retour 45 ms
- Micro : Rien entendu
- Caméra : OK
- Haut-parleur : OK
`);
  });

  test('as a table has a line for each, with quotation marks doubled', () => {
    spoken.value = 'en';
    const lines = csvOf(findings()).split('\r\n');
    expect(lines[0]).toBe('Check,Port,Outcome,Detail');
    expect(lines).toContain('Reason,,"Motif, avec ""guillemets""",');
    expect(lines).toContain('"Direct way, port 10000/UDP",10000/UDP,Blocked,');
    expect(lines.at(-1)).toBe('');
  });
});

describe('what to do', () => {
  const judged = (...advice: Judgement['advice']): Judgement => ({
    verdict: 'video_low',
    reason: 'relay_only',
    advice,
  });

  test('names all ports in one sentence, and nothing that this page cannot say', () => {
    const advice = adviceOf(
      judged(
        { code: 'open_udp_media', ports: ['10000/udp'] },
        { code: 'open_turn_udp', ports: ['3478/udp'] },
        { code: 'stand_on_one_leg', ports: [] },
        { code: 'allow_websocket', ports: [] },
      ),
      'visio.example',
    );
    expect(advice).toHaveLength(2);
    expect(advice[0]).toContain('10000/UDP, 3478/UDP');
    expect(advice[1]).toContain('visio.example');
  });

  test('an unknown reason is left out', () => {
    expect(reasonOf(judged())).not.toBe('');
    expect(reasonOf({ ...judged(), reason: 'phase_of_the_moon' })).toBe('');
  });
});
