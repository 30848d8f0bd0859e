/** How forms are laid out: a column of fields, records as groups, lists of records as cards. */
import { uncapitalised } from '../api/kinds';
import { ActionIcon, Box, Button, Fieldset, Group, Stack, Text } from '@mantine/core';
import type { ArrayFieldItemTemplateProps, ArrayFieldTemplateProps, FieldTemplateProps, ObjectFieldTemplateProps, TemplatesType } from '@rjsf/utils';
import { IconPlus, IconTrash } from '@tabler/icons-react';

function ObjectField(props: ObjectFieldTemplateProps) {
  const { title, description, properties, fieldPathId } = props;
  const body = (
    <Stack gap="md">
      {properties
        .filter((property) => !property.hidden)
        .map((property) => (
          <Box key={property.name}>{property.content}</Box>
        ))}
    </Stack>
  );
  if (fieldPathId.path.length === 0 || !title) return body;
  return (
    <Fieldset legend={title} id={fieldPathId.$id}>
      {description && (
        <Text size="sm" c="dimmed" mb="sm">
          {description}
        </Text>
      )}
      {body}
    </Fieldset>
  );
}

function ArrayField(props: ArrayFieldTemplateProps) {
  const { title, schema, items, canAdd, onAddClick, fieldPathId, rawErrors } = props;
  return (
    <Fieldset legend={title} id={fieldPathId.$id}>
      {schema.description && (
        <Text size="sm" c="dimmed" mb="sm">
          {schema.description}
        </Text>
      )}
      {rawErrors?.map((error) => (
        <Text key={error} size="sm" c="var(--mantine-color-error)" mb="xs">
          {error}
        </Text>
      ))}
      <Stack gap="sm">
        {items}
        {canAdd && (
          <Group>
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={onAddClick}>
              Add to {uncapitalised(title ?? '')}
            </Button>
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}

function ArrayItem({ children, buttonsProps, index, itemKey }: ArrayFieldItemTemplateProps) {
  return (
    <Group key={itemKey} align="flex-start" wrap="nowrap" gap="xs" className="surface" p="sm">
      <Box flex={1} miw={0}>
        {children}
      </Box>
      {buttonsProps.hasRemove && (
        <ActionIcon variant="subtle" color="red" aria-label={`Remove entry ${index + 1}`} onClick={buttonsProps.onRemoveItem}>
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      )}
    </Group>
  );
}

/** The inputs show their labels, descriptions and errors themselves. */
function Field({ children, hidden }: FieldTemplateProps) {
  return hidden ? <Box display="none">{children}</Box> : <>{children}</>;
}

export const templates: Partial<TemplatesType> = {
  ObjectFieldTemplate: ObjectField,
  ArrayFieldTemplate: ArrayField,
  ArrayFieldItemTemplate: ArrayItem,
  FieldTemplate: Field,
};
