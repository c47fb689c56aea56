import { signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import type { Admission, Invitation } from '../api/answers';
import type { Outcome } from '../api/join';
import type { Refusal } from '../api/refusal';
import type { Luggage, Preview } from '../devices/preview';
import type { Obstacle } from '../devices/support';
import type { TestProps } from '../probe/test-screen';
import type { WaitingLine } from '../waiting/line';
import type { Guest } from './identity';

/** A link, what it leads to, and who this device is for it. */
export interface Visit {
  link: string;
  invitation: Invitation;
  guest: Guest;
}

/**
 * How a call ended for this person: `closed` by the host, or `over` when nobody says who closed it; or the wait
 * for it, which the person `gave-up`.
 */
export interface Ending {
  how: 'left' | 'closed' | 'over' | 'removed' | 'elsewhere' | 'gave-up';
}

/** What the call screen is given; the screen itself arrives with the code that is loaded on demand. */
export interface CallProps {
  visit: Visit;
  admission: Admission;
  luggage: Luggage;
  /** Asks for a fresh token after the line was lost for long. */
  rejoin: () => Promise<Outcome<Admission>>;
  onEnd: (ending: Ending) => void;
}

/** What is on screen. */
export type Screen =
  | { is: 'start' }
  | { is: 'unsupported'; obstacle: Obstacle }
  | { is: 'opening' }
  | { is: 'refused'; refusal: Refusal; nextTry: number | null }
  | { is: 'link'; visit: Visit }
  | { is: 'waiting'; visit: Visit; line: WaitingLine; captures: Preview }
  | { is: 'test'; Test: FunctionComponent<TestProps>; props: TestProps }
  | { is: 'call'; Call: FunctionComponent<CallProps>; props: CallProps }
  | { is: 'ended'; visit: Visit; ending: Ending };

/** The one screen that is shown; only `visit.ts` changes it. */
export const screen = signal<Screen>({ is: 'opening' });
