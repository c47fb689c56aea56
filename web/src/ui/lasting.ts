import { useEffect, useState } from 'preact/hooks';

/** After this long a wait is explained, in milliseconds. */
export const LONG = 10_000;

/** Whether a component has been on screen for longer than so many milliseconds. */
export function useLasting(milliseconds: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLasting(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return lasting;
}
