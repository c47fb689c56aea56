import { useEffect } from 'preact/hooks';
import { actionOf, takesText } from './shortcuts';
import type { CallView } from './view';

/** Listens for the keys of the call while it is on screen. */
export function useShortcuts(view: CallView): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = actionOf(event, takesText(document.activeElement), view.letters.value);
      // A dialog keeps its keys to itself; Escape closes it without our help.
      if (!action || view.overlay.value) return;
      if (action !== 'close') event.preventDefault();
      view.act(action);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [view]);
}
