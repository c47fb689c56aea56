import type { Family } from './support';

/** Where a family of browsers keeps the permission, as a drawing; said in words beside it. */
export function BlockedPicture({ family }: { family: Family }) {
  switch (family) {
    case 'other':
      return null;
    case 'safari':
      return <SafariMenu />;
    case 'ios-other':
      return <PhoneSwitches />;
    default:
      return <AddressBar family={family} />;
  }
}

/** Those that keep it beside the address, behind a sign of their own. */
type BesideAddress = Exclude<Family, 'other' | 'safari' | 'ios-other'>;

function AddressBar({ family }: { family: BesideAddress }) {
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

function Sign({ family }: { family: BesideAddress }) {
  switch (family) {
    case 'firefox':
      return (
        <>
          <rect x="22" y="26" width="13" height="12" rx="2" />
          <path d="M35 31l7-4v10l-7-4M21 22l22 20" />
        </>
      );
    case 'ios':
      return (
        <>
          <rect x="22" y="22" width="20" height="13" rx="3" />
          <path d="M22 40h20M22 44h12" />
        </>
      );
    case 'edge':
    case 'firefox-android':
      return (
        <>
          <rect x="24" y="30" width="16" height="12" rx="2" />
          <path d="M27 30v-4a5 5 0 0 1 10 0v4" />
        </>
      );
    case 'chrome':
    case 'android':
      return (
        <>
          <path d="M22 27h20M22 37h20" />
          <circle cx="28" cy="27" r="3" />
          <circle cx="36" cy="37" r="3" />
        </>
      );
  }
}

/** The menu bar of a Mac with Safari's own menu open. */
function SafariMenu() {
  return (
    <svg class="blocked-picture" viewBox="0 0 300 104" aria-hidden="true">
      <rect class="bar" x="2" y="2" width="296" height="28" rx="6" />
      <circle class="dot" cx="20" cy="16" r="5" />
      <rect class="spot" x="36" y="5" width="62" height="22" rx="5" />
      <text x="67" y="21">
        Safari
      </text>
      <path class="address-line" d="M114 16h34M164 16h34" />
      <rect class="bar" x="36" y="36" width="176" height="66" rx="6" />
      <path class="address-line" d="M50 50h96M50 88h70" />
      <rect class="spot" x="42" y="59" width="164" height="20" rx="4" />
      <path class="sign" d="M52 69h118" />
    </svg>
  );
}

/** The phone's settings of one browser: camera and microphone, both switched on. */
function PhoneSwitches() {
  return (
    <svg class="blocked-picture" viewBox="0 0 300 104" aria-hidden="true">
      <rect class="bar" x="2" y="2" width="296" height="100" rx="14" />
      <path class="address-line" d="M18 52h264" />
      <g class="sign">
        <rect x="20" y="20" width="16" height="13" rx="2" />
        <path d="M36 25l7-4v11l-7-4" />
        <rect x="27" y="65" width="9" height="15" rx="4.5" />
        <path d="M23 74a8.5 8.5 0 0 0 17 0M31.5 82.5v5" />
      </g>
      <path class="address-line" d="M58 27h110M58 77h80" />
      <rect class="spot" x="232" y="14" width="48" height="26" rx="13" />
      <circle class="dot" cx="267" cy="27" r="9" />
      <rect class="spot" x="232" y="64" width="48" height="26" rx="13" />
      <circle class="dot" cx="267" cy="77" r="9" />
    </svg>
  );
}
