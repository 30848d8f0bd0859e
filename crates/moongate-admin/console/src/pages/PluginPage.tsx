/** One loaded plugin: what it is, what it may, how it does, and where it is applied. */
import { Alert, Badge, Box, Button, Group, SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import { ApiError, call, segment } from '../api/client';
import type { Entity, Page as EntitiesPage } from '../api/entities';
import type { LoadedPlugin } from '../api/node';
import { useSchema } from '../api/schema';
import { EntityTable } from '../parts/EntityTable';
import { LinkButton } from '../parts/LinkButton';
import { Page, Section } from '../parts/Page';
import { Problem } from '../parts/Said';
import { Statistics } from '../parts/Statistics';
import { bytes, Time } from '../parts/Time';
import { STATE_COLORS } from './Plugins';

const route = getRouteApi('/plugins/$name');

/** Shown in places of their own. */
const KNOWN = new Set(['name', 'version', 'priority', 'digest', 'file', 'hooks', 'state', 'last_error', 'generation', 'loaded_at', 'capabilities', 'grants', 'last_trap', 'statistics']);

export function PluginPage() {
  const { name } = route.useParams();
  const queries = useQueryClient();
  const plugin = useQuery({
    queryKey: ['loaded', name],
    queryFn: () => call<LoadedPlugin>(`/moongate/plugins/${segment(name)}`),
    refetchInterval: 2_000,
  });
  const applied = useApplied(name);
  const schema = useSchema('plugins');
  const reload = useMutation({
    mutationFn: () => call<{ plugin: LoadedPlugin }>(`/moongate/plugins/${segment(name)}/reload`, { method: 'POST' }),
    onSuccess: ({ plugin }) => notifications.show({ message: `${plugin.name}: generation ${plugin.generation} is live` }),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['loaded'] }),
  });
  const running = (applied.data ?? []).filter((one) => one.enabled !== false);
  const enabling = running.length === 0 && (applied.data ?? []).length > 0;
  const toggle = useMutation({
    mutationFn: async () => {
      for (const one of enabling ? (applied.data ?? []) : running) {
        await call(`/plugins/${segment(String(one.id))}`, { method: 'PATCH', body: { enabled: enabling } });
      }
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ['entities'] }),
  });
  const data = plugin.data;
  if (!data) {
    return <Page title={name}>{plugin.error ? <Problem error={plugin.error} /> : <Skeleton height={300} role="status" aria-label="Loading" />}</Page>;
  }
  const more = Object.entries(data).filter(([member, value]) => !KNOWN.has(member) && value !== null);
  return (
    <Page
      title={name}
      about={
        <Group gap="xs">
          <Badge color={STATE_COLORS[data.state] ?? 'gray'}>{data.state}</Badge>
          <span>
            version {data.version ?? 'unknown'}, generation {data.generation ?? 0}
          </span>
        </Group>
      }
      actions={
        <>
          <Button variant="default" loading={reload.isPending} onClick={() => reload.mutate()}>
            Reload
          </Button>
          <Button variant="default" disabled={(applied.data ?? []).length === 0} loading={toggle.isPending} onClick={() => toggle.mutate()}>
            {enabling ? 'Enable everywhere' : 'Disable everywhere'}
          </Button>
          <LinkButton to="/entities/$kind/new" params={{ kind: 'plugins' }} search={{ name }} leftSection={<IconPlus size={16} aria-hidden />}>
            Apply
          </LinkButton>
        </>
      }
    >
      <Problem error={reload.error instanceof ApiError && reload.error.status === 404 ? new Error('This node cannot reload a single plugin: copy its file into the directory again.') : reload.error} />
      <Problem error={toggle.error} />
      {data.last_error && (
        <Alert color={data.state === 'refused' ? 'red' : 'orange'} icon={<IconAlertTriangle aria-hidden />} title={data.state === 'refused' ? 'The newest file was refused' : 'Its last failure'}>
          <Trace text={data.last_error} />
          {data.state === 'refused' && (data.generation ?? 0) > 0 && (
            <Text size="sm" mt="xs">
              Generation {data.generation} serves on.
            </Text>
          )}
        </Alert>
      )}
      {typeof data.last_trap === 'object' && data.last_trap !== null && <Trap trap={data.last_trap as Record<string, unknown>} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Section title="Component" padded={false}>
          <Facts
            facts={[
              ['File', <span className="mono">{data.file}</span>],
              ['Digest', <span className="mono">{data.digest ?? '–'}</span>],
              ['Priority', data.priority ?? '–'],
              ['Hooks', data.hooks?.join(', ') || '–'],
              ['Live since', data.loaded_at ? <Time at={data.loaded_at} /> : '–'],
            ]}
          />
        </Section>
        <Section title="Capabilities">
          <Capabilities value={data.grants === undefined ? data.capabilities : { asked: data.capabilities, granted: data.grants }} />
        </Section>
      </SimpleGrid>
      {data.statistics && <Statistics statistics={data.statistics} />}
      {more.length > 0 && (
        <Section title="More" padded={false}>
          <Facts facts={more.flatMap(([member, value]) => factsOf(member, value))} />
        </Section>
      )}
      <Section title="Applied to" padded={false}>
        {!applied.data ? (
          <Box p="md">
          <Skeleton height={56} />
        </Box>
        ) : applied.data.length === 0 ? (
          <Text c="dimmed" px="md" pb="md">
            Nothing yet. It runs for no request until it is applied to everything, a service, a route or a consumer.
          </Text>
        ) : (
          <EntityTable kind="plugins" entities={applied.data} schema={schema.data} />
        )}
      </Section>
    </Page>
  );
}

