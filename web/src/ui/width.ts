import { signal } from '@preact/signals';

/** From this width on, words stand under the icons of the call bar and panels stand beside the faces. */
const WIDE = '(min-width: 760px)';

const query = window.matchMedia(WIDE);

/** Whether there is room for words and panels. */
export const wide = signal(query.matches);

query.addEventListener?.('change', (event) => {
  wide.value = event.matches;
});
