/** What the gateway would do with a request, and what it does with it. */
import { Alert, Button, Group, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState, type FormEvent } from 'react';
import { call, ApiError } from '../api/client';
import { isSecretParameter } from '../api/masking';
import { useNode } from '../api/node';
import { Answer } from '../parts/Answer';
import { CALL, framed, isBase64 } from '../parts/call';
import { Page, Section } from '../parts/Page';
import { Problem } from '../parts/Said';
import { Way } from '../parts/Way';
import type { Explanation, RequestToExplain, RequestToTry, Tried } from '../parts/explanation';

const route = getRouteApi('/explain');

/** What a request is sent as. */
const KINDS = [
  { value: 'http1', label: 'HTTP/1.1' },
  { value: 'http2', label: 'HTTP/2' },
  { value: 'grpc', label: 'gRPC call' },
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

export function Explain() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const node = useNode();
  const [method, setMethod] = useState(search.method ?? 'GET');
  const [url, setUrl] = useState(search.url ?? '');
  const [headers, setHeaders] = useState(search.headers ?? '');
  const [body, setBody] = useState('');
  const [kind, setKind] = useState<string>(search.as ?? 'http1');
  const isCall = kind === 'grpc';
  const unreadable = isCall && !isBase64(body);
  const request = (): RequestToExplain => {
    const given = parseHeaders(headers);
    const missing = CALL.filter(([name]) => isCall && !given.some(([known]) => known.toLowerCase() === name));
    return { method: isCall ? 'POST' : method, url: url || '/', headers: [...given, ...missing], ...(kind === 'http1' ? {} : { http2: true }) };
  };
  const withBody = (): RequestToTry => ({ ...request(), ...(isCall ? { body_base64: framed(body) } : body ? { body } : {}) });
  const explain = useMutation({ mutationFn: () => call<Explanation>('/moongate/explain', { method: 'POST', body: request() }) });
  const attempt = useMutation({ mutationFn: () => call<Tried>('/moongate/try', { method: 'POST', body: withBody() }) });

  // A link to an explained request explains it.
  useEffect(() => {
    if (!search.url) return;
    // The link may be one that somebody wrote, with credentials.
    remember();
    explain.mutate();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const remember = () => void navigate({ search: { method: method === 'GET' ? undefined : method, url: withoutArguments(url) || '/', headers: withoutValues(headers) || undefined, as: kind === 'http2' || kind === 'grpc' ? kind : undefined }, replace: true });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    remember();
    attempt.reset();
    explain.mutate();
  };
  const send = () => {
    remember();
    explain.mutate();
    attempt.mutate();
  };
  const missing = (error: unknown) => error instanceof ApiError && error.status === 404;

  return (
    <Page title="Explain and try" about="Which way a request takes through the gateway, and why. Explaining sends nothing.">
      <Section title="Request">
        <form onSubmit={submit}>
          <Stack>
            <Group align="flex-end" gap="sm">
              <Select label="Sent as" data={KINDS} value={kind} onChange={(value) => setKind(value ?? 'http1')} w={130} allowDeselect={false} />
              <Select label="Method" data={METHODS.includes(method) ? METHODS : [...METHODS, method]} value={isCall ? 'POST' : method} disabled={isCall} onChange={(value) => setMethod(value ?? 'GET')} w={120} allowDeselect={false} />
              <TextInput label="URL or path" placeholder={isCall ? 'https://example.com/package.Service/Method' : '/secure or https://example.com/orders?id=1'} value={url} onChange={(event) => setUrl(event.currentTarget.value)} flex="1 1 16rem" autoComplete="off" spellCheck={false} />
            </Group>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <Textarea label="Headers" description="One a line, as in: Authorization: Bearer …; credentials stay out of this page's address" value={headers} onChange={(event) => setHeaders(event.currentTarget.value)} autosize minRows={3} spellCheck={false} />
              <Textarea
                label={isCall ? 'Message' : 'Body'}
                description={isCall ? 'One message in protocol buffers, as base64; nothing is an empty one. Streams of messages cannot be tried here' : 'Sent when you try it; nothing else looks at it'}
                error={unreadable && 'This is no base64'}
                value={body}
                onChange={(event) => setBody(event.currentTarget.value)}
                autosize
                minRows={3}
                spellCheck={false}
              />
            </SimpleGrid>
            <Group justify="flex-end">
              <Button type="submit" variant="light" loading={explain.isPending}>
                Explain
              </Button>
              <Button onClick={send} loading={attempt.isPending} disabled={unreadable}>
                Send it
              </Button>
            </Group>
          </Stack>
        </form>
      </Section>
      {missing(explain.error) ? (
        <Alert title="This node does not explain requests">
          <Text size="sm">It has no /moongate/explain: it is no Moongate, or an older one.</Text>
        </Alert>
      ) : (
        <Problem error={explain.error} />
      )}
      <Problem error={missing(attempt.error) ? null : attempt.error} />
      {attempt.data && <Answer tried={attempt.data} traceable={node.data?.configuration.allow_debug_header === 'on'} />}
      {explain.data && (
        <Section title="The way through the gateway">
          <Way explanation={explain.data} />
        </Section>
      )}
    </Page>
  );
}

function parseHeaders(text: string): [string, string][] {
  return linesOf(text).map((line) => {
    const colon = line.indexOf(':', 1);
    return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
}

/** Headers as they may be in an address, which ends up in histories: of credentials the names alone. */
function withoutValues(text: string): string {
  return linesOf(text)
    .filter((line) => line.includes(':', 1))
    .map((line) => {
      const name = line.slice(0, line.indexOf(':', 1));
      return isSecretParameter(name.trim()) ? `${name}:` : line;
    })
    .join('\n');
}

/** The same for a URL: its user, and arguments that carry credentials. */
function withoutArguments(url: string): string {
  return url.replace(/^(\w+:\/\/)?[^/?#]*@/, '$1').replace(/([?&]([^=&#]+)=)[^&#]*/g, (whole, start: string, name: string) => (isSecretParameter(name) ? start : whole));
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
