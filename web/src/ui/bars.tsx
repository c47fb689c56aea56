/** Three bars, of which one, two or all are full; the word beside or behind it says the same. */
export function Bars({ full }: { full: 1 | 2 | 3 }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
      {[1, 2, 3].map((bar) => (
        <rect
          key={bar}
          x={bar * 7 - 4}
          y={20 - bar * 5}
          width="5"
          height={bar * 5}
          rx="1.5"
          opacity={bar <= full ? 1 : 0.3}
        />
      ))}
    </svg>
  );
}
