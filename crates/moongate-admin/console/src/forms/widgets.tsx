/** The inputs of forms, from the schemas' types. */
import { JsonInput, MultiSelect, NumberInput, PasswordInput, Select, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { RegistryWidgetsType, WidgetProps } from '@rjsf/utils';
import { useState } from 'react';
import { titleOf, useEntity, useLookUp, usePage } from '../api/entities';
import { useKinds } from '../api/kinds';
import { useSchema } from '../api/schema';

const MONOSPACE = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };

/** What every input has. */
function common(props: WidgetProps) {
  const { id, htmlName, label, required, disabled, readonly, rawErrors, schema, placeholder } = props;
  return {
    id,
    name: htmlName ?? id,
    label,
    required,
    disabled: disabled || readonly,
    description: schema.description,
    error: rawErrors && rawErrors.length > 0 ? rawErrors.join('\n') : undefined,
    placeholder,
  };
}

const text = (props: WidgetProps) => ({
  ...common(props),
  value: (props.value as string | undefined) ?? '',
  onChange: (event: { currentTarget: { value: string } }) => props.onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value),
  autoComplete: 'off',
  spellCheck: false,
});

function Line(props: WidgetProps) {
  return <TextInput {...text(props)} />;
}

function Text(props: WidgetProps) {
  return <Textarea {...text(props)} autosize minRows={3} maxRows={14} styles={MONOSPACE} />;
}

function Secret(props: WidgetProps) {
  return <PasswordInput {...text(props)} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-label': `Show ${props.label}` }} />;
}

/** A credential of several lines: shown while it is being edited. */
function SecretText(props: WidgetProps) {
  const [shown, setShown] = useState(false);
  const hidden = !shown && typeof props.value === 'string' && props.value !== '';
  const input = text(props);
  return <Textarea {...input} value={hidden ? '••••••••' : input.value} onFocus={() => setShown(true)} onBlur={() => setShown(false)} autosize minRows={3} maxRows={14} styles={MONOSPACE} />;
}

function NumberBox(props: WidgetProps) {
  const { minimum, maximum, type } = props.schema;
  return (
    <NumberInput
      {...common(props)}
      value={(props.value as number | string | undefined) ?? ''}
      onChange={(value) => props.onChange(value === '' ? undefined : value)}
      allowDecimal={type !== 'integer'}
      min={minimum}
      max={maximum}
      clampBehavior="none"
    />
  );
}

function SwitchBox(props: WidgetProps) {
  const { required: _, placeholder: __, ...rest } = common(props);
  return <Switch {...rest} checked={props.value === true} onChange={(event) => props.onChange(event.currentTarget.checked)} mt="xs" />;
}

const SET = { yes: true, no: false };

function Tristate(props: WidgetProps) {
  const value = props.value === true ? 'yes' : props.value === false ? 'no' : null;
  return (
    <Select
      {...common(props)}
      data={Object.keys(SET)}
      value={value}
      onChange={(next) => props.onChange(next === 'yes' || next === 'no' ? SET[next] : undefined)}
      placeholder="Not set"
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${props.label}` }}
      checkIconPosition="right"
    />
  );
}

function Choice(props: WidgetProps) {
  const all = (props.schema.enum ?? []) as (string | number)[];
  return (
    <Select
      {...common(props)}
      data={all.map(String)}
      value={props.value === undefined || props.value === null ? null : String(props.value)}
      onChange={(value) => props.onChange(value === null ? undefined : (all.find((one) => String(one) === value) ?? value))}
      searchable={all.length > 8}
      clearable={!props.required && props.schema.default === undefined}
      clearButtonProps={{ 'aria-label': `Clear ${props.label}` }}
      checkIconPosition="right"
    />
  );
}

function Words(props: WidgetProps) {
  const { choices, numeric } = props.options as { choices?: (string | number)[]; numeric?: boolean };
  const value = ((props.value as unknown[] | undefined) ?? []).map(String);
  const change = (next: string[]) => {
    // A number that is none stays a text, so that the gateway can say so.
    const values = numeric ? next.map((word) => (word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : word)) : next;
    props.onChange(values);
  };
  const shared = { ...common(props), value, onChange: change, clearable: true, clearButtonProps: { 'aria-label': `Clear ${props.label}` } };
  if (choices) return <MultiSelect {...shared} data={choices.map(String)} searchable={choices.length > 8} />;
  return <TagsInput {...shared} placeholder={value.length === 0 ? 'Type and press Enter' : undefined} acceptValueOnBlur splitChars={numeric ? [',', ' '] : [',']} />;
}

/** Another entity, found by a part of its name among the first, or by its whole name or id among all. */
function Reference(props: WidgetProps) {
  const { reference } = props.options as { reference?: string };
  const kinds = useKinds();
  const kind = reference ? kinds.data?.byName(reference) : undefined;
  const path = kind ? `/${kind.path}` : '';
  const [search, setSearch] = useState('');
  const [asked] = useDebouncedValue(search.trim(), 250);
  const page = usePage(path, undefined, '', kind !== undefined);
  const found = useLookUp(path, kind ? asked : '');
  const id = props.value as string | undefined;
  const chosen = useEntity(`${path}/${id ?? ''}`, kind !== undefined && id !== undefined);
  const schema = useSchema(reference ?? '', undefined, kind !== undefined);
  const options = new Map<string, string>();
  for (const entity of [...(chosen.data ? [chosen.data] : []), ...(found.data ?? []), ...(page.data?.data ?? [])]) {
    if (entity.id) options.set(entity.id, titleOf(reference ?? '', entity, schema.data));
  }
  if (id && !options.has(id)) options.set(id, id);
  return (
    <Select
      {...common(props)}
      data={[...options].map(([value, label]) => ({ value, label }))}
      value={id ?? null}
      onChange={(value) => props.onChange(value ?? undefined)}
      searchable
      onSearchChange={setSearch}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${props.label}` }}
      placeholder={page.isLoading ? 'Loading …' : options.size === 0 ? 'There are none yet' : 'None'}
      nothingFoundMessage="Nothing by that name or id"
      limit={60}
    />
  );
}

/** For types that have no input of their own. */
export function JsonBox({ value, onChange, ...rest }: { value: unknown; onChange: (value: unknown) => void; label?: string; description?: string; error?: string; id?: string }) {
  const [draft, setDraft] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)));
  return (
    <JsonInput
      {...rest}
      value={draft}
      onChange={(next) => {
        setDraft(next);
        if (next.trim() === '') return onChange(undefined);
        try {
          onChange(JSON.parse(next));
        } catch {
          // Still being typed; the input says so when it is left.
        }
      }}
      validationError="is no JSON"
      formatOnBlur
      autosize
      minRows={2}
    />
  );
}

export const widgets: RegistryWidgetsType = {
  line: Line,
  text: Text,
  secret: Secret,
  secretText: SecretText,
  number: NumberBox,
  switch: SwitchBox,
  tristate: Tristate,
  choice: Choice,
  words: Words,
  reference: Reference,
};
