/** Fields that are more than one input: maps, and what has any form. */
import { uncapitalised } from '../api/kinds';
import { ActionIcon, Button, Group, Input, Stack, TagsInput, TextInput } from '@mantine/core';
import type { FieldProps, RegistryFieldsType } from '@rjsf/utils';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { FieldSchema } from '../api/schema';
import { JsonBox } from './widgets';

type Row = [key: string, value: unknown];

/** Names and values. Rows are kept apart from the map, because a name that is being typed may be empty or there twice. */
function MapField(props: FieldProps) {
  const { formData, onChange, fieldPathId, schema, uiSchema, rawErrors, required, name } = props;
  const values = (uiSchema?.['ui:options']?.values ?? { type: 'string' }) as FieldSchema;
  const [rows, setRows] = useState<Row[]>(() => Object.entries((formData as Record<string, unknown> | undefined) ?? {}));
  const change = (next: Row[]) => {
    setRows(next);
    onChange(Object.fromEntries(next.filter(([key]) => key !== '')), fieldPathId.path);
  };
  const set = (at: number, row: Row) => change(rows.map((old, index) => (index === at ? row : old)));
  const title = schema.title ?? name;
  const error = rawErrors && rawErrors.length > 0 ? rawErrors.join('\n') : undefined;
  return (
    <Input.Wrapper label={title} description={schema.description} error={error} required={required} labelElement="div" mb="xs">
      <Stack gap="xs" mt={6} id={fieldPathId.$id}>
        {rows.map(([key, value], at) => (
          <Group key={at} gap="xs" wrap="nowrap" align="flex-start">
            <TextInput aria-label={`${title}: name ${at + 1}`} placeholder="Name" value={key} onChange={(event) => set(at, [event.currentTarget.value, value])} flex={1} miw={0} />
            <MapValue label={`${title}: value ${at + 1}`} schema={values} value={value} onChange={(next) => set(at, [key, next])} />
            <ActionIcon variant="subtle" color="red" size="lg" aria-label={`Remove ${key || `row ${at + 1}`}`} onClick={() => change(rows.filter((_, index) => index !== at))}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setRows([...rows, ['', emptyOf(values)]])}>
            Add to {uncapitalised(title)}
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  );
}

function emptyOf(values: FieldSchema): unknown {
  if (values.type === 'array' || values.type === 'set') return [];
  return values.type === 'string' ? '' : undefined;
}

function MapValue({ label, schema, value, onChange }: { label: string; schema: FieldSchema; value: unknown; onChange: (value: unknown) => void }) {
  const shared = { 'aria-label': label, flex: 1, miw: 0 };
  if ((schema.type === 'array' || schema.type === 'set') && schema.elements?.type === 'string') {
    return <TagsInput {...shared} placeholder="Values" value={(value as string[] | undefined) ?? []} onChange={onChange} acceptValueOnBlur />;
  }
  if (schema.type === 'string') {
    return <TextInput {...shared} placeholder="Value" value={(value as string | undefined) ?? ''} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
  const shown = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return (
    <TextInput
      {...shared}
      placeholder="Value, as JSON"
      value={shown}
      onChange={(event) => {
        const text = event.currentTarget.value;
        try {
          onChange(JSON.parse(text));
        } catch {
          onChange(text);
        }
      }}
    />
  );
}

function JsonField(props: FieldProps) {
  const { formData, onChange, fieldPathId, schema, rawErrors, name } = props;
  return (
    <JsonBox
      id={fieldPathId.$id}
      label={schema.title ?? name}
      description={schema.description}
      error={rawErrors && rawErrors.length > 0 ? rawErrors.join('\n') : undefined}
      value={formData}
      onChange={(value) => onChange(value, fieldPathId.path)}
    />
  );
}

export const fields: RegistryFieldsType = { map: MapField, json: JsonField };
