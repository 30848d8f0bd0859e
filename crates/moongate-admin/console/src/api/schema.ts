/** The schemas that the gateway serves, in Kong's form: fields are a list of objects with one member each. */
import { useQuery } from '@tanstack/react-query';
import { call, segment } from './client';

export interface FieldSchema {
  type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'set' | 'map' | 'record' | 'foreign' | 'json' | 'function' | 'any';
  description?: string;
  required?: boolean;
  default?: unknown;
  auto?: boolean;
  timestamp?: boolean;
  uuid?: boolean;
  unique?: boolean;
  one_of?: (string | number)[];
  between?: [number, number];
  gt?: number;
  len_min?: number;
  len_max?: number;
  match?: string;
  elements?: FieldSchema;
  keys?: FieldSchema;
  values?: FieldSchema;
  fields?: NamedField[];
  reference?: string;
  on_delete?: string;
  encrypted?: boolean;
  referenceable?: boolean;
  abstract?: boolean;
  eq?: unknown;
}

export type NamedField = Record<string, FieldSchema>;

export interface Schema {
  fields: NamedField[];
}

/** The fields in their order. */
export function fieldsOf(schema: { fields?: NamedField[] } | undefined): [string, FieldSchema][] {
  return (schema?.fields ?? []).flatMap((field) => Object.entries(field));
}

/** A schema with `subject` for the kinds whose `config` depends on a name: plugins and vaults. */
export async function fetchSchema(kind: string, subject?: string): Promise<Schema> {
  const entity = await call<Schema>(`/schemas/${segment(kind)}`);
  if (!subject) return entity;
  const special = new Map(fieldsOf(await call<Schema>(`/schemas/${segment(kind)}/${segment(subject)}`)));
  // What the plugin says of a field counts more than what all plugins have in common.
  const fields = entity.fields.map((field) =>
    Object.fromEntries(Object.entries(field).map(([name, own]) => [name, { ...own, abstract: undefined, ...special.get(name) }])),
  );
  return { ...entity, fields };
}

export function useSchema(kind: string, subject?: string, enabled = true) {
  return useQuery({
    queryKey: ['schema', kind, subject ?? ''],
    queryFn: () => fetchSchema(kind, subject),
    staleTime: 30_000,
    enabled,
  });
}

/** The kinds whose `config` is declared by what their `name` says. */
export const DECLARED_BY_NAME = new Set(['plugins', 'vaults']);
