/** What `POST /moongate/explain` and `POST /moongate/try` take and give. */

export interface RequestToExplain {
  method: string;
  /** A whole URL, or a path. */
  url: string;
  headers: [string, string][];
  http2?: boolean;
}

/** A request with what is sent behind its headers. */
export interface RequestToTry extends RequestToExplain {
  body?: string;
  body_base64?: string;
}

export interface Named {
  id: string;
  name: string | null;
}

export interface CandidateRoute {
  route: Named;
  /** The path prefix that matched. */
  prefix?: string;
  /** The conditions that the request does not meet. */
  unmet?: string[];
}

export interface PluginRun {
  id: string;
  name: string;
  instance_name: string | null;
  /** What it is applied to: `global`, or the kinds of what it names. */
  level: string;
  priority: number;
  hooks: string[];
  on_failure: string;
}

export interface TargetChoice {
  target: string;
  weight: number;
  health: string;
}

export interface Explanation {
  request: { method: string; scheme: string; host: string | null; path: string; query: string | null };
  /** What sees the request before its route is looked for, and may change or answer it. */
  early: PluginRun[];
  /** Why the request is refused before or right after routing. */
  refusal: { status: number; message: string } | null;
  matched: (CandidateRoute & { service: Named | null; strip_path: boolean; preserve_host: boolean }) | null;
  /** What would have won, had it matched. */
  missed: CandidateRoute[];
  /** What matches as well, and ranks below. */
  beaten: CandidateRoute[];
  plugins: PluginRun[];
  upstream: {
    protocol: string;
    uri: string;
    host_header: string;
    /** Where the host is the name of an upstream. */
    balancer: { upstream: Named; algorithm: string; targets: TargetChoice[] } | null;
  } | null;
}

export interface TraceStep {
  plugin: string;
  hook: string;
  /** Microseconds. */
  took: number;
  /** `continue`, `respond`, `failed`. */
  outcome: string;
  request: string[];
  response: string[];
}

export interface Tried {
  status: number;
  headers: [string, string][];
  body: string;
  /** The same, where it is no text. */
  body_base64: string | null;
  trailers: [string, string][];
  /** Whether the body is longer than what is shown. */
  truncated: boolean;
  /** Milliseconds. */
  took: number;
  /** null where the gateway does not allow it. */
  trace: TraceStep[] | null;
}
