import { isKey, type ProbeKey, say } from './i18n';
import type { Line } from './lines';
import { carried, worst } from './lines';
import type { Judgement, TestResult } from './result';

/** Advice for the people who run the network, beside ports to open. */
const OF_NETWORKS: readonly string[] = ['allow_websocket', 'exempt_from_inspection'];

/** What a line is called: `Relais, port 3478/UDP`. */
export function nameOf({ subject }: Line): string {
  if (subject.is !== 'path') return say(`line.${subject.is}`);
  return say(`line.${subject.name}`, { port: portOf(subject.name, subject.port) });
}

/** A port as on the firewall sheet: `3478/UDP`. */
export function portOf(name: 'udp' | 'turn_udp' | 'turn_tcp' | 'turn_tls', port: number): string {
  return `${port}/${name === 'udp' || name === 'turn_udp' ? 'UDP' : 'TCP'}`;
}

/** How a line stands, in a word or two. */
export function stateOf({ subject, state }: Line, { devices }: TestResult): string {
  if (state !== 'blocked') return say(`state.${state}`);
  switch (subject.is) {
    case 'browser':
      return say('state.unsuitable');
    case 'media':
      return say('state.slow');
    case 'microphone':
    case 'camera':
    case 'speaker': {
      const key = `state.${devices?.[subject.is]}`;
      return isKey(key) ? plain(key) : say('state.blocked');
    }
    default:
      return say('state.blocked');
  }
}

/** The figures of a line, empty where it has none. */
export function detailOf({ subject, state }: Line, result: TestResult): string {
  if (state !== 'ok' && state !== 'slow' && subject.is !== 'media') return '';
  switch (subject.is) {
    case 'signalling':
      return milliseconds(result.signalling?.wss_rtt_ms);
    case 'path':
      return milliseconds(subject.found?.connect_ms);
    case 'media': {
      const { media } = result;
      if (!media) return '';
      const { loss } = worst(media);
      return say('detail.media', { rate: number(carried(media) / 1000, 1), loss: number(loss * 100, 0) });
    }
    default:
      return '';
  }
}

/** The reason for a verdict in a sentence; empty for one that this page does not know. */
export function reasonOf({ reason }: Judgement): string {
  const key = `reason.${reason}`;
  return isKey(key) ? plain(key) : '';
}

/** What to do, the most helpful first, each in a sentence and said once. */
export function adviceOf(judgement: Judgement, host: string): string[] {
  const ports = [...new Set(judgement.advice.flatMap((advice) => advice.ports))].map((port) =>
    port.toUpperCase(),
  );
  const said = judgement.advice.map(({ code, ports: some }) => {
    if (some.length > 0) return say('advice.ports', { ports: ports.join(', ') });
    if (code === 'allow_websocket' || code === 'exempt_from_inspection')
      return say(`advice.${code}`, { host });
    const key = `advice.${code}`;
    return isKey(key) ? plain(key) : '';
  });
  return [...new Set(said)].filter((text) => text !== '');
}

/** Whether there is something that only those who run the network can do. */
export function needsOthers({ advice }: Judgement): boolean {
  return advice.some(({ code, ports }) => ports.length > 0 || OF_NETWORKS.includes(code));
}

/** A number as people of the language on screen write it: `2,0`. */
export function number(value: number, digits: number): string {
  return value.toFixed(digits).replace('.', say('decimal'));
}

function milliseconds(value: number | null | undefined): string {
  return value == null ? '' : say('detail.milliseconds', { ms: Math.round(value) });
}

/** The text of a key that was put together, and so is known to have no places. */
function plain(key: ProbeKey): string {
  return (say as (key: ProbeKey) => string)(key);
}
