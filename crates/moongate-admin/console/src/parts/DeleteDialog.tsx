/** Asks before an entity is deleted, and says what refers to it. */
import { Alert, Button, Group, List, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueries, useQueryClient } from '@tanstack/react-query';
import { call, segment } from '../api/client';
import { titleOf, type Entity, type Page } from '../api/entities';
import { singular, useKinds, words, type Kind } from '../api/kinds';
import { fetchSchema, fieldsOf, type Schema } from '../api/schema';
import { Problem } from './Said';

interface Props {
  kind: Kind;
  entity: Entity;
  /** What it is called. */
  title: string;
  /** Its own path. */
  path: string;
  opened: boolean;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteDialog({ kind, entity, title, path, opened, onClose, onDeleted }: Props) {
  const queries = useQueryClient();
  const relations = useReferring(kind, entity, opened);
  const remove = useMutation({
    mutationFn: () => call(path, { method: 'DELETE' }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['entities'] });
      notifications.show({ message: `Deleted ${title}` });
      onClose();
      onDeleted();
    },
  });
  const going = relations.found.filter((relation) => relation.cascades);
  const holding = relations.found.filter((relation) => !relation.cascades);
  return (
    <Modal opened={opened} onClose={onClose} title={`Delete ${singular(kind.name)} ${title}?`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        {relations.loading ? (
          <Skeleton height={60} role="status" aria-label="Looking for what refers to it" />
        ) : relations.found.length === 0 ? (
          <Text size="sm">Nothing refers to it. It is gone for requests as soon as it is deleted.</Text>
        ) : (
          <>
            {holding.length > 0 && (
              <Alert color="red" title="Others refer to it">
                <Text size="sm">The gateway refuses to delete it while these are there:</Text>
                <Names relations={holding} />
              </Alert>
            )}
            {going.length > 0 && (
              <Alert color="yellow" title="Others go with it">
                <Names relations={going} />
              </Alert>
            )}
          </>
        )}
        <Problem error={remove.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button color="red.8" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

interface Relation {
  kind: string;
  schema?: Schema;
  cascades: boolean;
  entities: Entity[];
  more: boolean;
}

function Names({ relations }: { relations: Relation[] }) {
  return (
    <List size="sm" mt={4}>
      {relations.map(({ kind, schema, entities, more }) => (
        <List.Item key={kind}>
          {words(kind)}: {entities.map((entity) => titleOf(kind, entity, schema)).join(', ')}
          {more && ' and more'}
        </List.Item>
      ))}
    </List>
  );
}

/** What refers to an entity, from the collections below it. */
function useReferring(kind: Kind, entity: Entity, enabled: boolean): { loading: boolean; found: Relation[] } {
  const kinds = useKinds();
  const children = kind.children.filter((child) => kinds.data?.byName(child.kind) !== undefined);
  const answers = useQueries({
    queries: children.map((child) => ({
      queryKey: ['entities', kind.path, entity.id, child.path, 'referring'],
      enabled: enabled && entity.id !== undefined,
      queryFn: async (): Promise<Relation> => {
        const page = await call<Page>(`/${kind.path}/${segment(entity.id ?? '')}/${child.path}?size=10`);
        if (page.data.length === 0) return { kind: child.kind, cascades: false, entities: [], more: false };
        const schema = await fetchSchema(child.kind);
        const refers = fieldsOf(schema).find(([, field]) => field.type === 'foreign' && field.reference === kind.name);
        return { kind: child.kind, schema, cascades: refers?.[1].on_delete === 'cascade', entities: page.data, more: page.next !== null };
      },
      retry: false,
    })),
  });
  return {
    loading: enabled && answers.some((answer) => answer.isLoading),
    found: answers.flatMap((answer) => (answer.data && answer.data.entities.length > 0 ? [answer.data] : [])),
  };
}
