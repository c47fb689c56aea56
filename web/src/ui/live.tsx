import { signal } from '@preact/signals';

const polite = signal('');
const urgent = signal('');

/** How long words stay for a screen reader to find; cleared so that the same words can be said again. */
const STAY = 4000;

let clearing: ReturnType<typeof setTimeout> | undefined;

/** Has a screen reader say something: when it is free, or at once if it cannot wait. */
export function announce(words: string, { atOnce = false } = {}): void {
  const place = atOnce ? urgent : polite;
  place.value = words;
  clearTimeout(clearing);
  clearing = setTimeout(() => {
    polite.value = '';
    urgent.value = '';
  }, STAY);
}

/** The two places that screen readers listen to; mounted once, for the life of the page. */
export function LiveRegions() {
  return (
    <div class="unseen">
      <p role="status" aria-live="polite">
        {polite}
      </p>
      <p role="alert" aria-live="assertive">
        {urgent}
      </p>
    </div>
  );
}
