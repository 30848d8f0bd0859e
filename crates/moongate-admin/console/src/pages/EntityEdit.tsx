import { Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { call } from '../api/client';
import { titleOf } from '../api/entities';
import { DECLARED_BY_NAME, useSchema } from '../api/schema';
import { toEntity, toForm, toUpdate } from '../forms/values';
import { Editor } from '../parts/Editor';
import { Page } from '../parts/Page';
import { Problem } from '../parts/Said';
import { useFound } from '../parts/useFound';

const route = getRouteApi('/entities/$kind/$key/edit');

export function EntityEdit() {
  const { kind, key } = route.useParams();
  const { in: below } = route.useSearch();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { entity, path, error } = useFound(kind, key, below);
  const subject = DECLARED_BY_NAME.has(kind) ? (entity?.name as string | undefined) : undefined;
  const schema = useSchema(kind, subject, entity !== undefined);
  const back = () => void navigate({ to: '/entities/$kind/$key', params: { kind, key }, search: { in: below } });
  const title = titleOf(kind, entity, schema.data) || key;
  const problem = error ?? schema.error;
  return (
    <Page title={`Edit ${title}`}>
      <Problem error={problem} />
      {entity && schema.data ? (
        <Editor
          key={String(entity.id)}
          kind={kind}
          schema={schema.data}
          start={toForm(schema.data, entity)}
          before={toEntity(schema.data, toForm(schema.data, entity))}
          toSend={(values) => toUpdate(schema.data, entity, values)}
          save={(body) => call(path, { method: 'PATCH', body })}
          onSaved={() => {
            void queries.invalidateQueries({ queryKey: ['entities'] });
            notifications.show({ message: `Saved ${title}` });
            back();
          }}
          onCancel={back}
          verb="save"
        />
      ) : (
        !problem && <Skeleton height={420} role="status" aria-label="Loading" />
      )}
    </Page>
  );
}
