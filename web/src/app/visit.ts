import { signal } from '@preact/signals';
import type { Admission } from '../api/answers';
import { type JoinRequest, join, PATIENCE, preview } from '../api/join';
import { ownRefusal, type Refusal } from '../api/refusal';
import { Preview } from '../devices/preview';
import { abilitiesHere, obstacle } from '../devices/support';
import type { Credential } from '../probe/api';
import { loadTest } from '../probe/load';
import { WaitingLine } from '../waiting/line';
import { welcome } from '../waiting/welcome';
import { guestOf, keepGuest } from './identity';
import { pause, planAfter } from './retry';
import { readPath } from './route';
import { type Ending, screen, type Visit } from './screen';

/** Why the person is not in yet although they pressed the button; null while nothing stands in the way. */
export const doorTrouble = signal<Refusal | null>(null);

let nextTry: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;

/** Counts the looks at a link: they overlap, and only the answer to the latest may change the screen. */
let turn = 0;

/** Starts at what the address asks for. */
export function begin(): void {
  const route = readPath(location.pathname);
  if (route.page === 'start') {
    screen.value = { is: 'start' };
    return;
  }
  const blocked = obstacle(abilitiesHere());
  // A test goes on without WebRTC, since its result then says so to those who wait for it.
  if (route.page === 'test' && blocked !== 'insecure') {
    void openTest({ test: route.test }, null);
    return;
  }
  if (blocked || route.page === 'test') {
    screen.value = { is: 'unsupported', obstacle: blocked ?? 'insecure' };
    return;
  }
  void open(route.link);
  // A phone that wakes up or finds its network again need not wait for the next try.
  const retryNow = () => {
    if (screen.value.is === 'refused' && screen.value.nextTry !== null) void open(route.link);
  };
  window.addEventListener('online', retryNow);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') retryNow();
  });
}

/** Looks what a link leads to, and shows it; on a refusal that may pass, tries again for as long as it takes. */
export async function open(link: string): Promise<void> {
  clearTimeout(nextTry);
  const mine = ++turn;
  const outcome = await preview(link);
  if (mine !== turn) return;
  if (!outcome.ok) return refuse(link, outcome.refusal);
  attempt = 0;
  const guest = await guestOf(link, Date.now());
  if (mine !== turn) return;
  const visit = { link, invitation: outcome.value, guest };
  void loadCall().catch(() => undefined);
  if (wasWaiting() && (outcome.value.name !== null || guest.name !== '')) return resume(visit);
  screen.value = { is: 'link', visit };
}

function refuse(link: string, refusal: Refusal): void {
  const now = Date.now();
  const plan = planAfter(refusal, attempt++, now, Math.random());
  if (plan.kind === 'final') {
    screen.value = { is: 'refused', refusal, nextTry: null };
    return;
  }
  screen.value = { is: 'refused', refusal, nextTry: now + plan.milliseconds };
  nextTry = setTimeout(() => void open(link), plan.milliseconds);
}

/**
 * Enters the call or its waiting room under a name, trying for as long as the reason is one that passes.
 *
 * The captures stay with the screen that has them until the door is open, so that the person keeps seeing
 * themselves.
 */
export async function enter(visit: Visit, name: string, captures: Preview): Promise<void> {
  const guest = { ...visit.guest, name };
  if (visit.invitation.name === null) await keepGuest(visit.link, guest, Date.now());
  const visitor: Visit = { ...visit, guest };
  const from = screen.value.is;
  for (let failures = 0; screen.value.is === from; failures++) {
    const loading = loadCallInTime();
    const outcome = await join(requestOf(visitor));
    if (outcome.ok && outcome.value.wait) return waitAtTheDoor(visitor, outcome.value, captures);
    const call = await loading;
    if (outcome.ok && typeof call === 'object') return goIn(visitor, outcome.value, captures, call);
    // The service answers but its files are gone: it was upgraded under this page, which must be loaded anew.
    if (outcome.ok && call === 'gone' && failures > 0) location.reload();
    const refusal = outcome.ok ? ownRefusal('unreachable') : outcome.refusal;
    const plan = planAfter(refusal, failures, Date.now(), Math.random());
    if (plan.kind === 'final' || refusal.code === 'too-early') {
      doorTrouble.value = null;
      return refuse(visit.link, refusal);
    }
    doorTrouble.value = refusal;
    await sleep(plan.milliseconds);
  }
}

