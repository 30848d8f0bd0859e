/** A form for what a schema describes. Loaded when it is first needed: the library is not small. */
import { withTheme } from '@rjsf/core';
import { Theme } from '@rjsf/mantine';
import type { ErrorSchema, RJSFSchema } from '@rjsf/utils';
import { useMemo } from 'react';
import type { Schema } from '../api/schema';
import { fields } from './fields';
import { formSchema } from './jsonSchema';
import { templates } from './templates';
import { validator } from './validator';
import type { Values } from './values';
import { widgets } from './widgets';

const Form = withTheme<unknown, RJSFSchema>({
  ...Theme,
  widgets: { ...Theme.widgets, ...widgets },
  fields: { ...Theme.fields, ...fields },
  templates: { ...Theme.templates, ...templates },
} as Parameters<typeof withTheme<unknown, RJSFSchema>>[0]);

interface Props {
  kind: string;
  schema: Schema;
  values: Values;
  errors: ErrorSchema;
  onChange: (values: Values) => void;
}

export default function SchemaForm({ kind, schema, values, errors, onChange }: Props) {
  const form = useMemo(() => formSchema(kind, schema), [kind, schema]);
  return (
    <Form
      tagName="div"
      idPrefix="field"
      schema={form.schema}
      uiSchema={{ ...form.ui, 'ui:submitButtonOptions': { norender: true } }}
      formData={values}
      extraErrors={errors}
      validator={validator}
      onChange={(event) => onChange((event.formData ?? {}) as Values)}
      noHtml5Validate
      showErrorList={false}
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults' }}
    >
      <></>
    </Form>
  );
}
