// One browser for all tests, and what they ask of every page.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { setting } from './gateway.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function launch() {
  return chromium.launch({ executablePath: setting('CONSOLE_TEST_CHROMIUM'), args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A window onto a gateway's console. It collects what must not happen on any page. */
export async function open(browser, gateway, { width = 1280, height = 900, dark = false, token } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    baseURL: gateway.console,
    locale: 'en-GB',
    timezoneId: 'Europe/Warsaw',
  });
  if (token) await context.addInitScript((value) => sessionStorage.setItem('moongate-admin-token', value), token);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const wrong = [];
  const allowed = [gateway.console, gateway.admin];
  page.on('pageerror', (error) => wrong.push(`an error: ${error.message}`));
  page.on('console', (message) => {
    // Refusals of the Admin API are part of some tests; the browser reports each as an error.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(`on the console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!allowed.some((origin) => request.url().startsWith(`${origin}/`)) && !request.url().startsWith('data:')) wrong.push(`a request to ${request.url()}`);
  });
  return { page, context, wrong };
}

/** No serious or critical finding, in the colours that the page has and in the others. For pages that follow the system's choice. */
export async function assertAccessible(page, what) {
  const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
  const before = await scheme();
  await assertAccessibleAsItIs(page, `${what}, ${before}`);
  const other = before === 'dark' ? 'light' : 'dark';
  await page.emulateMedia({ colorScheme: other });
  await until(`the ${other} colours`, async () => (await scheme()) === other);
  await assertAccessibleAsItIs(page, `${what}, ${other}`);
  await page.emulateMedia({ colorScheme: before });
  await until(`the ${before} colours`, async () => (await scheme()) === before);
}

/** Runs in a world of its own, so that the page's policy need not allow it. */
async function assertAccessibleAsItIs(page, what) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${axe}; true`);
  const found = await run(
    `axe.run(document, { resultTypes: ['violations'] }).then((result) => JSON.stringify(result.violations.filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => ({ id: one.id, impact: one.impact, nodes: one.nodes.slice(0, 4).map((node) => node.html.slice(0, 300) + ' :: ' + (node.failureSummary ?? '').slice(0, 300)) }))))`,
  );
  await session.detach();
  assert.deepEqual(JSON.parse(found), [], `${what} can be used by everybody`);
}

/** Nothing is wider than the window. */
export async function assertNoSidewaysScroll(page, what) {
  const found = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return null;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > clientWidth);
    return `${scrollWidth} wide in a window of ${clientWidth}: ${wide.map((element) => element.outerHTML.slice(0, 120)).join('\n')}`;
  });
  assert.equal(found, null, `${what} is ${found}`);
}

const folder = setting('CONSOLE_TEST_SHOTS');
mkdirSync(folder, { recursive: true });

export async function shot(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** Waits until `condition` gives something, and returns it. */
export async function until(what, condition, patience = 60_000) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}
