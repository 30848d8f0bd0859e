/** The loaded plugins, and the way to bring in another. */
import { Badge, Box, Group, Skeleton, Table, Text } from '@mantine/core';
import { IconPlugOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useLoadedPlugins, useNode } from '../api/node';
import { Page } from '../parts/Page';
import { Empty, Problem } from '../parts/Said';
import { Time } from '../parts/Time';
import { Upload } from '../parts/Upload';

export const STATE_COLORS: Record<string, string> = { ready: 'green', refused: 'red', removed: 'gray' };

export function Plugins() {
  const plugins = useLoadedPlugins();
  const node = useNode();
  const directories = node.data?.configuration.plugin_dirs ?? [];
  return (
    <Page
      title="Plugins"
      about={
        directories.length > 0 ? (
          <>
            Every .wasm file in <span className="mono">{directories.join(', ')}</span> is a plugin, live within a second.
          </>
        ) : (
          'WebAssembly components that see requests and responses.'
        )
      }
    >
      <Upload />
      <Problem error={plugins.error} />
      <div className="surface">
        {!plugins.data ? (
          !plugins.error && (
            <Box p="md">
              <Skeleton height={160} role="status" aria-label="Loading" />
            </Box>
          )
        ) : plugins.data.length === 0 ? (
          <Empty icon={<IconPlugOff />} title="No plugins yet">
            {directories.length === 0 ? (
              <>
                This gateway has no plugin directory. Set the property <code>plugin_dirs</code> and start it again.
              </>
            ) : (
              <>Copy a component into the directory above, or drop its file here. Building one takes a few lines, see the README.</>
            )}
          </Empty>
        ) : (
          <Table.ScrollContainer minWidth={0}>
            <Table aria-label="Loaded plugins">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th visibleFrom="sm">Version</Table.Th>
                  <Table.Th visibleFrom="sm">Hooks</Table.Th>
                  <Table.Th visibleFrom="md">Generation</Table.Th>
                  <Table.Th visibleFrom="md">Live since</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {plugins.data.map((plugin) => (
                  <Table.Tr key={`${plugin.name} ${plugin.file}`}>
                    <Table.Td>
                      <Link className="link" to="/plugins/$name" params={{ name: plugin.name }}>
                        <Text span fw={600} inherit>
                          {plugin.name}
                        </Text>
                      </Link>
                      {plugin.state === 'refused' && plugin.last_error && (
                        <Text size="xs" c="dimmed" lineClamp={3}>
                          {plugin.last_error}
                        </Text>
                      )}
                    </Table.Td>
                    <Table.Td>
                      <Badge color={STATE_COLORS[plugin.state] ?? 'gray'}>{plugin.state}</Badge>
                    </Table.Td>
                    <Table.Td visibleFrom="sm" className="numbers">
                      {plugin.version ?? '–'}
                    </Table.Td>
                    <Table.Td visibleFrom="sm">
                      <Group gap={4}>
                        {plugin.hooks?.map((hook) => (
                          <Badge key={hook} color="gray" tt="none">
                            {hook}
                          </Badge>
                        ))}
                      </Group>
                    </Table.Td>
                    <Table.Td visibleFrom="md" className="numbers">
                      {plugin.generation}
                    </Table.Td>
                    <Table.Td visibleFrom="md">{plugin.loaded_at ? <Time at={plugin.loaded_at} /> : '–'}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </div>
    </Page>
  );
}
