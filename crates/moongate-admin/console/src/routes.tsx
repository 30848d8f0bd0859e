/** Which address shows which page. Every page but the first is loaded when it is first visited. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Shell } from './Shell';
import { NotFound } from './pages/NotFound';
import { Overview } from './pages/Overview';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({ getParentRoute: () => root, path: '/', component: Overview });

/** Where a list stands. */
export interface ListSearch {
  /** Look-up by name or id. */
  q?: string;
  tags?: string;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined);

const list = createRoute({
  getParentRoute: () => root,
  path: '/entities/$kind',
  validateSearch: (search: Record<string, unknown>): ListSearch => ({ q: text(search.q), tags: text(search.tags) }),
  component: lazyRouteComponent(() => import('./pages/EntityList'), 'EntityList'),
});

/** What an entity is found below, where it has no collection of its own: `upstreams/<id>`. */
export interface BelowSearch {
  in?: string;
}

/** What a new entity starts from. */
export interface NewSearch extends BelowSearch {
  /** The entity to copy. */
  from?: string;
  /** Fields that are filled in, such as `service:<id>`. */
  set?: string;
  /** The plugin or vault to configure. */
  name?: string;
}

const create = createRoute({
  getParentRoute: () => root,
  path: '/entities/$kind/new',
  validateSearch: (search: Record<string, unknown>): NewSearch => ({ in: text(search.in), from: text(search.from), set: text(search.set), name: text(search.name) }),
  component: lazyRouteComponent(() => import('./pages/EntityNew'), 'EntityNew'),
});

const below = (search: Record<string, unknown>): BelowSearch => ({ in: text(search.in) });

const entity = createRoute({
  getParentRoute: () => root,
  path: '/entities/$kind/$key',
  validateSearch: (search: Record<string, unknown>): BelowSearch & { view?: string } => ({ ...below(search), view: text(search.view) }),
  component: lazyRouteComponent(() => import('./pages/EntityPage'), 'EntityPage'),
});

const edit = createRoute({
  getParentRoute: () => root,
  path: '/entities/$kind/$key/edit',
  validateSearch: below,
  component: lazyRouteComponent(() => import('./pages/EntityEdit'), 'EntityEdit'),
});

const plugins = createRoute({ getParentRoute: () => root, path: '/plugins', component: lazyRouteComponent(() => import('./pages/Plugins'), 'Plugins') });

const plugin = createRoute({ getParentRoute: () => root, path: '/plugins/$name', component: lazyRouteComponent(() => import('./pages/PluginPage'), 'PluginPage') });

/** A request to explain. */
export interface ExplainSearch {
  method?: string;
  url?: string;
  /** Lines of `name: value`. */
  headers?: string;
  /** What it is sent as, where that is not HTTP/1.1. */
  as?: 'http2' | 'grpc';
}

const explain = createRoute({
  getParentRoute: () => root,
  path: '/explain',
  validateSearch: (search: Record<string, unknown>): ExplainSearch => ({ method: text(search.method), url: text(search.url), headers: text(search.headers), as: search.as === 'http2' || search.as === 'grpc' ? search.as : undefined }),
  component: lazyRouteComponent(() => import('./pages/Explain'), 'Explain'),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, list, create, entity, edit, plugins, plugin, explain]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
