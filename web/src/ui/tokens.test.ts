import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '..');

const sheets = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.css') && !file.endsWith('tokens.css'),
);

test.each(sheets)('%s takes every colour from the tokens, so that a hospital can set them all', (sheet) => {
  const rules = readFileSync(join(SOURCES, sheet), 'utf8').replace(/\/\*.*?\*\//gs, '');
  expect(
    rules.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch|color)a?\(|(?<![-\w])(white|black)(?![-\w])/gi),
  ).toBeNull();
});
