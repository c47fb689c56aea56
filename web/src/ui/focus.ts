import { useEffect, useState } from 'preact/hooks';

/** Gives the focus back to what had it before, when the part of the page that took it goes away. */
export function useReturnFocus(): void {
  // Read while drawing: parts inside may take the focus before this part's own effects run.
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost && before instanceof HTMLElement && before.isConnected) before.focus();
    },
    [before],
  );
}
