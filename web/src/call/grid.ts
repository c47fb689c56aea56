/** A grid of equal cells that fills a box. */
export interface Grid {
  columns: number;
  rows: number;
  /** How many tiles one page holds; what is beyond goes to further pages. */
  perPage: number;
}

/** Space between cells in CSS pixels. */
export const GAP = 8;

/** Smallest cell in which a face and its name can be read, in CSS pixels. */
export const SMALLEST = { width: 140, height: 105 };

/** Smallest cell beside a large picture: enough to know who is there. */
export const SMALLEST_BESIDE = { width: 100, height: 75 };

/** Cameras are between 4:3 and 16:9; a cell is judged by the largest such picture that it holds. */
const ASPECT = 4 / 3;

/**
 * The grid in which `count` pictures are largest in a box of CSS pixels.
 *
 * Among grids of the same size the one with fewer empty cells wins, so that three on a phone stand in a column
 * and four on a screen in a square.
 */
export function gridFor(count: number, width: number, height: number, smallest = SMALLEST): Grid {
  const most = capacity(width, height, smallest);
  const shown = Math.max(1, Math.min(count, most.columns * most.rows));
  let best: Grid = { columns: 1, rows: shown, perPage: shown };
  let bestScore = -1;
  for (let columns = 1; columns <= Math.min(shown, most.columns); columns++) {
    const rows = Math.ceil(shown / columns);
    if (rows > most.rows) continue;
    const score = pictureArea(cell(width, columns), cell(height, rows)) - (columns * rows - shown) * 1e-3;
    if (score > bestScore) {
      bestScore = score;
      best = { columns, rows, perPage: shown };
    }
  }
  return best;
}

/** How many of the smallest cells fit in a box, at least one. */
export function capacity(
  width: number,
  height: number,
  smallest = SMALLEST,
): { columns: number; rows: number } {
  const most = (room: number, least: number) => Math.max(1, Math.floor((room + GAP) / (least + GAP)));
  return { columns: most(width, smallest.width), rows: most(height, smallest.height) };
}

function cell(room: number, parts: number): number {
  return Math.max(0, (room - GAP * (parts - 1)) / parts);
}

function pictureArea(width: number, height: number): number {
  return width / height > ASPECT ? height * height * ASPECT : (width * width) / ASPECT;
}

/** Whether a picture may be cut at its edges to fill a cell: yes while more than half of it stays in sight. */
export function mayFill(
  picture: { width: number; height: number },
  box: { width: number; height: number },
): boolean {
  if (picture.width <= 0 || picture.height <= 0 || box.width <= 0 || box.height <= 0) return true;
  const a = picture.width / picture.height;
  const b = box.width / box.height;
  return Math.min(a, b) / Math.max(a, b) > 0.5;
}

/** The part of a list that a page shows, with the page brought back into range. */
export function pageOf<T>(
  items: readonly T[],
  perPage: number,
  page: number,
): { items: readonly T[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const at = Math.min(Math.max(page, 0), pages - 1);
  return { items: items.slice(at * perPage, (at + 1) * perPage), page: at, pages };
}
