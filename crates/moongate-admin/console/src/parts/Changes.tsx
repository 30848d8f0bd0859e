/** What a save would change, member by member. */
import { Badge, Table, Text } from '@mantine/core';
import { MASK, masked } from '../api/masking';
import type { Schema } from '../api/schema';
import { same } from '../forms/values';

interface Change {
  path: string[];
  before: unknown;
  after: unknown;
}

export function changesBetween(before: unknown, after: unknown, path: string[] = []): Change[] {
  if (same(before, after)) return [];
  // What is not set has no members, and every member of what is set is a change of its own.
  if (isRecord(after) && (isRecord(before) || before === undefined || before === null) && Object.keys(after).length > 0) {
    const held = isRecord(before) ? before : {};
    const names = [...new Set([...Object.keys(held), ...Object.keys(after)])];
    return names.flatMap((name) => changesBetween(held[name], after[name], [...path, name]));
  }
  return [{ path, before, after }];
}

export function Changes({ kind, schema, before, after }: { kind: string; schema: Schema; before: unknown; after: unknown }) {
  const changes = changesBetween(before, after);
  const shown = { before: masked(kind, before, schema), after: masked(kind, after, schema) };
  if (changes.length === 0) return <Text c="dimmed">Nothing has been changed.</Text>;
  return (
    <Table.ScrollContainer minWidth={320}>
      <Table aria-label="What changes">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Field</Table.Th>
            <Table.Th>Before</Table.Th>
            <Table.Th>After</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map(({ path }) => (
            <Table.Tr key={path.join('.')}>
              <Table.Td className="mono">{path.join('.')}</Table.Td>
              <Table.Td>
                <Side value={at(shown.before, path)} />
              </Table.Td>
              <Table.Td>
                <Side value={at(shown.after, path)} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Side({ value }: { value: unknown }) {
  if (value === undefined || value === null) return <Badge color="gray">not set</Badge>;
  return (
    <Text span size="sm" className="mono">
      {typeof value === 'string' ? value : JSON.stringify(value)}
    </Text>
  );
}

/** What is at a path, or the mask of what it is within. */
function at(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((held, name) => (held === MASK ? MASK : isRecord(held) ? held[name] : undefined), value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
