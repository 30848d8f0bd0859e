import { Select, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlugOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { call } from '../api/client';
import { collectionPath, titleOf, type Entity } from '../api/entities';
import { singular, useKinds } from '../api/kinds';
import { useNode } from '../api/node';
import { DECLARED_BY_NAME, useSchema } from '../api/schema';
import { defaultsOf, toCreate, toForm, type Values } from '../forms/values';
import { Editor } from '../parts/Editor';
import { LinkButton } from '../parts/LinkButton';
import { Page } from '../parts/Page';
import { Empty, Problem } from '../parts/Said';
import { useFound } from '../parts/useFound';

const route = getRouteApi('/entities/$kind/new');

export function EntityNew() {
  const { kind: name } = route.useParams();
  const { in: below, from, set, name: chosen } = route.useSearch();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const kinds = useKinds();
  const kind = kinds.data?.byName(name);
  const original = useFound(from ? name : '', from ?? '', below);
  const declared = DECLARED_BY_NAME.has(name);
  const subject = declared ? (chosen ?? (original.entity?.name as string | undefined)) : undefined;
  const ready = (!declared || subject !== undefined) && (!from || original.entity !== undefined);
  const schema = useSchema(name, subject, ready);
  const [parent, id] = below?.split('/') ?? [];
  const parentPath = parent ? kinds.data?.byName(parent)?.path : undefined;
  const error = kinds.error ?? schema.error ?? (from ? original.error : null);
  const what = name === 'plugins' ? 'plugin configuration' : singular(name);

  const start = (): Values => {
    if (!schema.data) return {};
    if (original.entity) return copied(toForm(schema.data, original.entity));
    const values = defaultsOf(schema.data);
    if (subject) values.name = subject;
    const [field, value] = split(set);
    return field ? { ...values, [field]: value } : values;
  };

  return (
    <Page title={from ? `Copy of ${titleOf(name, original.entity, schema.data) || from}` : `New ${what}`}>
      <Problem error={error} />
      {declared && !from && <Subject kind={name} chosen={chosen} />}
      {ready && kind && schema.data ? (
        <Editor
          key={`${subject ?? ''}${from ?? ''}`}
          kind={name}
          schema={schema.data}
          start={start()}
          before={{}}
          toSend={(values) => toCreate(schema.data, values)}
          save={(body) => call<Entity>(collectionPath(kind, parentPath && id ? { path: parentPath, id } : undefined), { method: 'POST', body })}
          onSaved={(answer) => {
            const entity = answer as Entity;
            void queries.invalidateQueries({ queryKey: ['entities'] });
            notifications.show({ message: `Made ${what} ${titleOf(name, entity, schema.data)}` });
            void navigate({ to: '/entities/$kind/$key', params: { kind: name, key: String(entity.id) }, search: { in: below } });
          }}
          onCancel={() => void navigate(below && parent && id ? { to: '/entities/$kind/$key', params: { kind: parent, key: id } } : { to: '/entities/$kind', params: { kind: name } })}
          verb="create"
        />
      ) : (
        ready && !error && <Skeleton height={420} role="status" aria-label="Loading" />
      )}
    </Page>
  );
}

/** Which plugin or vault is configured; its name decides about the form. */
function Subject({ kind, chosen }: { kind: string; chosen?: string }) {
  const node = useNode();
  const navigate = route.useNavigate();
  const names = kind === 'plugins' ? Object.keys(node.data?.plugins.available_on_server ?? {}) : Object.keys(node.data?.configuration.loaded_vaults ?? {});
  if (!node.data) return <Skeleton height={60} />;
  if (names.length === 0) {
    return (
      <Empty icon={<IconPlugOff />} title="No plugin is loaded">
        <Stack align="center">
          <Text>A plugin is a .wasm file in a plugin directory. Drop one in, and it can be configured here within a second.</Text>
          <LinkButton to="/plugins">To the plugins</LinkButton>
        </Stack>
      </Empty>
    );
  }
  return (
    <Select
      label={kind === 'plugins' ? 'Plugin' : 'Kind of vault'}
      placeholder="Choose one"
      data={names.sort()}
      value={chosen ?? null}
      onChange={(name) => void navigate({ search: (before) => ({ ...before, name: name ?? undefined }), replace: true })}
      searchable
      maw={420}
    />
  );
}

/** A copy needs names of its own. */
function copied(values: Values): Values {
  const copy = { ...values };
  for (const field of ['name', 'username', 'instance_name', 'custom_id']) {
    // The name of a plugin configuration is that of its plugin.
    if (field === 'name' && 'config' in copy) continue;
    if (typeof copy[field] === 'string') copy[field] = `${copy[field]}-copy`;
  }
  return copy;
}

function split(set: string | undefined): [string | undefined, string | undefined] {
  const at = set?.indexOf(':') ?? -1;
  return set && at > 0 ? [set.slice(0, at), set.slice(at + 1)] : [undefined, undefined];
}
