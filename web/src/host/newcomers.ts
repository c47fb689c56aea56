import type { Waiter } from './scene';

/** Those who wait now and did not before; whoever comes back to a place that was kept is not new. */
export function newcomers(known: readonly string[], waiting: readonly Waiter[]): Waiter[] {
  return waiting.filter((one) => !known.includes(one.identity));
}
