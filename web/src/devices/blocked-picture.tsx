import type { Family } from './support';

/** Where in the address bar of a family of browsers the permission is found; said in words beside it. */
export function BlockedPicture({ family }: { family: Family }) {
  if (family === 'other' || family === 'safari') return null;
  return (
    <svg class="blocked-picture" viewBox="0 0 300 64" aria-hidden="true">
      <rect class="bar" x="2" y="10" width="296" height="44" rx="22" />
      <circle class="spot" cx="32" cy="32" r="17" />
      <g class="sign">
        <Sign family={family} />
      </g>
      <rect class="address" x="62" y="27" width={family === 'ios' ? 120 : 170} height="10" rx="5" />
    </svg>
  );
}

function Sign({ family }: { family: Family }) {
  if (family === 'firefox') {
    return (
      <>
        <rect x="22" y="26" width="13" height="12" rx="2" />
        <path d="M35 31l7-4v10l-7-4M21 22l22 20" />
      </>
    );
  }
  if (family === 'ios') {
    return (
      <>
        <rect x="22" y="22" width="20" height="13" rx="3" />
        <path d="M22 40h20M22 44h12" />
      </>
    );
  }
  if (family === 'edge') {
    return (
      <>
        <rect x="24" y="30" width="16" height="12" rx="2" />
        <path d="M27 30v-4a5 5 0 0 1 10 0v4" />
      </>
    );
  }
  return (
    <>
      <path d="M22 27h20M22 37h20" />
      <circle cx="28" cy="27" r="3" />
      <circle cx="36" cy="37" r="3" />
    </>
  );
}
