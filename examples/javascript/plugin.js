// Hands the user name in a signed token on to the upstream.

import { Verifier } from 'moongate:plugin/crypto@0.1.0';

const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);

// What URL-safe Base64 without padding stands for; null when it is something else.
function decode(word) {
  try {
    return Uint8Array.from(atob(word.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function json(word) {
  try {
    return JSON.parse(text(decode(word)));
  } catch {
    return null;
  }
}

class Plugin {
  constructor(config) {
    this.header = config.header;
    this.verifier = Verifier.secret('hs256', bytes(config.secret));
  }

  static configure(text) {
    return new Plugin(JSON.parse(text));
  }

  // The user name in the request's token, or what is wrong with it.
  user(request) {
    const header = request.header('authorization');
    const [scheme, token] = header ? text(header).split(' ') : [];
    if (scheme?.toLowerCase() !== 'bearer' || !token) return { error: 'no token' };
    const [head, payload, signature, ...more] = token.split('.');
    const signed = signature && !more.length && decode(signature);
    if (!signed || json(head)?.alg !== 'HS256') return { error: 'not a token of this kind' };
    if (!this.verifier.verify(bytes(`${head}.${payload}`), signed)) return { error: 'bad signature' };
    const claims = json(payload);
    // When the request began: the same for the whole request, and it costs nothing to ask.
    if (!(claims?.exp * 1000 > Number(request.started()))) return { error: 'expired' };
    return { name: String(claims.username ?? '') };
  }
}

export const lifecycle = {
  describe() {
    const schema = {
      type: 'object',
      properties: {
        secret: { type: 'string', description: 'What tokens are signed with.', 'x-encrypted': true },
        header: { type: 'string', default: 'x-user', description: 'The header that goes upstream.' },
      },
      required: ['secret'],
    };
    return {
      name: 'claim-javascript',
      version: '0.1.0',
      priority: 1450,
      schema: { tag: 'json-schema', val: JSON.stringify(schema) },
      adminRoutes: [{ method: 'GET', path: '/claim-javascript/ping', status: false }],
      entities: [],
      timerInterval: 0,
    };
  },
  Plugin,
};

export const requestHook = {
  onRequest(plugin, request) {
    const { error, name } = plugin.user(request);
    if (error) {
      const headers = [{ name: 'www-authenticate', value: bytes('Bearer') }];
      return { tag: 'fail', val: { status: 401, message: error, headers } };
    }
    request.setHeader(plugin.header, bytes(name));
    return { tag: 'continue' };
  },
};

export const adminHook = {
  onAdmin() {
    return { status: 200, headers: [], body: bytes('PONG') };
  },
};
