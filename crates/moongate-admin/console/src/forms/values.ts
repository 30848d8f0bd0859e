/**
 * Between an entity and what a form holds of it.
 *
 * A form has no null: an empty field is absent. A reference is the id alone.
 */
import type { Entity } from '../api/entities';
import { fieldsOf, type FieldSchema, type Schema } from '../api/schema';
import { isEditable } from './jsonSchema';

export type Values = Record<string, unknown>;

export function toForm(schema: Schema, entity: Entity): Values {
  return recordToForm(fieldsOf(schema), entity);
}

/** What the entity would be, without what the gateway fills in itself. Empty fields are absent. */
export function toEntity(schema: Schema, values: Values): Values {
  return recordToEntity(fieldsOf(schema), values);
}

/** A new entity: only what is not the default anyway. */
export function toCreate(schema: Schema, values: Values): Values {
  const entity = toEntity(schema, values);
  const fields = new Map(fieldsOf(schema));
  return Object.fromEntries(
    Object.entries(entity)
      .map(([name, value]) => [name, withoutDefaults(fields.get(name), value)] as const)
      .filter(([, value]) => value !== undefined),
  );
}

/** What has to be sent to change `before` into what the form holds: the fields that differ, null where one is emptied. */
export function toUpdate(schema: Schema, before: Entity, values: Values): Values {
  const wanted = toEntity(schema, values);
  const held = toEntity(schema, toForm(schema, before));
  const update: Values = {};
  for (const [name, field] of fieldsOf(schema)) {
    if (!isEditable(field) || same(wanted[name], held[name])) continue;
    update[name] = withNulls(field, wanted[name], held[name]);
  }
  return update;
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The defaults of a schema, as a form holds them. */
export function defaultsOf(schema: Schema): Values {
  return recordDefaults(fieldsOf(schema));
}

function recordDefaults(fields: [string, FieldSchema][]): Values {
  const values: Values = {};
  for (const [name, field] of fields) {
    if (!isEditable(field)) continue;
    const inner = field.type === 'record' && fieldsOf(field).length > 0 ? recordDefaults(fieldsOf(field)) : undefined;
    const own = field.default ?? undefined;
    if (inner !== undefined) values[name] = { ...inner, ...(own !== undefined ? (toFormValue(field, own) as Values) : {}) };
    else if (own !== undefined) values[name] = own;
  }
  return values;
}

function recordToForm(fields: [string, FieldSchema][], entity: Values): Values {
  const values: Values = {};
  for (const [name, field] of fields) {
    if (!isEditable(field)) continue;
    const value = toFormValue(field, entity[name]);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function toFormValue(field: FieldSchema, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  switch (field.type) {
    case 'foreign':
      return (value as { id?: string }).id;
    case 'record':
      return fieldsOf(field).length > 0 ? recordToForm(fieldsOf(field), value as Values) : value;
    case 'map':
      // An empty map and an empty list are the same to some gateways.
      return Array.isArray(value) ? {} : value;
    case 'array':
    case 'set': {
      const list = Array.isArray(value) ? value : [];
      return field.elements ? list.map((item) => toFormValue(field.elements as FieldSchema, item)) : list;
    }
    default:
      return value;
  }
}

function recordToEntity(fields: [string, FieldSchema][], values: Values): Values {
  const entity: Values = {};
  for (const [name, field] of fields) {
    if (!isEditable(field)) continue;
    const value = toEntityValue(field, values[name]);
    if (value !== undefined) entity[name] = value;
  }
  return entity;
}

function toEntityValue(field: FieldSchema, value: unknown): unknown {
  if (value === null || value === undefined || value === '') return undefined;
  switch (field.type) {
    case 'foreign':
      return { id: value };
    case 'record':
      return fieldsOf(field).length > 0 ? recordToEntity(fieldsOf(field), value as Values) : value;
    case 'array':
    case 'set':
      if (!Array.isArray(value)) return undefined;
      return field.elements ? value.map((item) => toEntityValue(field.elements as FieldSchema, item) ?? null) : value;
    default:
      return value;
  }
}

function withoutDefaults(field: FieldSchema | undefined, value: unknown): unknown {
  if (!field) return value;
  if (field.type === 'record' && fieldsOf(field).length > 0 && typeof value === 'object' && value !== null) {
    const inner = new Map(fieldsOf(field));
    const kept = Object.entries(value)
      .map(([name, member]) => [name, withoutDefaults(inner.get(name), member)] as const)
      .filter(([, member]) => member !== undefined);
    return kept.length > 0 ? Object.fromEntries(kept) : undefined;
  }
  if (field.default !== undefined && field.default !== null && same(field.default, value)) return undefined;
  const empty = (Array.isArray(value) && value.length === 0) || (field.type === 'map' && same(value, {}));
  return empty && !field.default ? undefined : value;
}

/** The wanted value, with null for what was there and is to go: a gateway keeps what an update does not name. */
function withNulls(field: FieldSchema, wanted: unknown, held: unknown): unknown {
  if (wanted === undefined) return null;
  const fields = field.type === 'record' ? fieldsOf(field) : [];
  if (fields.length === 0 || typeof wanted !== 'object' || wanted === null) return wanted;
  const before = (held ?? {}) as Values;
  const result: Values = { ...(wanted as Values) };
  for (const [name, inner] of fields) {
    if (isEditable(inner) && name in before) result[name] = withNulls(inner, result[name], before[name]);
  }
  return result;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
