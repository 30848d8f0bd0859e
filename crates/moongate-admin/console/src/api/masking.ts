/**
 * Which values are credentials, and are shown only when somebody asks.
 *
 * The schema says so of many. Others go by their names, because schemas of other gateways and of plugins do not always.
 */
import { fieldsOf, type FieldSchema } from './schema';

const SECRET = /(^|[_-])(secret|password|passphrase|token|private_key|api[_-]?key|credential)s?(_v?\d+)?$/i;
/** Headers, where a map has them by their names. */
const SECRET_MEMBER = /^((proxy-)?authorization|(set-)?cookie)$/i;
/** Kinds whose `key` is a credential; that of others is a name. */
const SECRET_KEY = /^certificates$|credentials$/;
/** Kinds of which the Admin API finds one by a credential. */
const FOUND_BY_SECRET = /(credential|secret|token)s$/;
/** Headers and arguments of queries. Leaving out one too many does less harm than keeping one. */
const SECRET_PARAMETER = /authori[sz]ation|cookie|token|secret|passw|session|signature|credential|jwt|api[_-]?key|(^|[_-])(key|auth)$|(^|[_-])auth[_-]/i;

export function isSecret(kind: string, name: string, encrypted = false): boolean {
  if (encrypted || SECRET.test(name) || SECRET_MEMBER.test(name)) return true;
  return (SECRET_KEY.test(kind) && /^key(_alt)?$/.test(name)) || (kind === 'keys' && /^(jwk|pem|private_key)$/.test(name));
}

/** Whether what a list is searched for may be a credential. */
export function isFoundBySecret(kind: string): boolean {
  return FOUND_BY_SECRET.test(kind);
}

/** Whether a header or an argument of a query may carry a credential. */
export function isSecretParameter(name: string): boolean {
  return SECRET_PARAMETER.test(name);
}

export const MASK = '••••••••';

type Described = Partial<Pick<FieldSchema, 'encrypted' | 'fields' | 'elements' | 'values'>>;

/**
 * A copy with credentials hidden, however deep they are.
 *
 * `field` is the schema of the value, as far as it is known, and `name` the field that holds it. What is not set, and
 * yes and no, stay visible.
 */
export function masked(kind: string, value: unknown, field?: Described, name = ''): unknown {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return value;
  if (isSecret(kind, name, field?.encrypted)) return MASK;
  if (Array.isArray(value)) return value.map((item) => masked(kind, item, field?.elements));
  if (typeof value !== 'object') return value;
  const fields = new Map(fieldsOf(field));
  return Object.fromEntries(Object.entries(value).map(([inner, member]) => [inner, masked(kind, member, fields.get(inner) ?? field?.values, inner)]));
}

export function hasSecrets(kind: string, value: unknown, field?: Described): boolean {
  return JSON.stringify(masked(kind, value, field)) !== JSON.stringify(value);
}
