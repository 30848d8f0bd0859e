/** What the gateway says of fields, at the inputs of a form. */
import type { ErrorSchema } from '@rjsf/utils';
import { fieldsOf, type FieldSchema, type Schema } from '../api/schema';
import { isEditable, isLeaf } from './jsonSchema';

export interface Sorted {
  /** For the form. */
  atFields: ErrorSchema;
  /** What is about no single field. */
  general: string[];
}

export function sortErrors(schema: Schema, fields: Record<string, unknown>): Sorted {
  const general: string[] = [];
  return { atFields: atRecord(fieldsOf(schema), fields, '', general), general };
}

function atRecord(fields: [string, FieldSchema][], errors: Record<string, unknown>, path: string, general: string[]): ErrorSchema {
  const known = new Map(fields.filter(([, field]) => isEditable(field)));
  const result: Record<string, ErrorSchema> = {};
  for (const [name, error] of Object.entries(errors)) {
    const field = known.get(name);
    const here = path === '' ? name : `${path}.${name}`;
    if (!field) {
      const about = name.startsWith('@') ? path : here;
      general.push(...texts(error).map((text) => (about === '' ? text : `${about}: ${text}`)));
    } else if (typeof error === 'string' || isLeaf(field)) {
      result[name] = { __errors: texts(error) } as ErrorSchema;
    } else if (field.type === 'record') {
      result[name] = atRecord(fieldsOf(field), error as Record<string, unknown>, here, general);
    } else {
      result[name] = atList(field.elements, error, here, general);
    }
  }
  return result as ErrorSchema;
}

/** Positions come from 1 as members of an object, or from 0 in a list with nulls. */
function atList(elements: FieldSchema | undefined, error: unknown, path: string, general: string[]): ErrorSchema {
  const entries: [number, unknown][] = Array.isArray(error)
    ? error.map((item, at) => [at, item] as [number, unknown])
    : Object.entries(error as Record<string, unknown>).map(([at, item]) => [Number(at) - 1, item]);
  const result: Record<string, ErrorSchema> = {};
  for (const [at, item] of entries) {
    if (item === null || item === undefined) continue;
    result[String(at)] =
      typeof item === 'object' && elements && !isLeaf(elements)
        ? atRecord(fieldsOf(elements), item as Record<string, unknown>, `${path}.${at}`, general)
        : ({ __errors: texts(item) } as ErrorSchema);
  }
  return result as ErrorSchema;
}

/** Every text in what may be a text, a list with nulls, or an object of them. */
function texts(error: unknown): string[] {
  if (typeof error === 'string') return [error];
  if (Array.isArray(error)) {
    return error.flatMap((item, at) => (item === null ? [] : texts(item).map((text) => (error.length > 1 ? `${at + 1}: ${text}` : text))));
  }
  if (typeof error === 'object' && error !== null) {
    return Object.entries(error).flatMap(([name, item]) => texts(item).map((text) => `${name}: ${text}`));
  }
  return error === null || error === undefined ? [] : [String(error)];
}
