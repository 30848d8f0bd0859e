/** What the node says of itself. */
import { useQuery } from '@tanstack/react-query';
import { call } from './client';

export interface NodeInformation {
  version: string;
  hostname: string;
  node_id: string;
  moongate?: { version: string; console?: { trace?: boolean; upload?: boolean } };
  configuration: Record<string, unknown> & {
    database?: string;
    router_flavor?: string;
    plugin_dirs?: string[];
    admin_token?: string | null;
    vaults?: string[];
    loaded_vaults?: Record<string, boolean>;
  };
  plugins: { available_on_server: Record<string, unknown>; enabled_in_cluster: unknown };
  pids?: { workers: number[] };
}

export interface Status {
  database?: { reachable: boolean };
  configuration_hash?: string;
  server: { connections_active: number; total_requests: number; connections_accepted: number };
  memory: { workers_lua_vms?: { http_allocated_gc: string }[] };
}

export function useNode() {
  return useQuery({ queryKey: ['node'], queryFn: () => call<NodeInformation>('/'), staleTime: 5_000 });
}

export function useStatus(every: number | false) {
  return useQuery({ queryKey: ['status'], queryFn: () => call<Status>('/status'), refetchInterval: every });
}

/** What a plugin has done since the version in use went live. */
export interface PluginStatistics {
  hooks: HookStatistics[];
  instances: number;
  /** Bytes. */
  memory: number;
  /** Log records. */
  queued: number;
  dropped: number;
}

export interface HookStatistics {
  hook: string;
  calls: number;
  responses: number;
  errors: Record<string, number>;
  wait_ns: number;
  cpu_ns: number;
  cpu_p50_ns: number;
  cpu_p99_ns: number;
}

export interface LoadedPlugin {
  name: string;
  version?: string | null;
  priority?: number | null;
  digest?: string | null;
  file?: string;
  hooks?: string[];
  state: string;
  last_error?: string | null;
  generation?: number;
  loaded_at?: number | null;
  // Served by newer gateways.
  capabilities?: unknown;
  statistics?: PluginStatistics | null;
  [more: string]: unknown;
}

export function useLoadedPlugins(every: number | false = 2_000) {
  return useQuery({
    queryKey: ['loaded'],
    queryFn: async () => (await call<{ data: LoadedPlugin[] }>('/moongate/plugins')).data,
    refetchInterval: every,
  });
}
