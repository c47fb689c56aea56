import { LONG, useLasting } from './lasting';
import { Notice } from './notice';

/** A wait in words: what happens, and after ten seconds what to do. */
export function Patience({ now, slow }: { now: string; slow: string }) {
  const long = useLasting(LONG);
  return (
    <div class="waiting" role="status">
      <div class="waiting-dots" />
      <p>{now}</p>
      {long && <Notice tone="warning">{slow}</Notice>}
    </div>
  );
}
