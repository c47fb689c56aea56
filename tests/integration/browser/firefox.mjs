// Drives Firefox over WebDriver BiDi for the Python tests: one JSON request a line in, one JSON answer a line out.
// Requests: {id, do: "open", url} {id, do: "call", page, verb, args} {id, do: "reload" | "close", page}
//           {id, do: "press", page, name, within}  {id, do: "screenshot", page, path}
// Answers:  {id, value} or {id, error}. End of input closes the browser.
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: process.argv[2],
  headless: true,
  extraPrefsFirefox: {
    // A camera and a microphone that need neither hardware nor a click.
    "media.navigator.streams.fake": true,
    "media.navigator.permission.disabled": true,
    "media.autoplay.default": 0,
    // Loopback only: the server listens there, and names for local addresses need multicast DNS.
    "media.peerconnection.ice.loopback": true,
    "media.peerconnection.ice.obfuscate_host_addresses": false,
    // A participant is not less present because another one's window is in front.
    "media.suspend-background-video.enabled": false,
    "dom.min_background_timeout_value": 4,
    "dom.timeout.enable_budget_timer_throttling": false,
    "widget.windows.window_occlusion_tracking.enabled": false,
    // Nothing leaves the machine.
    "app.update.enabled": false,
    "browser.region.update.enabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "services.settings.server": "",
    "media.gmp-manager.updateEnabled": false,
  },
});

const pages = new Map();
let nextPage = 0;

const actions = {
  async open({ url }) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(url);
    pages.set(++nextPage, page);
    return nextPage;
  },
  async call({ page, verb, args }) {
    const text = await pages.get(page).evaluate(
      async (name, values) => JSON.stringify((await window.client[name](...values)) ?? null),
      verb,
      args,
    );
    return JSON.parse(text);
  },
  async press({ page, name, within }) {
    const button = await pages.get(page).waitForSelector(`::-p-xpath(//button[normalize-space() = "${name}"])`, {
      timeout: within,
    });
    await button.click();
  },
  async reload({ page }) {
    await pages.get(page).reload();
  },
  async close({ page }) {
    await pages.get(page).browserContext().close();
    pages.delete(page);
  },
  async screenshot({ page, path }) {
    await pages.get(page).screenshot({ path });
  },
  async errors({ page }) {
    return pages.get(page).evaluate(() => window.errors);
  },
};

function answer(fields) {
  process.stdout.write(`${JSON.stringify(fields)}\n`);
}

answer({ id: 0, value: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  actions[request.do](request).then(
    (value) => answer({ id: request.id, value: value ?? null }),
    (error) => answer({ id: request.id, error: String(error?.message ?? error) }),
  );
}
await browser.close();
