/** Lists and single entities. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { ApiError, call, segment } from './client';
import type { Kind } from './kinds';
import { isSecret } from './masking';
import { fieldsOf, type Schema } from './schema';

export type Entity = Record<string, unknown> & { id?: string };

export interface Page {
  data: Entity[];
  offset?: string;
  next: string | null;
}

/** The entity below which another one is found: kind and id. */
export interface Above {
  path: string;
  id: string;
}

export const PAGE_SIZE = 50;

/** The path of a collection. */
export function collectionPath(kind: Pick<Kind, 'path'>, above?: Above): string {
  return above ? `/${segment(above.path)}/${segment(above.id)}/${kind.path}` : `/${kind.path}`;
}

export function entityPath(kind: Pick<Kind, 'path'>, key: string, above?: Above): string {
  return `${collectionPath(kind, above)}/${segment(key)}`;
}

/** One page of a collection. */
export function usePage(path: string, offset: string | undefined, tags: string, enabled = true) {
  return useQuery({
    queryKey: ['entities', path, 'page', offset ?? '', tags],
    queryFn: ({ signal }) => {
      const search = new URLSearchParams({ size: String(PAGE_SIZE) });
      if (offset) search.set('offset', offset);
      if (tags) search.set('tags', tags);
      return call<Page>(`${path}?${search}`, { signal });
    },
    placeholderData: (before) => before,
    enabled,
  });
}

/** A collection from its beginning, as many pages as were asked for. */
export function usePages(path: string) {
  return useInfiniteQuery({
    queryKey: ['entities', path, 'pages'],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ size: String(PAGE_SIZE), ...(pageParam ? { offset: pageParam } : {}) });
      return call<Page>(`${path}?${search}`, { signal });
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.offset,
  });
}

/** The entity that a list is searched for, as a list of one or none. */
export function useLookUp(path: string, key: string) {
  return useQuery({
    queryKey: ['entities', path, 'look-up', key],
    queryFn: async ({ signal }) => {
      try {
        return [await call<Entity>(`${path}/${segment(key)}`, { signal })];
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return [];
        throw error;
      }
    },
    enabled: key !== '',
  });
}

export function useEntity(path: string, enabled = true) {
  return useQuery({
    queryKey: ['entities', path],
    queryFn: ({ signal }) => call<Entity>(path, { signal }),
    enabled,
  });
}

const NAMES = ['instance_name', 'name', 'username', 'target', 'prefix', 'custom_id', 'key', 'group', 'client_id'];

/**
 * What people call an entity.
 *
 * Never a credential, even where the Admin API finds the entity by it. Until the schema is there, any `key` may be one.
 */
export function titleOf(kind: string, entity: Entity | undefined, schema: Schema | undefined): string {
  if (!entity) return '';
  const fields = new Map(fieldsOf(schema));
  for (const field of NAMES) {
    const encrypted = schema ? fields.get(field)?.encrypted : field === 'key';
    if (isSecret(kind, field, encrypted)) continue;
    const value = entity[field];
    if (typeof value === 'string' && value !== '' && !value.startsWith('-----')) return value;
  }
  const first = [entity.paths, entity.hosts, entity.snis].find((list): list is string[] => Array.isArray(list) && list.length > 0);
  return first?.[0] ?? String(entity.id ?? '');
}

/** The id of what a foreign field refers to. */
export function referred(value: unknown): string | undefined {
  const id = (value as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? id : undefined;
}
