import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Invitation } from '../api/answers';
import { type Outcome, preview } from '../api/join';
import { NO_TIMES, ownRefusal } from '../api/refusal';
import { screen } from './screen';
import { open } from './visit';

vi.mock('../api/join', () => ({ PATIENCE: 10_000, preview: vi.fn(), join: vi.fn() }));
vi.mock('../waiting/welcome', () => ({ welcome: vi.fn() }));
vi.mock('../call/screen', () => ({ CallScreen: () => null }));

const OPEN: Outcome<Invitation> = {
  ok: true,
  value: {
    roomName: 'Consultation',
    features: { chat: true, screenShare: true, raiseHand: true, onePresenter: false },
    audioOnly: false,
    times: NO_TIMES,
    bound: false,
    name: null,
    role: 'guest',
  },
};
const SILENT: Outcome<Invitation> = { ok: false, refusal: ownRefusal('unreachable') };

/** Answers to come, one for each time that the page asks, in that order. */
function answersToCome(count: number): ((answer: Outcome<Invitation>) => void)[] {
  const answers: ((answer: Outcome<Invitation>) => void)[] = [];
  for (let asked = 0; asked < count; asked++) {
    vi.mocked(preview).mockReturnValueOnce(new Promise((resolve) => answers.push(resolve)));
  }
  return answers;
}

describe('two looks at a link that overlap', () => {
  beforeEach(() => {
    vi.mocked(preview).mockReset();
    vi.useFakeTimers();
    vi.stubGlobal('history', { state: null, replaceState: vi.fn() });
    screen.value = { is: 'opening' };
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('end with the answer to the later one, whichever comes first', async () => {
    const [first, second] = answersToCome(2);
    const looks = [open('abcd1234'), open('abcd1234')];
    second?.(OPEN);
    await looks[1];
    expect(screen.value.is).toBe('link');
    first?.(SILENT);
    await looks[0];
    expect(screen.value.is).toBe('link');
  });

  test('do not let the earlier one in either', async () => {
    const [first, second] = answersToCome(2);
    const looks = [open('abcd1234'), open('abcd1234')];
    second?.(SILENT);
    await looks[1];
    first?.(OPEN);
    await looks[0];
    expect(screen.value.is).toBe('refused');
  });
});
