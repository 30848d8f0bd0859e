/**
 * The figures and events of the node, kept while the console is open.
 *
 * One stream for the whole console, whichever page is shown. When it breaks it is opened again; what it missed is not
 * made up, so a gap is a gap in the charts as well.
 */
import { useSyncExternalStore } from 'react';
import type { QueryClient } from '@tanstack/react-query';
import { call, send } from '../api/client';
import type { Status } from '../api/node';
import { readEvents } from './sse';
import type { Happening, Live, Sample, Totals } from './types';

const KEPT_SAMPLES = 300;
const KEPT_HAPPENINGS = 100;
const RETRY = 1_000;

let live: Live = { state: 'connecting', samples: [], totals: null, happenings: [] };
const listeners = new Set<() => void>();

function change(next: Partial<Live>): void {
  live = { ...live, ...next };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}

export function useLiveState(): Live['state'] {
  return useSyncExternalStore(subscribe, () => live.state);
}

/** Follows the node until the returned function is called. */
export function follow(queries: QueryClient): () => void {
  const stop = new AbortController();
  void run(queries, stop.signal);
  return () => stop.abort();
}

async function run(queries: QueryClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await send('/moongate/events', { signal, headers: { Accept: 'text/event-stream' } });
      if (response.status === 404) return await poll(signal);
      if (!response.ok || !response.body) throw new Error(`events answered ${response.status}`);
      for await (const { event, data } of readEvents(response.body)) receive(queries, event, JSON.parse(data));
    } catch {
      // Said below, in the same way as an end without an error.
    }
    if (signal.aborted) return;
    change({ state: 'lost' });
    await new Promise((resume) => setTimeout(resume, RETRY));
  }
}

function receive(queries: QueryClient, event: string, data: unknown): void {
  switch (event) {
    case 'history': {
      const { samples, events, totals = null } = data as { samples: Sample[]; events: Happening[]; totals?: Totals | null };
      change({ state: 'live', samples: samples.slice(-KEPT_SAMPLES), happenings: events.toReversed().slice(0, KEPT_HAPPENINGS), totals: totals ?? live.totals });
      break;
    }
    case 'sample': {
      const { sample, totals } = data as { sample: Sample; totals: Totals };
      change({ state: 'live', samples: [...live.samples, sample].slice(-KEPT_SAMPLES), totals });
      break;
    }
    case 'event': {
      const happening = data as Happening;
      change({ happenings: [happening, ...live.happenings].slice(0, KEPT_HAPPENINGS) });
      // What is on the screen may be about just that.
      if (happening.kind === 'configuration_changed') void queries.invalidateQueries({ queryKey: ['entities'] });
      if (happening.plugin) {
        void queries.invalidateQueries({ queryKey: ['loaded'] });
        void queries.invalidateQueries({ queryKey: ['node'] });
        void queries.invalidateQueries({ queryKey: ['schema'] });
      }
      break;
    }
  }
}

/** What can be known of a node that has no stream of events. */
async function poll(signal: AbortSignal): Promise<void> {
  change({ state: 'unsupported' });
  let before: { at: number; requests: number } | undefined;
  while (!signal.aborted) {
    try {
      const status = await call<Status>('/status?unit=b', { signal });
      const at = Date.now() / 1000;
      const requests = status.server.total_requests;
      if (before) {
        const rate = Math.max(0, (requests - before.requests) / (at - before.at));
        const none = { p50: null, p99: null };
        const memory = Number(status.memory.workers_lua_vms?.[0]?.http_allocated_gc) || 0;
        const sample: Sample = {
          at,
          // Which status they had is not told.
          rate: { '1xx': 0, '2xx': rate, '3xx': 0, '4xx': 0, '5xx': 0 },
          latency: { gateway: none, upstream: none },
          connections: status.server.connections_active,
          memory,
        };
        change({ samples: [...live.samples, sample].slice(-KEPT_SAMPLES) });
      }
      before = { at, requests };
    } catch {
      before = undefined;
    }
    await new Promise((resume) => setTimeout(resume, 2_000));
  }
}