/** The configurations of one plugin; the Admin API lists those of all. */
function useApplied(name: string) {
  return useQuery({
    queryKey: ['entities', '/plugins', 'of', name],
    queryFn: async () => {
      const found: Entity[] = [];
      let offset: string | undefined;
      do {
        const search = new URLSearchParams({ size: '1000', ...(offset ? { offset } : {}) });
        const page = await call<EntitiesPage>(`/plugins?${search}`);
        found.push(...page.data.filter((entity) => entity.name === name));
        offset = page.offset;
      } while (offset);
      return found;
    },
  });
}

function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <Table layout="fixed">
      <Table.Tbody>
        {facts.map(([label, value]) => (
          <Table.Tr key={label}>
            <Table.Th scope="row" w={{ base: 110, sm: 170 }} fw={500} c="dimmed">
              {label}
            </Table.Th>
            <Table.Td className="numbers">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Figures of whatever shape the gateway gives them. */
function factsOf(name: string, value: unknown): [string, ReactNode][] {
  const label = name.replaceAll('_', ' ');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([inner, one]) => factsOf(`${name}: ${inner}`, one));
  }
  if (value === null) return [[label, '–']];
  if (typeof value === 'number') {
    if (/(^|[_ ])(memory|bytes)/.test(name)) return [[label, bytes(value)]];
    if (/_at$/.test(name)) return [[label, <Time key={name} at={value} />]];
    return [[label, value.toLocaleString()]];
  }
  return [[label, Array.isArray(value) ? value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(', ') || '–' : String(value)]];
}

function Capabilities({ value }: { value: unknown }) {
  if (value === undefined || value === null) {
    return <Text c="dimmed">This node does not tell them. Files, sockets and the environment are not linked into any plugin.</Text>;
  }
  const groups: [string, unknown][] = Array.isArray(value) ? [['granted', value]] : Object.entries(value as Record<string, unknown>);
  return (
    <Stack gap="sm">
      {groups.map(([group, names]) => (
        <Fragment key={group}>
          <Group gap="xs">
            <Text size="sm" fw={500} w={90}>
              {group.charAt(0).toUpperCase() + group.slice(1).replaceAll('_', ' ')}
            </Text>
            {named(names).length === 0 ? (
              <Text size="sm" c="dimmed">
                none
              </Text>
            ) : (
              named(names).map((name) => (
                <Badge key={name} tt="none" color={group === 'granted' ? 'green' : group === 'refused' || group === 'missing' ? 'red' : 'gray'}>
                  {name}
                </Badge>
              ))
            )}
          </Group>
        </Fragment>
      ))}
    </Stack>
  );
}

function named(value: unknown): string[] {
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([name, one]) => (one === true ? name : `${name}: ${JSON.stringify(one)}`));
  return value === undefined || value === null || value === false ? [] : [String(value)];
}

function Trap({ trap }: { trap: Record<string, unknown> }) {
  const { at, message, backtrace, ...rest } = trap;
  return (
    <Section title="Last trap">
      <Stack gap="xs">
        {typeof at === 'number' && (
          <Text size="sm" c="dimmed">
            <Time at={at} />
          </Text>
        )}
        {message !== undefined && <Trace text={String(message)} />}
        {backtrace !== undefined && backtrace !== null && <Trace text={Array.isArray(backtrace) ? backtrace.join('\n') : String(backtrace)} />}
        {Object.keys(rest).length > 0 && <Facts facts={Object.entries(rest).flatMap(([name, value]) => factsOf(name, value))} />}
      </Stack>
    </Section>
  );
}

function Trace({ text }: { text: string }) {
  return (
    <Box component="pre" className="mono" m={0} mah={320} style={{ whiteSpace: 'pre-wrap', overflow: 'auto' }} tabIndex={0} aria-label="Trace">
      {text}
    </Box>
  );
}
