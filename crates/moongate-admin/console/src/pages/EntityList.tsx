import { Button, Group, Skeleton, Stack, TagsInput, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDatabaseOff, IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { call } from '../api/client';
import { collectionPath, useLookUp, usePage } from '../api/entities';
import { singular, useKinds, words } from '../api/kinds';
import { isFoundBySecret } from '../api/masking';
import { useSchema } from '../api/schema';
import { EntityTable } from '../parts/EntityTable';
import { LinkButton } from '../parts/LinkButton';
import { Page } from '../parts/Page';
import { Empty, Problem } from '../parts/Said';

const route = getRouteApi('/entities/$kind');

export function EntityList() {
  const { kind: name } = route.useParams();
  // Another kind begins with its own search and its first page.
  return <List key={name} name={name} />;
}

function List({ name }: { name: string }) {
  const { q: linked = '', tags = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const kinds = useKinds();
  const kind = kinds.data?.byName(name);
  const path = kind ? collectionPath(kind) : '';
  const schema = useSchema(name, undefined, kind !== undefined);
  /** The offsets of the pages up to this one; a page only knows the next. */
  const [offsets, setOffsets] = useState<(string | undefined)[]>([undefined]);
  const [typed, setTyped] = useState(linked);
  const [asked] = useDebouncedValue(typed.trim(), 300);
  // Addresses end up in histories.
  const remembered = isFoundBySecret(name) ? '' : asked;
  const q = isFoundBySecret(name) ? asked : linked;
  const page = usePage(path, offsets.at(-1), tags, kind !== undefined && q === '');
  const found = useLookUp(path, kind ? q : '');
  const known = useTags(kind !== undefined);

  useEffect(() => {
    if (remembered !== linked) void navigate({ search: (before) => ({ ...before, q: remembered || undefined }), replace: true });
  }, [remembered, linked, navigate]);

  const entities = q ? found.data : page.data?.data;
  const error = kinds.error ?? (q ? found.error : page.error);
  const next = q ? undefined : page.data?.offset;
  const title = name === 'plugins' ? 'Plugin configurations' : words(name);
  const add = (
    <LinkButton to="/entities/$kind/new" params={{ kind: name }} leftSection={<IconPlus size={16} aria-hidden />}>
      New {name === 'plugins' ? 'plugin configuration' : singular(name)}
    </LinkButton>
  );

  return (
    <Page title={title} actions={add}>
      <Group gap="sm" align="flex-end">
        <TextInput label="Name or id" placeholder="The whole name" leftSection={<IconSearch size={16} aria-hidden />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} flex="1 1 14rem" />
        <TagsInput
          label="Tags"
          placeholder={tags ? undefined : 'All of these'}
          data={known}
          value={tags ? tags.split(',') : []}
          onChange={(chosen) => {
            setOffsets([undefined]);
            void navigate({ search: (before) => ({ ...before, tags: chosen.join(',') || undefined }), replace: true });
          }}
          clearable
          clearButtonProps={{ 'aria-label': 'Clear tags' }}
          flex="1 1 14rem"
        />
      </Group>
      <Problem error={error} retry={() => void page.refetch()} />
      <div className="surface">
        {entities === undefined ? (
          !error && <Waiting />
        ) : entities.length === 0 ? (
          <Empty icon={<IconDatabaseOff />} title={q || tags ? 'Nothing found' : `No ${title.charAt(0).toLowerCase()}${title.slice(1)} yet`}>
            {q ? `Nothing has the name or id ${q}. The whole name is needed.` : tags ? 'Nothing has all of these tags.' : FIRST[name] ?? 'Make the first one, and requests are served with it at once.'}
          </Empty>
        ) : (
          <EntityTable kind={name} entities={entities} schema={schema.data} />
        )}
      </div>
      {(offsets.length > 1 || next) && !q && (
        <Group justify="space-between">
          <Button variant="default" disabled={offsets.length === 1} onClick={() => setOffsets(offsets.slice(0, -1))}>
            Previous
          </Button>
          <span className="numbers" aria-live="polite">
            Page {offsets.length}
          </span>
          <Button variant="default" disabled={!next || page.isPlaceholderData} onClick={() => next && setOffsets([...offsets, next])}>
            Next
          </Button>
        </Group>
      )}
    </Page>
  );
}

/** What to do first. */
const FIRST: Record<string, string> = {
  services: 'A service is what requests are forwarded to. Make one with the host and port of your API, then a route that leads to it.',
  routes: 'A route says which requests go to which service, by host, path, method or header. Make a service first.',
  plugins: 'A plugin does something with requests: checks tokens, changes headers. Put its .wasm file into a plugin directory, then apply it here to everything, a service, a route or a consumer.',
  consumers: 'A consumer stands for somebody who uses your APIs. Plugins can tell them apart.',
  upstreams: 'An upstream shares requests among several targets and leaves out those that fail. Services use it by its name as their host.',
  certificates: 'A certificate is shown to clients that speak TLS, by the server name that they ask for.',
};

function Waiting() {
  return (
    <Stack gap="sm" p="md" role="status" aria-label="Loading">
      {[0, 1, 2, 3, 4, 5].map((at) => (
        <Skeleton key={at} height={28} />
      ))}
    </Stack>
  );
}

function useTags(enabled: boolean): string[] {
  const tags = useQuery({
    queryKey: ['entities', 'tags'],
    queryFn: async () => [...new Set((await call<{ data: { tag: string }[] }>('/tags?size=1000')).data.map(({ tag }) => tag))].sort(),
    enabled,
    staleTime: 10_000,
    retry: false,
  });
  return tags.data ?? [];
}
