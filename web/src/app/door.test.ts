import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { join } from '../api/join';
import { NO_TIMES } from '../api/refusal';
import type { Preview } from '../devices/preview';
import { screen, type Visit } from './screen';
import { doorTrouble, enter } from './visit';

/** The code of the call, on its way for as long as the test wants. */
const code = vi.hoisted(() => {
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { arrive, arrived };
});

vi.mock('../api/join', () => ({ PATIENCE: 10_000, preview: vi.fn(), join: vi.fn() }));
vi.mock('../call/screen', async () => {
  await code.arrived;
  return { CallScreen: () => null };
});

const VISIT: Visit = {
  link: 'abcd1234',
  invitation: {
    roomName: 'Consultation',
    features: { chat: true, screenShare: true, raiseHand: true },
    times: NO_TIMES,
    bound: true,
    name: 'Mme Durand',
    role: 'patient',
  },
  guest: { key: 'k', name: '' },
};

beforeEach(() => {
  vi.useFakeTimers();
  const admission = { token: 't', wsUrl: 'ws://x', name: 'Mme Durand', role: 'patient', times: NO_TIMES };
  vi.mocked(join).mockResolvedValue({ ok: true, value: admission });
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