function goIn(visit: Visit, admission: Admission, captures: Preview, call: CallModule): void {
  arrived();
  keepWaiting(false);
  const props = {
    visit,
    admission,
    luggage: captures.handOver(),
    rejoin: () => join(requestOf(visit)),
    onEnd: (ending: Ending) => {
      screen.value = { is: 'ended', visit, ending };
    },
  };
  screen.value = { is: 'call', Call: call.CallScreen, props };
}

function waitAtTheDoor(visit: Visit, admission: Admission, captures: Preview): void {
  arrived();
  keepWaiting(true);
  captures.movedOn = true;
  const line = new WaitingLine({
    admission,
    rejoin: () => join(requestOf(visit)),
    onAdmitted: (admitted) => void goInFromTheDoor(visit, admitted, captures),
    onEnd: (end) => {
      keepWaiting(false);
      if (end.how === 'refused') refuse(visit.link, end.refusal);
      else screen.value = { is: 'ended', visit, ending: end };
    },
  });
  screen.value = { is: 'waiting', visit, line, captures };
  line.start();
}

/** The door is open: says so, and goes in as soon as the code of the call is there. */
async function goInFromTheDoor(visit: Visit, admission: Admission, captures: Preview): Promise<void> {
  welcome(captures.speakerId.value);
  for (let failures = 0; screen.value.is === 'waiting'; failures++) {
    const call = await loadCallInTime();
    if (typeof call === 'object') return goIn(visit, admission, captures, call);
    if (call === 'gone' && failures > 0) location.reload();
    await sleep(pause(failures, Math.random()));
  }
}

/** Nothing that was asked before this screen may take it away. */
function arrived(): void {
  doorTrouble.value = null;
  turn++;
  clearTimeout(nextTry);
}

/** Goes back to where a reload cut the wait off; the place in the queue is kept by the service meanwhile. */
async function resume(visit: Visit): Promise<void> {
  const captures = new Preview(visit.invitation.audioOnly);
  void captures.start();
  await enter(visit, visit.guest.name, captures);
  if (!captures.movedOn) captures.close();
}

/** Tests the connection with the link to an appointment, which may be long before it, and comes back to it. */
export async function testConnection(link: string): Promise<void> {
  clearTimeout(nextTry);
  turn++;
  await openTest({ link }, () => {
    screen.value = { is: 'opening' };
    void open(link);
  });
}

async function openTest(credential: Credential, onBack: (() => void) | null): Promise<void> {
  const mine = turn;
  for (let failures = 0; mine === turn; failures++) {
    const test = await loadTest().catch(() => null);
    if (mine !== turn) return;
    if (test) {
      screen.value = { is: 'test', Test: test.TestScreen, props: { credential, captures: null, onBack } };
      return;
    }
    // Browsers may keep a failure to load for as long as the page lives.
    if (failures > 0) location.reload();
    await sleep(pause(failures, Math.random()));
  }
}

/** Back to the link page after a call has ended. */
export async function comeBack(visit: Visit): Promise<void> {
  screen.value = { is: 'opening' };
  await open(visit.link);
}

/** Who this device is behind a link. */
export function personOf(visit: Visit): { link: string; key?: string } {
  return { link: visit.link, ...(visit.invitation.bound ? {} : { key: visit.guest.key }) };
}

function requestOf(visit: Visit): JoinRequest {
  return { ...personOf(visit), ...(visit.invitation.name === null ? { name: visit.guest.name } : {}) };
}

/** Whether this tab was in the waiting room when it was loaded anew; the history keeps it and nothing else does. */
function wasWaiting(): boolean {
  return (history.state as { waiting?: boolean } | null)?.waiting === true;
}

function keepWaiting(waiting: boolean): void {
  history.replaceState(waiting ? { waiting } : null, '');
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

type CallModule = Awaited<ReturnType<typeof loadCall>>;

/** The code of the call is half of the page's weight and needed by those who enter only. */
function loadCall() {
  return import('../call/screen');
}

/** The code of the call, or why it is not there: it cannot be had, or takes longer than people wait unasked. */
async function loadCallInTime(): Promise<CallModule | 'gone' | 'slow'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<'slow'>((resolve) => {
    timer = setTimeout(() => resolve('slow'), PATIENCE);
  });
  const call = await Promise.race([loadCall().catch(() => 'gone' as const), patience]);
  clearTimeout(timer);
  return call;
}
