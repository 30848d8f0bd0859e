/** Entities of one kind, a row each. */
import { Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { titleOf, type Entity } from '../api/entities';
import { words } from '../api/kinds';
import { fieldsOf, type FieldSchema, type Schema } from '../api/schema';
import { Value } from './Value';

/** What a row says beside the name; for other kinds the first short fields. */
const COLUMNS: Record<string, string[]> = {
  services: ['protocol', 'host', 'port', 'path', 'enabled'],
  routes: ['methods', 'hosts', 'paths', 'service'],
  plugins: ['name', 'service', 'route', 'consumer', 'enabled'],
  consumers: ['custom_id', 'tags'],
  upstreams: ['algorithm', 'tags'],
  targets: ['weight', 'tags'],
  certificates: ['snis', 'tags', 'created_at'],
  snis: ['certificate'],
  vaults: ['name', 'description'],
};

/** What a column is called where the name of its field would say too little. */
const HEADS: Record<string, Record<string, string>> = { plugins: { name: 'Plugin' }, vaults: { name: 'Backend' } };

export function EntityTable({ kind, entities, schema, below }: { kind: string; entities: Entity[]; schema: Schema | undefined; below?: string }) {
  const fields = new Map(fieldsOf(schema));
  const columns = columnsOf(kind, fields);
  return (
    <Table.ScrollContainer minWidth={0}>
      <Table aria-label={kind}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            {columns.map((column, at) => (
              <Table.Th key={column} visibleFrom={at === 0 ? 'xs' : at < 3 ? 'sm' : 'md'}>
                {HEADS[kind]?.[column] ?? words(column)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entities.map((entity) => (
            <Table.Tr key={entity.id}>
              <Table.Td maw={360}>
                <Link className="link" to="/entities/$kind/$key" params={{ kind, key: String(entity.id) }} search={below ? { in: below } : {}}>
                  <Text span fw={600} inherit>
                    {titleOf(kind, entity, schema)}
                  </Text>
                </Link>
              </Table.Td>
              {columns.map((column, at) => (
                <Table.Td key={column} visibleFrom={at === 0 ? 'xs' : at < 3 ? 'sm' : 'md'} maw={260}>
                  <Value kind={kind} name={column} value={entity[column]} field={fields.get(column)} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function columnsOf(kind: string, fields: Map<string, FieldSchema>): string[] {
  const chosen = COLUMNS[kind];
  if (chosen) return chosen;
  const short = (field: FieldSchema) => !field.auto && ['string', 'integer', 'number', 'boolean', 'foreign'].includes(field.type);
  return [...fields].filter(([name, field]) => name !== 'id' && name !== 'name' && short(field)).map(([name]) => name).slice(0, 4);
}
