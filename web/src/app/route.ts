/** What the address in the address bar asks for. */
export type Route = { page: 'start' } | { page: 'visit'; link: string } | { page: 'test'; test: string };

/** Characters of a link secret: those of base64url, with room for separators that a path may hold unescaped. */
const SECRET = /^[A-Za-z0-9._~-]{4,200}$/;

/** Reads a path: `/r/{link}` is a visit, `/t/{secret}` a connection test, all else is the start page. */
export function readPath(path: string): Route {
  const [kind, secret] = path
    .split('/')
    .filter((part) => part !== '')
    .slice(-2);
  if (secret === undefined || !SECRET.test(secret)) return { page: 'start' };
  if (kind === 'r') return { page: 'visit', link: secret };
  return kind === 't' ? { page: 'test', test: secret } : { page: 'start' };
}

/** What someone pasted on the start page turns out to be. */
export type Pasted =
  | { kind: 'link'; link: string }
  | { kind: 'test'; test: string }
  | { kind: 'elsewhere'; host: string }
  | { kind: 'empty' }
  | { kind: 'not-a-link' };

/** Reads a pasted address, or the last part of one; `host` is this page's own, as in `location.host`. */
export function readPasted(text: string, host: string): Pasted {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'empty' };
  // Messages often wrap links: the address is what starts with http and ends before a blank or a bracket.
  const address = /https?:\/\/[^\s<>"')\]]+/i.exec(trimmed)?.[0];
  if (address !== undefined) {
    const url = parseUrl(address);
    if (!url) return { kind: 'not-a-link' };
    const pasted = pastedPath(url.pathname);
    if (pasted.kind === 'not-a-link' || url.host === host) return pasted;
    return { kind: 'elsewhere', host: url.host };
  }
  return pastedPath(trimmed.includes('/') ? trimmed.replace(/^[^/]*/, '') : `/r/${trimmed}`);
}

function pastedPath(path: string): Pasted {
  const route = readPath(path);
  switch (route.page) {
    case 'visit':
      return { kind: 'link', link: route.link };
    case 'test':
      return { kind: 'test', test: route.test };
    case 'start':
      return { kind: 'not-a-link' };
  }
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
