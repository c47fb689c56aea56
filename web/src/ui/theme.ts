import { effect, signal } from '@preact/signals';

/** Whether a call is on screen: it is always dark, so that faces stand out. */
export const callOnScreen = signal(false);

/** Keeps `data-theme` on the root element true to the device's setting and to the screen shown. */
export function followTheme(): void {
  const query = window.matchMedia('(prefers-color-scheme: dark)');
  const dark = signal(query.matches);
  const follow = (event: MediaQueryListEvent) => {
    dark.value = event.matches;
  };
  // Safari before 14 has the older method only.
  if (query.addEventListener) query.addEventListener('change', follow);
  else query.addListener(follow);
  effect(() => {
    document.documentElement.dataset['theme'] = callOnScreen.value || dark.value ? 'dark' : 'light';
  });
}
