/** A value of an entity, as short as a table or a list of facts wants it. */
import { Badge, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { call, segment } from '../api/client';
import { titleOf, type Entity } from '../api/entities';
import { useKinds } from '../api/kinds';
import { MASK, masked } from '../api/masking';
import { useSchema, type FieldSchema } from '../api/schema';
import { Time } from './Time';

interface Props {
  kind: string;
  name: string;
  value: unknown;
  field?: FieldSchema;
}

export function Value({ kind, name, value: whole, field }: Props): ReactNode {
  const value = masked(kind, whole, field, name);
  if (value === null || value === undefined || value === '') return <Text span c="dimmed">–</Text>;
  if (value === MASK) return <span aria-label="hidden">{MASK}</span>;
  if (field?.timestamp || name === 'created_at' || name === 'updated_at') return <Time at={Number(value)} />;
  if (field?.type === 'foreign' && field.reference) return <ReferenceLink kind={field.reference} id={(value as { id?: string }).id ?? ''} />;
  if (typeof value === 'boolean') return <Badge color={value ? 'green' : 'gray'}>{value ? 'yes' : 'no'}</Badge>;
  if (Array.isArray(value)) {
    if (value.length === 0) return <Text span c="dimmed">–</Text>;
    if (value.every((item) => typeof item !== 'object')) {
      const shown = value.slice(0, 6);
      return (
        <Group gap={4}>
          {shown.map((item, at) => (
            <Badge key={at} color="gray" tt="none" className="mono" maw={260}>
              {String(item)}
            </Badge>
          ))}
          {value.length > shown.length && <Text span size="xs" c="dimmed">and {value.length - shown.length} more</Text>}
        </Group>
      );
    }
  }
  if (typeof value === 'object') return <Text span className="mono">{JSON.stringify(value)}</Text>;
  const text = String(value);
  if (text.startsWith('-----BEGIN')) return <Text span className="mono">{text.split('\n')[0]} …</Text>;
  return <Text span inherit className={name === 'id' || name === 'path' || name === 'host' ? 'mono' : undefined}>{text}</Text>;
}

/** Another entity by its name, which is looked up. */
export function ReferenceLink({ kind, id }: { kind: string; id: string }) {
  const kinds = useKinds();
  const path = kinds.data?.byName(kind)?.path;
  const entity = useQuery({
    queryKey: ['entities', `/${path}/${id}`],
    queryFn: () => call<Entity>(`/${path}/${segment(id)}`),
    enabled: path !== undefined && id !== '',
    staleTime: 10_000,
  });
  const schema = useSchema(kind, undefined, path !== undefined);
  return (
    <Link className="link" to="/entities/$kind/$key" params={{ kind, key: id }}>
      {entity.data ? titleOf(kind, entity.data, schema.data) : id}
    </Link>
  );
}
