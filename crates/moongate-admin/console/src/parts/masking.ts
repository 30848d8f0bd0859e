/** Which values are credentials, and are shown only when somebody asks. */

const SECRET = /(^|_)(secret|password|passphrase|token|private_key|client_secret|api_?key|credential)s?$/i;
/** Fields whose plain name is a credential in some kinds only. */
const SECRET_KEY = new Set(['certificates', 'keyauth_credentials']);

export function isSecret(kind: string, name: string, encrypted = false): boolean {
  return encrypted || SECRET.test(name) || (SECRET_KEY.has(kind) && /^key(_alt)?$/.test(name)) || (kind === 'keys' && /^(jwk|pem|private_key)$/.test(name));
}

export const MASK = '••••••••';

/** A copy with credentials hidden. */
export function masked(kind: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => masked(kind, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (member !== null && member !== '' && typeof member !== 'boolean' && isSecret(kind, name)) return [name, MASK];
      return [name, masked(kind, member)];
    }),
  );
}

export function hasSecrets(kind: string, value: unknown): boolean {
  return JSON.stringify(masked(kind, value)) !== JSON.stringify(value);
}
