import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { join } from '../api/join';
import { NO_TIMES } from '../api/refusal';
import type { Preview } from '../devices/preview';
import type { Around } from '../waiting/line';
import { type Screen, screen, type Visit } from './screen';
import { doorTrouble, enter } from './visit';

/** The code of the call, on its way for as long as the test wants. */
const code = vi.hoisted(() => {
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { arrive, arrived };
});

/** What the page tells the line to the waiting room. */
const line = vi.hoisted(() => ({ around: undefined as Around | undefined }));

vi.mock('../api/join', () => ({ PATIENCE: 10_000, preview: vi.fn(), join: vi.fn() }));
vi.mock('../waiting/welcome', () => ({ welcome: vi.fn() }));
vi.mock('../waiting/line', () => ({
  WaitingLine: class {
    constructor(around: Around) {
      line.around = around;
    }
    start(): void {}
  },
}));
vi.mock('../call/screen', async () => {
  await code.arrived;
  return { CallScreen: () => null };
});

const VISIT: Visit = {
  link: 'abcd1234',
  invitation: {
    roomName: 'Consultation',
    features: { chat: true, screenShare: true, raiseHand: true, onePresenter: false },
    audioOnly: false,
    times: NO_TIMES,
    bound: true,
    name: 'Mme Durand',
    role: 'patient',
  },
  guest: { key: 'k', name: '' },
};

const ADMISSION = {
  token: 't',
  wsUrl: 'ws://x',
  name: 'Mme Durand',
  role: 'patient',
  times: NO_TIMES,
  wait: false,
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('history', { state: null, replaceState: vi.fn() });
  vi.mocked(join).mockResolvedValue({ ok: true, value: ADMISSION });
});

afterEach(() => {
  vi.useRealTimers();
});

test('someone whose line brings the code of the call too slowly is told so, and goes in when it is there', async () => {
  screen.value = { is: 'link', visit: VISIT };
  const captures = { handOver: () => ({}) } as unknown as Preview;
  void enter(VISIT, 'Mme Durand', captures);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(doorTrouble.value).toBeNull();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(doorTrouble.value?.code).toBe('unreachable');
  code.arrive();
  await vi.advanceTimersByTimeAsync(2_000);
  await vi.waitFor(() => expect(screen.value.is).toBe('call'));
  expect(doorTrouble.value).toBeNull();
});

test('someone who has to wait keeps their captures, and goes in with them when the door opens', async () => {
  screen.value = { is: 'link', visit: VISIT };
  vi.mocked(join).mockResolvedValue({ ok: true, value: { ...ADMISSION, wait: true } });
  const luggage = {};
  const captures = { handOver: () => luggage, movedOn: false, speakerId: { value: null } };
  await enter(VISIT, 'Mme Durand', captures as unknown as Preview);
  expect([screen.value.is, captures.movedOn]).toEqual(['waiting', true]);
  expect(vi.mocked(history.replaceState).mock.lastCall?.[0]).toEqual({ waiting: true });
  code.arrive();
  await import('../call/screen');
  line.around?.onAdmitted({ ...ADMISSION, token: 't2' });
  await vi.waitFor(() => expect(screen.value.is).toBe('call'));
  const now = screen.value as Screen;
  expect(now.is === 'call' && [now.props.admission.token, now.props.luggage === luggage]).toEqual([
    't2',
    true,
  ]);
  expect(vi.mocked(history.replaceState).mock.lastCall?.[0]).toBeNull();
});
