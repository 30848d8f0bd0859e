import { Badge, Box, Group, ScrollArea, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { EventKind, Happening } from '../live/types';
import { Time } from './Time';

const LOOKS: Record<EventKind, { color: string; label: string }> = {
  configuration_changed: { color: 'blue', label: 'Configuration' },
  plugin_loaded: { color: 'green', label: 'Plugin loaded' },
  plugin_refused: { color: 'red', label: 'Plugin refused' },
  plugin_removed: { color: 'gray', label: 'Plugin removed' },
  target_unhealthy: { color: 'red', label: 'Target unhealthy' },
  target_healthy: { color: 'green', label: 'Target healthy' },
  database_unreachable: { color: 'red', label: 'Database' },
  database_reachable: { color: 'green', label: 'Database' },
};

export function Happenings({ all, supported }: { all: Happening[]; supported: boolean }) {
  if (!supported) return <Text c="dimmed">This node does not tell its events.</Text>;
  if (all.length === 0) {
    return (
      <Text c="dimmed" mih={120}>
        Nothing has happened yet. Changes of the configuration, plugins that come and go, and targets that fail show here.
      </Text>
    );
  }
  return (
    <ScrollArea.Autosize mah={340} mih={120} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': 'Last events' }}>
      <Stack gap="sm" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {all.map((happening) => (
          <Box component="li" key={happening.id}>
            <Group gap="xs">
              <Badge color={LOOKS[happening.kind]?.color ?? 'gray'}>{LOOKS[happening.kind]?.label ?? happening.kind}</Badge>
              <Text size="xs" c="dimmed">
                <Time at={happening.at} relative />
              </Text>
            </Group>
            <Text size="sm">
              <Subject happening={happening} />
            </Text>
            {happening.detail && (
              <Text size="xs" c="dimmed" className="mono" style={{ whiteSpace: 'pre-wrap' }}>
                {happening.detail}
              </Text>
            )}
          </Box>
        ))}
      </Stack>
    </ScrollArea.Autosize>
  );
}

function Subject({ happening }: { happening: Happening }) {
  const { message, entity, plugin } = happening;
  if (plugin) {
    return (
      <Link className="link" to="/plugins/$name" params={{ name: plugin }}>
        {message}
      </Link>
    );
  }
  if (entity) {
    return (
      <Link className="link" to="/entities/$kind/$key" params={{ kind: entity.kind, key: entity.id }}>
        {message}
      </Link>
    );
  }
  return message;
}
