// Starts real programs for the tests, and ends them.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A setting that `cargo xtask test console` makes. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run the tests with \`cargo xtask test console\``);
  return value;
}

/** A gateway with ports that the system chose. Ends with `stop()`. */
export async function startGateway(properties, declarative) {
  const folder = mkdtempSync(join(tmpdir(), 'moongate-console-'));
  mkdirSync(join(folder, 'plugins'));
  const all = {
    proxy_listen: '127.0.0.1:0',
    admin_listen: '127.0.0.1:0',
    admin_gui_listen: '127.0.0.1:0',
    plugin_dirs: [join(folder, 'plugins')],
    prefix: join(folder, 'prefix'),
    workers: 1,
    shutdown_timeout: 0,
    ...properties,
  };
  if (declarative) {
    writeFileSync(join(folder, 'kong.json'), JSON.stringify(declarative));
    Object.assign(all, { database: 'off', declarative_config: join(folder, 'kong.json') });
  }
  writeFileSync(join(folder, 'moongate.yaml'), JSON.stringify(all));
  const child = spawn(setting('CONSOLE_TEST_GATEWAY'), ['start', '-c', join(folder, 'moongate.yaml')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const addresses = await new Promise((resolve, reject) => {
    const read = (chunk) => {
      log += chunk;
      const of = (name) => new RegExp(`^ +${name} +(http://[^\\s,]+)`, 'm').exec(log)?.[1];
      const found = { proxy: of('proxy'), admin: of('Admin API'), console: of('console') };
      if (found.proxy && found.admin && found.console) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', () => reject(new Error(`the gateway has ended:\n${log}`)));
    setTimeout(() => reject(new Error(`the gateway did not start:\n${log}`)), 60_000).unref();
  });
  const token = properties.admin_token;
  return {
    ...addresses,
    folder,
    log: () => log,
    /** Asks the Admin API. */
    async ask(method, path, body) {
      const headers = { 'content-type': 'application/json', ...(token ? { 'kong-admin-token': token } : {}) };
      const response = await fetch(addresses.admin + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await response.text();
      return { status: response.status, body: text ? JSON.parse(text) : undefined };
    },
    async stop() {
      const ended = new Promise((resolve) => child.on('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The echo server of the examples. */
export async function startEcho() {
  const port = await freePort();
  const child = spawn(setting('CONSOLE_TEST_ECHO'), ['--host', '127.0.0.1', '--no-environment', '--port', String(port)], { stdio: 'ignore' });
  for (let tries = 0; ; tries++) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answers) break;
    if (tries > 100) throw new Error('the echo server does not answer');
    await new Promise((resume) => setTimeout(resume, 100));
  }
  return {
    port,
    async stop() {
      const ended = new Promise((resolve) => child.on('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A server of gRPC that answers a call with the message that it got and, where that is empty, with the status 5. */
export async function startCalls() {
  const server = createHttp2Server();
  const sessions = new Set();
  server.on('session', (session) => sessions.add(session.on('close', () => sessions.delete(session))));
  server.on('stream', (stream) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const message = Buffer.concat(parts);
      const isEmpty = message.length <= 5;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(isEmpty ? { 'grpc-status': '5', 'grpc-message': 'nothing%20said' } : { 'grpc-status': '0' }));
      stream.end(isEmpty ? undefined : message);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    async stop() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A token for the plugin jwt-claims. */
export function signed(secret, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const message = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
