/** What a key does in the call. */
export type Action = 'microphone' | 'camera' | 'share' | 'hand' | 'chat' | 'close';

/** The keys, as shown to people. */
export const KEYS: Readonly<Record<Action, string>> = {
  microphone: 'M',
  camera: 'V',
  share: 'S',
  hand: 'H',
  chat: 'C',
  close: 'Escape',
};

/** The parts of a key press that decide; a subset of `KeyboardEvent`. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  repeat: boolean;
}

/**
 * The action of a key press, or null.
 *
 * @param typing whether the focus is where letters are text
 * @param letters whether one-key shortcuts are on; people who steer by voice turn them off (WCAG 2.1.4)
 */
export function actionOf(press: Press, typing: boolean, letters: boolean): Action | null {
  if (press.ctrlKey || press.altKey || press.metaKey || press.repeat) return null;
  if (press.key === KEYS.close) return 'close';
  if (typing || !letters) return null;
  const key = press.key.toUpperCase();
  const found = Object.entries(KEYS).find(([, bound]) => bound === key);
  return found ? (found[0] as Action) : null;
}

/** Whether an element takes letters as text or as a choice from a list. */
export function takesText(element: Element | null): boolean {
  if (!element) return false;
  if (element instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(element.type);
  return (
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement ||
    (element instanceof HTMLElement && element.isContentEditable)
  );
}
