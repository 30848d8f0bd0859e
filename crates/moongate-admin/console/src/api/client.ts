/**
 * Talks to the Admin API of one node.
 *
 * Where it is says /kconfig.js, which the gateway writes; without it, port 8001 of the host that served this page.
 */

interface Settings {
  ADMIN_API_URL?: string;
  ADMIN_API_PORT?: string;
  ADMIN_API_SSL_PORT?: string;
}

declare global {
  interface Window {
    K_CONFIG?: Settings;
  }
}

export const adminUrl: string = locate();

/** What the Admin API answers when it does not do what it was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** What is wrong with which field. */
    readonly fields: Record<string, unknown> = {},
    /** The whole answer. */
    readonly body: unknown = undefined,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

const TOKEN = 'moongate-admin-token';

export function token(): string | null {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

export function setToken(value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, value);
  } catch {
    // Storage may be forbidden. Then the token is asked for again after the next load.
  }
  for (const listener of listeners) listener();
}

const listeners = new Set<() => void>();

/** Calls back when somebody signs in or out. */
export function onToken(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends a request and returns the response, whatever its status. */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...call.headers };
  const shown = token();
  if (shown) headers['Kong-Admin-Token'] = shown;
  let body: BodyInit | undefined;
  if (call.body instanceof Blob) {
    body = call.body;
  } else if (call.body !== undefined) {
    body = JSON.stringify(call.body);
    headers['Content-Type'] = 'application/json';
  }
  try {
    return await fetch(adminUrl + path, { method: call.method ?? 'GET', headers, body, signal: call.signal });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new ApiError(0, `the Admin API at ${adminUrl} cannot be reached`);
  }
}

/** Sends a request and returns the JSON of its answer, or throws an {@link ApiError}. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    body = text;
  }
  if (response.ok) return body as T;
  const answer = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const message = typeof answer.message === 'string' ? answer.message : `the Admin API answered ${response.status}`;
  const fields = (typeof answer.fields === 'object' && answer.fields !== null ? answer.fields : {}) as Record<string, unknown>;
  throw new ApiError(response.status, message, fields, body);
}

/** One segment of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

function locate(): string {
  const settings = window.K_CONFIG ?? {};
  if (settings.ADMIN_API_URL) {
    const url = settings.ADMIN_API_URL;
    return (/^https?:\/\//.test(url) ? url : `${location.protocol}//${url}`).replace(/\/+$/, '');
  }
  const secure = location.protocol === 'https:';
  const port = secure ? settings.ADMIN_API_SSL_PORT || '8444' : settings.ADMIN_API_PORT || '8001';
  return `${location.protocol}//${location.hostname}:${port}`;
}
