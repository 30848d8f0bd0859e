/**
 * Which kinds of entities there are, and how they hang together.
 *
 * Both follow from the list of endpoints that the Admin API gives, so a kind that a plugin or a newer gateway brings is
 * shown without a change here.
 */
import { useQuery } from '@tanstack/react-query';
import { call } from './client';

export interface Kind {
  /** Name of its schema, such as `ca_certificates`. */
  name: string;
  /** Its collection, such as `ca_certificates` or `key-sets`. */
  path: string;
  /** Whether it has a collection of its own, beside those below other entities. */
  listed: boolean;
  /** What can be found below one of its entities. */
  children: Child[];
  /** Below what it can be found. */
  parents: Child[];
}

export interface Child {
  kind: string;
  /** The last segment of the nested path. */
  path: string;
}

export interface Kinds {
  all: Kind[];
  byName(name: string): Kind | undefined;
}

/** Shown first, in this order; the others follow by name. */
const ORDER = ['services', 'routes', 'consumers', 'plugins', 'upstreams', 'targets', 'certificates', 'snis', 'ca_certificates', 'vaults', 'keys', 'key_sets'];

/** Listed by Kong's Admin API, but no collections of entities, or never answered. */
const NO_ENTITIES = new Set(['cache', 'tags', 'filter-chains', 'endpoints']);
const NEVER_ANSWERED = new Set(['targets']);

export function readKinds(endpoints: string[]): Kinds {
  const known = new Set(endpoints);
  const kinds = new Map<string, Kind>();
  const kindOf = (name: string, path: string) => {
    let kind = kinds.get(name);
    if (!kind) kinds.set(name, (kind = { name, path, listed: false, children: [], parents: [] }));
    return kind;
  };
  for (const endpoint of endpoints) {
    const found = /^\/([^/{}]+)\/\{([^/{}]+)\}$/.exec(endpoint);
    const [, path, name] = found ?? [];
    if (!path || !name || NO_ENTITIES.has(path) || !known.has(`/${path}`)) continue;
    const kind = kindOf(name, path);
    kind.path = path;
    kind.listed = !NEVER_ANSWERED.has(path);
  }
  for (const endpoint of endpoints) {
    const found = /^\/([^/{}]+)\/\{([^/{}]+)\}\/([^/{}]+)\/\{([^/{}]+)\}$/.exec(endpoint);
    const [, above, parent, path, name] = found ?? [];
    if (!above || !parent || !path || !name || NO_ENTITIES.has(path) || !kinds.has(parent)) continue;
    kindOf(name, path).parents.push({ kind: parent, path });
    kinds.get(parent)?.children.push({ kind: name, path });
  }
  const place = (kind: Kind) => {
    const at = ORDER.indexOf(kind.name);
    return at < 0 ? ORDER.length : at;
  };
  const all = [...kinds.values()].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
  return { all, byName: (name) => kinds.get(name) };
}

export function useKinds() {
  return useQuery({
    queryKey: ['kinds'],
    queryFn: async () => readKinds((await call<{ data: string[] }>('/endpoints')).data),
    staleTime: 60_000,
    structuralSharing: false,
  });
}

const WORDS: Record<string, string> = {
  ...{ ca: 'CA', snis: 'SNIs', sni: 'SNI', acls: 'ACLs', acl: 'ACL', id: 'ID', ids: 'IDs', jwt: 'JWT', jwk: 'JWK', pem: 'PEM', hmacauth: 'HMAC', oauth2: 'OAuth 2' },
  ...{ tls: 'TLS', ssl: 'SSL', ip: 'IP', ips: 'IPs', url: 'URL', uri: 'URI', uris: 'URIs', http: 'HTTP', https: 'HTTPS', tcp: 'TCP', dns: 'DNS', ttl: 'TTL', json: 'JSON' },
};

/** A name of the Admin API as people write it. */
export function words(name: string): string {
  const text = name
    .split(/[_-]/)
    .map((word) => WORDS[word] ?? word)
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One of a kind, as people write it: `route`, `CA certificate`. */
export function singular(name: string): string {
  const text = words(name);
  const one = text.endsWith('ies') ? `${text.slice(0, -3)}y` : text.replace(/s$/, '');
  return uncapitalised(one);
}

/** As it is written within a sentence. */
export function uncapitalised(text: string): string {
  return /^[A-Z]{2}/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
