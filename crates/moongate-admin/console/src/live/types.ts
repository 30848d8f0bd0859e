/** What `GET /moongate/events` sends. */

export interface Latency {
  /** Milliseconds; null while nothing was measured. */
  p50: number | null;
  p99: number | null;
}

/** What happened in one second. */
export interface Sample {
  /** Unix seconds. */
  at: number;
  /** Requests per second by the class of their status. */
  rate: { '1xx': number; '2xx': number; '3xx': number; '4xx': number; '5xx': number };
  latency: { gateway: Latency; upstream: Latency };
  /** Connections open now. */
  connections: number;
  /** Bytes in use. */
  memory: number;
}

/** What holds now. */
export interface Totals {
  /** Seconds since the gateway started. */
  uptime: number;
  requests: number;
  connections_accepted: number;
  /** null where entities come from a declarative configuration. */
  database: { reachable: boolean } | null;
  workers: { worker: number; requests: number; connections: number }[];
}

export type EventKind =
  | 'configuration_changed'
  | 'plugin_loaded'
  | 'plugin_refused'
  | 'plugin_removed'
  | 'target_unhealthy'
  | 'target_healthy'
  | 'database_unreachable'
  | 'database_reachable';

/** Something that an operator wants to know. */
export interface Happening {
  id: number;
  /** Unix seconds. */
  at: number;
  kind: EventKind;
  /** One line. */
  message: string;
  /** Why, where there is more to say. */
  detail?: string;
  /** What it is about: kind and id of an entity, or a plugin's name. */
  entity?: { kind: string; id: string };
  plugin?: string;
  /** What became of which entities; id and name only of a single one. */
  changes?: { entity: string; operation: 'made' | 'changed' | 'deleted'; count: number; id?: string; name?: string }[];
}

export interface Live {
  /** Whether figures are coming in. */
  state: 'connecting' | 'live' | 'lost' | 'unsupported';
  samples: Sample[];
  totals: Totals | null;
  happenings: Happening[];
}
