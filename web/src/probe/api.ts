import { type Outcome, post } from '../api/join';
import { isRecord } from '../api/refusal';
import { type Advice, type Judgement, type TestResult, VERDICTS } from './result';

/** What a person has in hand: the secret of a test's own address, or the link to an appointment. */
export type Credential = { test: string } | { link: string };

/** Leave to do a test. */
export interface Ticket {
  id: string;
  token: string;
  /** Where the channel is, for instance `wss://visio.example.org/probe`. */
  wsUrl: string;
  /** When it came, on the clock of `performance`. */
  since: number;
}

/** A token is good for a quarter of an hour; a test that begins by then ends in time, also when people are slow. */
const GOOD_FOR = 5 * 60_000;

/** Whether another test may be done on this leave, so that it is the same one in the room API. */
export function isFresh(ticket: Ticket): boolean {
  return performance.now() - ticket.since < GOOD_FOR;
}

/** Asks for leave to do a test. */
export function openTest(credential: Credential): Promise<Outcome<Ticket>> {
  return post('/v1/join/connection-tests', credential, readTicket);
}

/** Hands a result in; it is judged at once. With `last` it is on its way even when the page goes away. */
export function sendResult(
  token: string,
  result: TestResult,
  { last = false } = {},
): Promise<Outcome<Judgement>> {
  return post('/v1/join/connection-tests/result', { token, result }, readJudgement, { keepalive: last });
}

/** One round trip to the service by a request that costs nothing, in milliseconds; null when it fails. */
export async function httpsRoundTrip(within: number): Promise<number | null> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), within);
  const since = performance.now();
  try {
    await fetch('/', { method: 'HEAD', cache: 'no-store', credentials: 'omit', signal: patience.signal });
    return performance.now() - since;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** The answer that gives leave, or null when it is not one. */
export function readTicket(answer: unknown): Ticket | null {
  if (!isRecord(answer)) return null;
  const { id, token, ws_url: wsUrl } = answer;
  if (typeof id !== 'string' || typeof token !== 'string' || typeof wsUrl !== 'string') return null;
  return { id, token, wsUrl, since: performance.now() };
}

/** The answer that judges, or null when it is not one. */
export function readJudgement(answer: unknown): Judgement | null {
  if (!isRecord(answer)) return null;
  const verdict = VERDICTS.find((known) => known === answer['verdict']);
  if (!verdict) return null;
  const advice = Array.isArray(answer['advice']) ? answer['advice'] : [];
  return {
    verdict,
    reason: typeof answer['reason'] === 'string' ? answer['reason'] : '',
    advice: advice.flatMap(readAdvice),
  };
}

function readAdvice(value: unknown): Advice[] {
  if (!isRecord(value) || typeof value['code'] !== 'string') return [];
  const ports = Array.isArray(value['ports']) ? value['ports'] : [];
  return [{ code: value['code'], ports: ports.filter((port) => typeof port === 'string') }];
}
