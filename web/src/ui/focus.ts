import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

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

/** Gives the focus to the heading of the screen when the part of the page that has it goes away. */
export function useHeadingAsHeir(part: { readonly current: HTMLElement | null }): void {
  useHeir(part, 'h1');
}

/** The same for another heir, by a selector; it must be able to have the focus. */
export function useHeir(part: { readonly current: HTMLElement | null }, heir: string): void {
  // A layout effect is cleaned up while the part is still in the page, and so still has the focus.
  useLayoutEffect(
    () => () => {
      if (part.current?.contains(document.activeElement)) document.querySelector<HTMLElement>(heir)?.focus();
    },
    [part, heir],
  );
}
