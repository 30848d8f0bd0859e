/** Fills in an entity: as a form, as JSON or as YAML; then shows what a save would do, and saves. */
import { Alert, Button, Group, List, Modal, SegmentedControl, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { ApiError } from '../api/client';
import type { Schema } from '../api/schema';
import { sortErrors } from '../forms/errors';
import { toEntity, toForm, type Values } from '../forms/values';
import { Problem } from './Said';
import { Changes } from './Changes';

const SchemaForm = lazy(() => import('../forms/SchemaForm'));

interface Props {
  kind: string;
  schema: Schema;
  start: Values;
  /** What is there already, in the form of what is sent; nothing for a new entity. */
  before: Values;
  /** What would be sent. */
  toSend: (values: Values) => Values;
  save: (body: Values) => Promise<unknown>;
  onSaved: (answer: unknown) => void;
  onCancel: () => void;
  /** What the button says. */
  verb: string;
}

type Mode = 'form' | 'json' | 'yaml';

export function Editor({ kind, schema, start, before, toSend, save, onSaved, onCancel, verb }: Props) {
  const [values, setValues] = useState(start);
  const [mode, setMode] = useState<Mode>('form');
  const [draft, setDraft] = useState('');
  const [unreadable, setUnreadable] = useState<string>();
  const [reviewing, review] = useDisclosure();
  const yaml = useQuery({ queryKey: ['library', 'yaml', 'module'], queryFn: () => import('yaml'), staleTime: Infinity, structuralSharing: false, enabled: mode === 'yaml' });
  const saving = useMutation({
    mutationFn: () => save(toSend(values)),
    onSuccess: onSaved,
    onSettled: review.close,
  });
  const refused = saving.error instanceof ApiError ? saving.error : undefined;
  const sorted = sortErrors(schema, refused?.fields ?? {});
  const atFields = Object.keys(sorted.atFields).length;

  const enter = async (next: Mode) => {
    if (next !== 'form') {
      const entity = toEntity(schema, values);
      setDraft(next === 'json' ? JSON.stringify(entity, null, 2) : (await import('yaml')).stringify(entity));
      setUnreadable(undefined);
    }
    setMode(next);
  };
  const write = (text: string) => {
    setDraft(text);
    try {
      const parsed: unknown = mode === 'json' ? JSON.parse(text) : yaml.data?.parse(text);
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('must be an object');
      setValues(toForm(schema, parsed as Values));
      setUnreadable(undefined);
    } catch (error) {
      setUnreadable(error instanceof Error ? error.message : 'cannot be read');
    }
  };

  return (
    <Stack>
      <SegmentedControl
        aria-label="How to edit"
        value={mode}
        onChange={(next) => void enter(next as Mode)}
        data={[
          { value: 'form', label: 'Form' },
          { value: 'json', label: 'JSON' },
          { value: 'yaml', label: 'YAML' },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      {refused && (
        <Alert color="red" title={atFields > 0 ? 'The gateway does not take this yet' : 'The gateway refuses this'} role="alert">
          {atFields > 0 && <Text size="sm">What is wrong is written at {atFields === 1 ? 'the field' : 'the fields'}.</Text>}
          {sorted.general.length > 0 && (
            <List size="sm">
              {sorted.general.map((text) => (
                <List.Item key={text}>{text}</List.Item>
              ))}
            </List>
          )}
          {(atFields === 0 || mode !== 'form') && sorted.general.length === 0 && <Text size="sm">{refused.message}</Text>}
        </Alert>
      )}
      {saving.error && !refused && <Problem error={saving.error} />}
      <div className="surface" style={{ padding: 'var(--mantine-spacing-md)' }}>
        {mode === 'form' ? (
          <Suspense fallback={<Skeleton height={420} role="status" aria-label="Loading the form" />}>
            <SchemaForm kind={kind} schema={schema} values={values} errors={sorted.atFields} onChange={setValues} />
          </Suspense>
        ) : (
          <Textarea
            label={mode === 'json' ? 'JSON' : 'YAML'}
            value={draft}
            onChange={(event) => write(event.currentTarget.value)}
            error={unreadable}
            autosize
            minRows={16}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          />
        )}
      </div>
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button onClick={review.open} disabled={unreadable !== undefined}>
          Review and {verb}
        </Button>
      </Group>
      <Modal opened={reviewing} onClose={review.close} title="What changes" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Stack>
          <Changes kind={kind} schema={schema} before={before} after={{ ...before, ...toSend(values) }} />
          <Group justify="flex-end">
            <Button variant="default" onClick={review.close}>
              Back
            </Button>
            <Button loading={saving.isPending} onClick={() => saving.mutate()} data-autofocus>
              {verb.charAt(0).toUpperCase() + verb.slice(1)}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Stack>
  );
}
