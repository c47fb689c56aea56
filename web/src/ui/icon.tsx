import type { IconNode } from 'lucide';
import { h } from 'preact';

/** An icon from the lucide set, always beside a word or inside a control that has a name. */
export function Icon({ node, class: extra = '' }: { node: IconNode; class?: string }) {
  return (
    <svg
      class={`icon ${extra}`}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {node.map(([tag, attributes]) => h(tag, attributes))}
    </svg>
  );
}
