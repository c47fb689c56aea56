import { say } from './i18n';
import { detailOf, nameOf, number, portOf, stateOf } from './line-words';
import type { Line } from './lines';
import type { MediaResult, TestResult } from './result';

/** All that a report says. */
export interface Findings {
  /** The service's name on the network: for the IT department, what to open ports to. */
  host: string;
  /** The test's name in the room API, null where it never got one. */
  id: string | null;
  /** When, in words with date and time. */
  when: string;
  verdict: string;
  reason: string;
  advice: readonly string[];
  lines: readonly Line[];
  result: TestResult;
}

/** One check of a report. */
export interface ReportRow {
  check: string;
  port: string;
  outcome: string;
  detail: string;
}

/** Every check with its figures; nothing in it tells who the person is. */
export function rowsOf({ lines, result }: Findings): ReportRow[] {
  const rows = lines.map((line) => ({
    check: nameOf(line),
    port: line.subject.is === 'path' ? portOf(line.subject.name, line.subject.port) : '',
    outcome: stateOf(line, result),
    detail: [detailOf(line, result), extraOf(line, result)].filter((text) => text !== '').join(', '),
  }));
  const media = lines.findIndex(({ subject }) => subject.is === 'media');
  if (result.media) rows.splice(media + 1, 0, ...stepRows(result.media));
  return rows;
}

/** The report as a text for a message. */
export function textOf(findings: Findings): string {
  const facts = factsOf(findings).map(([name, value]) => say('fact', { name, value }));
  const rows = rowsOf(findings).map(({ check, outcome, detail }) => {
    const found = outcome === '' ? detail : `${outcome}${detail === '' ? '' : ` (${detail})`}`;
    return `- ${say('fact', { name: check, value: found })}`;
  });
  const todo = findings.advice.map((advice) => `- ${advice}`);
  return [
    say('report.heading', { service: findings.host }),
    '',
    ...facts,
    ...(todo.length === 0 ? [] : ['', say('report.todo'), ...todo]),
    '',
    ...rows,
    '',
  ].join('\n');
}

/** The report as a table (RFC 4180). */
export function csvOf(findings: Findings): string {
  const head = (['check', 'port', 'outcome', 'detail'] as const).map((name) => say(`report.column.${name}`));
  const facts = factsOf(findings).map(([name, value]) => [name, '', value, '']);
  const todo = findings.advice.map((advice) => [say('report.todo'), '', advice, '']);
  const rows = rowsOf(findings).map(({ check, port, outcome, detail }) => [check, port, outcome, detail]);
  return [head, ...facts, ...todo, ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
}

function factsOf({ when, id, verdict, reason }: Findings): [string, string][] {
  const facts: [string, string][] = [
    [say('report.when'), when],
    [say('report.id'), id ?? ''],
    [say('report.verdict'), verdict],
    [say('report.reason'), reason],
  ];
  return facts.filter(([, value]) => value !== '');
}

function extraOf({ subject }: Line, { browser, signalling, media }: TestResult): string {
  switch (subject.is) {
    case 'browser':
      return browser ? `${browser.name} ${browser.version}, ${browser.os}` : '';
    case 'signalling':
      return signalling?.proxied ? say('report.proxied') : '';
    case 'path':
      if (subject.found?.ipv6 == null) return '';
      return subject.found.ipv6 ? 'IPv6' : 'IPv4';
    case 'media':
      return media?.first_frame_ms == null ? '' : say('report.first-frame', { ms: media.first_frame_ms });
    default:
      return '';
  }
}

function stepRows(media: MediaResult): ReportRow[] {
  return media.steps.map((step) => ({
    check: say('report.at', { target: step.target_kbps }),
    port: portOf(media.path, media.port),
    outcome: '',
    detail: say('report.step', {
      up: step.kbps_up,
      down: step.kbps_down,
      lossup: number(step.loss_up * 100, 1),
      lossdown: number(step.loss_down * 100, 1),
      rtt: step.rtt_ms === null ? '–' : Math.round(step.rtt_ms),
    }),
  }));
}

/** Quoted where it must be. No field begins as a formula does: all of them are words and figures of ours. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
