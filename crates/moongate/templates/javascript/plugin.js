// {{name}}: greets the upstream of each request, and its client.

// Header values and bodies are bytes.
const bytes = (text) => new TextEncoder().encode(text);

class Plugin {
  constructor(greeting) {
    this.greeting = bytes(greeting);
  }

  // Called once in each instance for each configuration; problems that are thrown refuse it.
  static configure(config) {
    const { greeting } = JSON.parse(config);
    if (greeting.includes('\n')) throw [{ path: 'greeting', message: 'must be one line' }];
    return new Plugin(greeting);
  }
}

export const lifecycle = {
  describe() {
    const schema = {
      type: 'object',
      properties: {
        greeting: { type: 'string', default: 'good day', description: 'What is said.' },
      },
    };
    return {
      name: '{{name}}',
      version: '0.1.0',
      priority: 800,
      schema: { tag: 'json-schema', val: JSON.stringify(schema) },
      adminRoutes: [{ method: 'GET', path: '/{{name}}/ping', status: false }],
      entities: [],
      timerInterval: 0,
    };
  },
  Plugin,
};

export const requestHook = {
  onRequest(plugin, request) {
    request.setHeader('x-greeting', plugin.greeting);
    return { tag: 'continue' };
  },
};

export const responseHook = {
  onResponse(plugin, response) {
    response.setHeader('x-{{name}}', plugin.greeting);
  },
};

export const adminHook = {
  onAdmin(request) {
    return { status: 200, headers: [], body: bytes('PONG') };
  },
};
