import { describe, expect, test } from 'vitest';
import { gridFor, mayFill, pageOf } from './grid';

describe('the grid', () => {
  test.each([
    // count, width, height, columns, rows, per page
    [1, 344, 500, 1, 1, 1],
    [2, 344, 500, 1, 2, 2],
    [2, 1280, 600, 2, 1, 2],
    [3, 344, 500, 1, 3, 3],
    [4, 344, 500, 2, 2, 4],
    [4, 1280, 640, 2, 2, 4],
    [5, 1280, 640, 3, 2, 5],
    [8, 1280, 640, 4, 2, 8],
    [8, 344, 500, 2, 4, 8],
    [20, 344, 500, 2, 4, 8],
    [49, 3840, 2000, 9, 6, 49],
    [3, 800, 110, 3, 1, 3],
    [3, 150, 500, 1, 3, 3],
    [2, 10, 10, 1, 1, 1],
  ])('%i in %i x %i is %i by %i, %i a page', (count, width, height, columns, rows, perPage) => {
    expect(gridFor(count, width, height)).toEqual({ columns, rows, perPage });
  });

  test('every number of people has a cell for each person on the page', () => {
    for (let count = 1; count <= 60; count++) {
      const grid = gridFor(count, 1000, 700);
      expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(grid.perPage);
      expect(grid.perPage).toBeLessThanOrEqual(count);
    }
  });
});

describe('a picture in a box', () => {
  test('fills a box of much the same shape', () => {
    expect(mayFill({ width: 1280, height: 720 }, { width: 400, height: 300 })).toBe(true);
  });

  test('is shown whole when half of it would be cut away', () => {
    expect(mayFill({ width: 720, height: 1280 }, { width: 1280, height: 600 })).toBe(false);
  });

  test('fills while its size is unknown', () => {
    expect(mayFill({ width: 0, height: 0 }, { width: 400, height: 300 })).toBe(true);
  });
});

describe('pages', () => {
  test('hold what remains at the end', () => {
    expect(pageOf([1, 2, 3, 4, 5], 2, 2)).toEqual({ items: [5], page: 2, pages: 3 });
  });

  test('come back into range when people leave', () => {
    expect(pageOf([1, 2], 2, 5)).toEqual({ items: [1, 2], page: 0, pages: 1 });
  });

  test('are one even when nobody is there', () => {
    expect(pageOf([], 4, 0)).toEqual({ items: [], page: 0, pages: 1 });
  });
});
