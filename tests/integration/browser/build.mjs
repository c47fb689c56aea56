// Bundles the test participant and livekit-client's encryption worker beside its page.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";

await build({
  entryPoints: { client: "client/client.ts", e2ee: "livekit-client/e2ee-worker" },
  bundle: true,
  format: "iife",
  target: "es2022",
  outdir: "dist",
  logLevel: "warning",
});
await copyFile("client/index.html", "dist/index.html");
