import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin, Rollup } from 'vite';

/** Files whose text compresses well; pictures are packed already. */
const TEXT = /\.(js|css|svg|md)$/;

interface Limit {
  /** Most that the page and all it needs before the call may weigh, gzip, in units of 1,000 bytes. */
  limitKilobytes: number;
}

/**
 * Writes `.br` beside every text asset, and fails the build when the first load is too heavy.
 *
 * The first load is everything that the entry imports statically. The call is imported on demand and so is
 * not part of it, but it is printed beside it, since a person who enters pays for both.
 */
export function firstLoad({ limitKilobytes }: Limit): Plugin {
  return {
    name: 'colloque-first-load',
    apply: 'build',
    // Not earlier: other plugins still change files while the bundle is put together.
    async writeBundle(options, bundle) {
      const gzipped = new Map<string, number>();
      for (const [name, file] of Object.entries(bundle)) {
        if (!TEXT.test(name)) continue;
        const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        gzipped.set(name, gzipSync(source, { level: 9 }).byteLength);
        await writeFile(join(options.dir ?? '.', `${name}.br`), brotliCompressSync(source));
      }
      const first = filesOfFirstLoad(bundle);
      const weight = (names: Iterable<string>) =>
        [...names].reduce((sum, name) => sum + (gzipped.get(name) ?? 0), 0) / 1000;
      const scripts = [...gzipped.keys()].filter((name) => /\.(js|css)$/.test(name));
      const kilobytes = weight(first);
      this.info(
        `first load ${kilobytes.toFixed(1)} kB gzip of ${limitKilobytes} allowed; with the call ${weight(scripts).toFixed(1)} kB`,
      );
      if (kilobytes > limitKilobytes) {
        this.error(`the first load weighs ${kilobytes.toFixed(1)} kB, more than ${limitKilobytes}`);
      }
    },
  };
}

/** Names of the scripts and styles that a browser fetches before anyone has clicked. */
export function filesOfFirstLoad(bundle: Rollup.OutputBundle): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const file = bundle[name];
    if (found.has(name) || file?.type !== 'chunk') return;
    found.add(name);
    const styles = file.viteMetadata?.importedCss ?? new Set<string>();
    for (const style of styles) found.add(style);
    for (const next of file.imports) visit(next);
  };
  for (const [name, file] of Object.entries(bundle)) {
    if (file.type === 'chunk' && file.isEntry) visit(name);
  }
  return found;
}
