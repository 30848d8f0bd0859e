/** One entity: its fields, what belongs to it, and its text. */
import { Badge, Box, Button, Group, Menu, Skeleton, Table, Tabs, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCopy, IconDots, IconEdit, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { call, segment } from '../api/client';
import { titleOf, usePages, type Entity } from '../api/entities';
import { singular, uncapitalised, useKinds, words, type Child, type Kind } from '../api/kinds';
import { DECLARED_BY_NAME, fieldsOf, useSchema, type Schema } from '../api/schema';
import { CodeView } from '../parts/CodeView';
import { DeleteDialog } from '../parts/DeleteDialog';
import { EntityTable } from '../parts/EntityTable';
import { LinkButton } from '../parts/LinkButton';
import { Page, Section } from '../parts/Page';
import { Problem } from '../parts/Said';
import { useFound } from '../parts/useFound';
import { Value } from '../parts/Value';

const route = getRouteApi('/entities/$kind/$key');

export function EntityPage() {
  const { kind: name, key } = route.useParams();
  const { in: below, view } = route.useSearch();
  const navigate = useNavigate();
  const kinds = useKinds();
  const kind = kinds.data?.byName(name);
  const { entity, path, error } = useFound(name, key, below);
  const [deleting, dialog] = useDisclosure();
  const subject = DECLARED_BY_NAME.has(name) ? (entity?.name as string | undefined) : undefined;
  const asked = useSchema(name, subject, entity !== undefined);
  const schema = asked.data ?? (asked.error ? UNKNOWN : undefined);
  const title = titleOf(name, entity, asked.data) || key;
  if (error) {
    return (
      <Page title={title}>
        <Problem error={error} />
      </Page>
    );
  }
  if (!entity || !kind || !schema) {
    return (
      <Page title={title}>
        <Skeleton height={320} role="status" aria-label="Loading" />
      </Page>
    );
  }
  const params = { kind: name, key };
  const actions = (
    <>
      <LinkButton to="/entities/$kind/$key/edit" params={params} search={{ in: below }} leftSection={<IconEdit size={16} aria-hidden />}>
        Edit
      </LinkButton>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px="sm" aria-label="More actions">
            <IconDots size={18} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => void navigate({ to: '/entities/$kind/new', params: { kind: name }, search: { from: key, in: below } })}>
            Duplicate
          </Menu.Item>
          <Menu.Item color="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={dialog.open}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
  return (
    <Page
      title={title}
      about={
        <>
          {name === 'plugins' ? 'Plugin configuration' : singular(name)} <span className="mono">{String(entity.id)}</span>
        </>
      }
      actions={actions}
    >
      <Tabs value={view === 'text' ? 'text' : 'fields'} onChange={(next) => void navigate({ to: '.', search: (before) => ({ ...before, view: next === 'text' ? 'text' : undefined }), replace: true })} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="fields">Fields</Tabs.Tab>
          <Tabs.Tab value="text">JSON and YAML</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="fields">
          <Fields kind={kind} schema={schema} entity={entity} />
        </Tabs.Panel>
        <Tabs.Panel value="text">
          <div className="surface">
            <CodeView kind={name} schema={schema} value={entity} />
          </div>
        </Tabs.Panel>
      </Tabs>
      {name === 'upstreams' && <Health id={String(entity.id)} />}
      {kind.children
        .filter((child) => kinds.data?.byName(child.kind) !== undefined)
        .map((child) => (
          <Related key={child.path} kind={kind} child={child} entity={entity} />
        ))}
      <DeleteDialog kind={kind} entity={entity} title={title} path={path} opened={deleting} onClose={dialog.close} onDeleted={() => void navigate(below ? { to: '/entities/$kind/$key', params: { kind: below.split('/')[0] ?? '', key: below.split('/')[1] ?? '' } } : { to: '/entities/$kind', params: { kind: name } })} />
    </Page>
  );
}

/** Without a schema, as of a plugin that is gone, nobody knows what in a configuration is a credential. */
const UNKNOWN: Schema = { fields: [{ config: { type: 'record', encrypted: true } }] };

function Fields({ kind, schema, entity }: { kind: Kind; schema: Schema; entity: Entity }) {
  const fields = new Map(fieldsOf(schema));
  const rows = Object.entries(entity).filter(([name, value]) => name !== 'config' && value !== null && !(Array.isArray(value) && value.length === 0) && !isEmptyRecord(value));
  const config = entity.config && typeof entity.config === 'object' ? Object.entries(entity.config) : [];
  const whole = fields.get('config');
  const inner = new Map(fieldsOf(whole));
  return (
    <div className="surface">
      <Table aria-label="Fields" layout="fixed">
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={{ base: 120, sm: 220 }} fw={500} c="dimmed">
                {words(name)}
              </Table.Th>
              <Table.Td>
                <Value kind={kind.name} name={name} value={value} field={fields.get(name)} />
              </Table.Td>
            </Table.Tr>
          ))}
          {config.map(([name, value]) => (
            <Table.Tr key={`config.${name}`}>
              <Table.Th scope="row" fw={500} c="dimmed">
                Config: {words(name)}
              </Table.Th>
              <Table.Td>
                <Value kind={kind.name} name={name} value={value} field={whole?.encrypted ? whole : inner.get(name)} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

/** What is found below the entity, and the way to add to it. */
function Related({ kind, child, entity }: { kind: Kind; child: Child; entity: Entity }) {
  const id = String(entity.id);
  const path = `/${kind.path}/${segment(id)}/${child.path}`;
  const pages = usePages(path);
  const entities = pages.data?.pages.flatMap((page) => page.data);
  const schema = useSchema(child.kind);
  const kinds = useKinds();
  const own = kinds.data?.byName(child.kind);
  const refers = fieldsOf(schema.data).find(([, field]) => field.type === 'foreign' && field.reference === kind.name);
  // Some collections are listed and not offered.
  if (pages.error && !entities) return null;
  const below = own?.listed === false ? `${kind.name}/${id}` : undefined;
  const search = below ? { in: below } : { set: refers ? `${refers[0]}:${id}` : undefined };
  const what = child.kind === 'plugins' ? 'Plugin configurations' : words(child.kind);
  return (
    <Section
      title={what}
      padded={false}
      actions={
        <LinkButton to="/entities/$kind/new" params={{ kind: child.kind }} search={search} size="xs" variant="light" leftSection={<IconPlus size={14} aria-hidden />}>
          Add {child.kind === 'plugins' ? 'plugin' : singular(child.kind)}
        </LinkButton>
      }
    >
      {!entities ? (
        <Box p="md">
          <Skeleton height={56} />
        </Box>
      ) : entities.length === 0 ? (
        <Group px="md" pb="md" c="dimmed">
          None yet.
        </Group>
      ) : (
        <EntityTable kind={child.kind} entities={entities} schema={schema.data} below={below} />
      )}
      <Problem error={pages.error} />
      {pages.hasNextPage && entities && (
        <Group justify="space-between" px="md" py="sm">
          <Text size="sm" c="dimmed" className="numbers" aria-live="polite">
            {entities.length} shown, and there are more
          </Text>
          <Button size="xs" variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()} aria-label={`Show more ${uncapitalised(what)}`}>
            Show more
          </Button>
        </Group>
      )}
    </Section>
  );
}

interface TargetHealth {
  id: string;
  target: string;
  weight: number;
  health: string;
}

/** How this node finds the targets of an upstream. */
function Health({ id }: { id: string }) {
  const health = useQuery({
    queryKey: ['health', id],
    queryFn: () => call<{ data: TargetHealth[] }>(`/upstreams/${segment(id)}/health?size=1000`),
    refetchInterval: 2_000,
    retry: false,
  });
  if (!health.data || health.data.data.length === 0) return null;
  return (
    <Section title="Health" padded={false}>
      <Table aria-label="Health of targets">
        <Table.Tbody>
          {health.data.data.map((target) => (
            <Table.Tr key={target.id}>
              <Table.Td className="mono">{target.target}</Table.Td>
              <Table.Td>
                <Badge color={HEALTH[target.health] ?? 'gray'}>{target.health.toLowerCase().replaceAll('_', ' ')}</Badge>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

const HEALTH: Record<string, string> = { HEALTHY: 'green', UNHEALTHY: 'red', DNS_ERROR: 'red', HEALTHCHECKS_OFF: 'gray' };

function isEmptyRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
