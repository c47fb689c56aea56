import { defineConfig } from 'vitest/config';
import { firstLoad } from './tools/first-load.ts';

/** Where a development server finds the REST and signalling listener of `colloque demo`. */
const SERVER = process.env['COLLOQUE_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [firstLoad({ limitKilobytes: 300 })],
  build: {
    outDir: '../colloque/_web',
    emptyOutDir: true,
    // Syntax that browsers of 2019 read, so that those too old for a call can say so (src/devices/support.ts).
    target: ['es2019', 'chrome71', 'edge79', 'firefox68', 'safari13.1'],
    // The Content-Security-Policy allows no data: address but for images.
    assetsInlineLimit: 0,
    // Browsers without module preload load the same files a little later; no script is added for them.
    modulePreload: { polyfill: false },
    // The call's library is one lazily loaded file of about 590 kB, 155 compressed; more is worth a look.
    chunkSizeWarningLimit: 650,
    license: { fileName: 'assets/licenses.md' },
  },
  server: {
    proxy: {
      '/v1': SERVER,
      '/rtc': { target: SERVER, ws: true },
      '/waiting': { target: SERVER, ws: true },
      '/probe': { target: SERVER, ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
    environment: 'node',
  },
});
