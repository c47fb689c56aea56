/** The corners in which one's own picture can rest. */
export type Corner = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';

/** The corner nearest to a point of a box; all in the same pixels. */
export function nearestCorner(x: number, y: number, width: number, height: number): Corner {
  const side = x < width / 2 ? 'left' : 'right';
  return y < height / 2 ? `top-${side}` : `bottom-${side}`;
}

/** The corner that an arrow key leads to, or null for other keys. */
export function cornerByKey(corner: Corner, key: string): Corner | null {
  const [row, side] = corner.split('-') as ['top' | 'bottom', 'left' | 'right'];
  switch (key) {
    case 'ArrowUp':
      return `top-${side}`;
    case 'ArrowDown':
      return `bottom-${side}`;
    case 'ArrowLeft':
      return `${row}-left`;
    case 'ArrowRight':
      return `${row}-right`;
    default:
      return null;
  }
}
