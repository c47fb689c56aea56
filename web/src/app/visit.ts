import { signal } from '@preact/signals';
import { type JoinRequest, join, PATIENCE, preview } from '../api/join';
import { ownRefusal, type Refusal } from '../api/refusal';
import type { Preview } from '../devices/preview';
import { abilitiesHere, obstacle } from '../devices/support';
import { guestOf, keepGuest } from './identity';
import { planAfter } from './retry';
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
  if (blocked) {
    screen.value = { is: 'unsupported', obstacle: blocked };
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
  screen.value = { is: 'link', visit: { link, invitation: outcome.value, guest } };
  void loadCall().catch(() => undefined);
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
 * Enters the call under a name, trying for as long as the reason is one that passes.
 *
 * The captures stay with the link page until the door is open, so that the person keeps seeing themselves.
 */
export async function enter(visit: Visit, name: string, captures: Preview): Promise<void> {
  const guest = { ...visit.guest, name };
  if (visit.invitation.name === null) await keepGuest(visit.link, guest, Date.now());
  const visitor: Visit = { ...visit, guest };
  for (let failures = 0; screen.value.is === 'link'; failures++) {
    const [outcome, call] = await Promise.all([join(requestOf(visitor)), loadCallInTime()]);
    if (outcome.ok && typeof call === 'object') {
      doorTrouble.value = null;
      // Nothing that was asked before the door opened may take the call off the screen.
      turn++;
      clearTimeout(nextTry);
      const props = {
        visit: visitor,
        admission: outcome.value,
        luggage: captures.handOver(),
        rejoin: () => join(requestOf(visitor)),
        onEnd: (ending: Ending) => {
          screen.value = { is: 'ended', visit: visitor, ending };
        },
      };
      screen.value = { is: 'call', Call: call.CallScreen, props };
      return;
    }
    // The service answers but its files are gone: it was upgraded under this page, which must be loaded anew.
    if (outcome.ok && call === 'gone' && failures > 0) location.reload();
    const refusal = outcome.ok ? ownRefusal('unreachable') : outcome.refusal;
    const plan = planAfter(refusal, failures, Date.now(), Math.random());
    if (plan.kind === 'final' || refusal.code === 'too-early') {
      doorTrouble.value = null;
      return refuse(visit.link, refusal);
    }
    doorTrouble.value = refusal;
    await new Promise((resolve) => setTimeout(resolve, plan.milliseconds));
  }
}

/** Back to the link page after a call has ended. */
export async function comeBack(visit: Visit): Promise<void> {
  screen.value = { is: 'opening' };
  await open(visit.link);
}

function requestOf(visit: Visit): JoinRequest {
  const { bound, name } = visit.invitation;
  return {
    link: visit.link,
    ...(name === null ? { name: visit.guest.name } : {}),
    ...(bound ? {} : { key: visit.guest.key }),
  };
}

/** The code of the call is half of the page's weight and needed by those who enter only. */
function loadCall() {
  return import('../call/screen');
}

/** The code of the call, or why it is not there: it cannot be had, or takes longer than people wait unasked. */
async function loadCallInTime(): Promise<Awaited<ReturnType<typeof loadCall>> | 'gone' | 'slow'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<'slow'>((resolve) => {
    timer = setTimeout(() => resolve('slow'), PATIENCE);
  });
  const call = await Promise.race([loadCall().catch(() => 'gone' as const), patience]);
  clearTimeout(timer);
  return call;
}
