import { describe, expect, test } from 'vitest';
import { readPasted, readPath } from './route';

describe('a path', () => {
  test.each(['/r/abcd-EF_12', '/r/abcd-EF_12/', '/visio/r/abcd-EF_12'])('%s is a visit', (path) => {
    expect(readPath(path)).toEqual({ page: 'visit', link: 'abcd-EF_12' });
  });

  test.each(['/t/abcd-EF_12', '/visio/t/abcd-EF_12/'])('%s is a connection test', (path) => {
    expect(readPath(path)).toEqual({ page: 'test', test: 'abcd-EF_12' });
  });

  test.each(['/', '', '/r/', '/r', '/x/abcd', '/r/a', '/r/%00abcd', '/r/ab cd', `/r/${'a'.repeat(201)}`])(
    '%j is the start page',
    (path) => {
      expect(readPath(path)).toEqual({ page: 'start' });
    },
  );
});

describe('a pasted text', () => {
  const host = 'visio.example.org';

  test.each([
    'https://visio.example.org/r/abcd1234',
    '  https://visio.example.org/r/abcd1234\n',
    'Bonjour, voici le lien : <https://visio.example.org/r/abcd1234>, à demain',
    'visio.example.org/r/abcd1234',
    '/r/abcd1234',
    'abcd1234',
  ])('%j is a link of this address', (text) => {
    expect(readPasted(text, host)).toEqual({ kind: 'link', link: 'abcd1234' });
  });

  test.each(['https://visio.example.org/t/abcd1234', '/t/abcd1234'])('%j is a connection test', (text) => {
    expect(readPasted(text, host)).toEqual({ kind: 'test', test: 'abcd1234' });
  });

  test('a link of another address names that address and is not followed', () => {
    expect(readPasted('https://evil.example/r/abcd1234', host)).toEqual({
      kind: 'elsewhere',
      host: 'evil.example',
    });
  });

  test.each(['https://visio.example.org/', 'https://', 'mon lien', 'javascript:alert(1)', '//evil.example'])(
    '%j is not a link',
    (text) => {
      expect(readPasted(text, host)).toEqual({ kind: 'not-a-link' });
    },
  );

  test('blanks alone are nothing', () => {
    expect(readPasted('  \n', host)).toEqual({ kind: 'empty' });
  });
});
