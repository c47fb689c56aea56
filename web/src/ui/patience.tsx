import { useEffect, useState } from 'preact/hooks';
import { Notice } from './notice';

/** After this long a wait is explained, in milliseconds. */
const LONG = 10_000;

/** A wait in words: what happens, and after ten seconds what to do. */
export function Patience({ now, slow }: { now: string; slow: string }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="waiting" role="status">
      <div class="waiting-dots" />
      <p>{now}</p>
      {long && <Notice tone="warning">{slow}</Notice>}
    </div>
  );
}
