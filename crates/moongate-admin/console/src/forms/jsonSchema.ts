/**
 * Kong's schemas as JSON Schemas, for forms.
 *
 * This is about what a form looks like, not about what is right: the gateway itself checks what is sent, and its
 * answer is shown at the fields.
 */
import { words } from '../api/kinds';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import { isSecret } from '../api/masking';
import { DECLARED_BY_NAME, fieldsOf, type FieldSchema, type Schema } from '../api/schema';

export interface FormSchema {
  schema: RJSFSchema;
  ui: UiSchema;
}

/** The fields of an entity that people fill in. */
export function formSchema(kind: string, schema: Schema): FormSchema {
  const fields = fieldsOf(schema).filter(([, field]) => isEditable(field));
  return record(kind, sorted(fields), DECLARED_BY_NAME.has(kind));
}

export function isEditable(field: FieldSchema): boolean {
  return !field.auto && field.type !== 'function' && !field.abstract && !('eq' in field && field.eq === null);
}

/** What says what the entity is comes first, and what is rarely changed last. Otherwise the order is the schema's. */
function sorted(fields: [string, FieldSchema][]): [string, FieldSchema][] {
  const place = ([name, field]: [string, FieldSchema]) => {
    if (name === 'name' || name === 'username') return 0;
    if (name === 'tags') return 4;
    if (field.required && field.default === undefined) return 1;
    return field.default === undefined || field.default === null ? 2 : 3;
  };
  return [...fields].sort((a, b) => place(a) - place(b));
}

/** Whether the whole value is edited by one input, so that what is wrong inside of it is said at that input. */
export function isLeaf(field: FieldSchema): boolean {
  switch (field.type) {
    case 'record':
      return fieldsOf(field).length === 0;
    case 'array':
    case 'set':
      return isPlain(field.elements);
    case 'map':
      return true;
    default:
      return true;
  }
}

function record(kind: string, fields: [string, FieldSchema][], fixedName = false): FormSchema {
  const properties: Record<string, RJSFSchema> = {};
  const ui: UiSchema = {};
  const required: string[] = [];
  for (const [name, field] of fields) {
    const { schema, ui: own } = node(kind, name, field);
    properties[name] = { title: words(name), ...schema };
    // The name says which plugin or vault it is, and with it what the rest of the form is.
    ui[name] = name === 'name' && fixedName ? { ...own, 'ui:readonly': true } : own;
    // What has a default is not missing when it is left empty.
    if (field.required && field.default === undefined && field.type !== 'record') required.push(name);
  }
  return { schema: { type: 'object', properties, required }, ui };
}

function node(kind: string, name: string, field: FieldSchema): FormSchema {
  const common: RJSFSchema = {};
  if (field.description) common.description = field.description;
  if (field.default !== undefined && field.default !== null && isLeaf(field)) common.default = field.default as RJSFSchema['default'];
  switch (field.type) {
    case 'string':
      return { schema: { ...common, type: 'string', ...choices(field) }, ui: stringUi(kind, name, field) };
    case 'integer':
    case 'number': {
      const [minimum, maximum] = field.between ?? [];
      const type = field.type;
      return { schema: { ...common, type, minimum, maximum, ...choices(field) }, ui: field.one_of ? { 'ui:widget': 'choice' } : { 'ui:widget': 'number' } };
    }
    case 'boolean':
      // Without a default, not set is a third value.
      return { schema: { ...common, type: 'boolean' }, ui: { 'ui:widget': field.default === undefined ? 'tristate' : 'switch' } };
    case 'foreign':
      return { schema: { ...common, type: 'string' }, ui: { 'ui:widget': 'reference', 'ui:options': { reference: field.reference } } };
    case 'array':
    case 'set':
      return list(kind, name, field, common);
    case 'map':
      return { schema: { ...common, type: 'object', properties: {} }, ui: { 'ui:field': 'map', 'ui:options': { values: field.values } } };
    case 'record': {
      const fields = fieldsOf(field).filter(([, inner]) => isEditable(inner));
      if (fields.length === 0) return { schema: { ...common, type: 'object', properties: {} }, ui: { 'ui:field': 'json' } };
      const { schema, ui } = record(kind, fields);
      return { schema: { ...common, ...schema }, ui };
    }
    default:
      return { schema: { ...common }, ui: { 'ui:field': 'json' } };
  }
}

function list(kind: string, name: string, field: FieldSchema, common: RJSFSchema): FormSchema {
  const elements: FieldSchema = field.elements ?? { type: 'any' };
  if (isPlain(elements)) {
    const type = elements.type === 'integer' || elements.type === 'number' ? elements.type : 'string';
    const options = { choices: elements.one_of, numeric: type !== 'string', free: elements.one_of === undefined };
    return { schema: { ...common, type: 'array', items: { type } }, ui: { 'ui:widget': 'words', 'ui:options': options } };
  }
  const inner = node(kind, name, elements);
  return { schema: { ...common, type: 'array', items: { title: '', ...inner.schema } }, ui: { items: inner.ui } };
}

function isPlain(field: FieldSchema | undefined): boolean {
  return field !== undefined && ['string', 'integer', 'number'].includes(field.type);
}

function choices(field: FieldSchema): RJSFSchema {
  return field.one_of ? { enum: field.one_of } : {};
}

function stringUi(kind: string, name: string, field: FieldSchema): UiSchema {
  if (field.one_of) return { 'ui:widget': 'choice' };
  const isText = /(^|_)(cert|key|pem|jwk|body|expression|script|public_key|private_key)(_alt)?$/.test(name) && !/^(key_name|key_names)$/.test(name);
  if (isSecret(kind, name, field.encrypted)) return { 'ui:widget': isText ? 'secretText' : 'secret' };
  if (isText && (/(cert|pem|public_key|expression|body|script)/.test(name) || kind === 'certificates')) return { 'ui:widget': 'text' };
  return { 'ui:widget': 'line' };
}
