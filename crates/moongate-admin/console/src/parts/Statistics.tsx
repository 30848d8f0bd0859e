/** What a plugin has done: its calls by hook, and what it takes up. */
import { Group, Table, Text } from '@mantine/core';
import type { PluginStatistics } from '../api/node';
import { Section } from './Page';
import { bytes } from './Time';

export function Statistics({ statistics }: { statistics: PluginStatistics }) {
  const { hooks, instances, memory, queued, dropped } = statistics;
  const waited = hooks.reduce((sum, hook) => sum + hook.wait_ns, 0);
  return (
    <Section title="Figures" padded={false}>
      {hooks.length === 0 ? (
        <Text c="dimmed" px="md" pb="xs">
          No hook was called yet.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={0}>
          <Table aria-label="Calls by hook">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Hook</Table.Th>
                <Table.Th ta="end">Calls</Table.Th>
                <Table.Th ta="end" visibleFrom="sm">
                  Answered
                </Table.Th>
                <Table.Th ta="end">Errors</Table.Th>
                <Table.Th ta="end" visibleFrom="xs">
                  CPU p50
                </Table.Th>
                <Table.Th ta="end">CPU p99</Table.Th>
                <Table.Th ta="end" visibleFrom="sm">
                  CPU mean
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {hooks.map(({ hook, calls, responses, errors, cpu_ns, cpu_p50_ns, cpu_p99_ns }) => (
                <Table.Tr key={hook}>
                  <Table.Th scope="row" fw={500}>
                    {hook}
                  </Table.Th>
                  <Table.Td ta="end" className="numbers">
                    {calls.toLocaleString()}
                  </Table.Td>
                  <Table.Td ta="end" className="numbers" visibleFrom="sm">
                    {responses.toLocaleString()}
                  </Table.Td>
                  <Table.Td ta="end" className="numbers">
                    <Errors errors={errors} />
                  </Table.Td>
                  <Table.Td ta="end" className="numbers" visibleFrom="xs">
                    {time(cpu_p50_ns)}
                  </Table.Td>
                  <Table.Td ta="end" className="numbers">
                    {time(cpu_p99_ns)}
                  </Table.Td>
                  <Table.Td ta="end" className="numbers" visibleFrom="sm">
                    {calls > 0 ? time(cpu_ns / calls) : '–'}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Group px="md" pb="md" pt="xs" gap="lg">
        <Fact label="Instances" value={instances.toLocaleString()} />
        <Fact label="Waited for instances" value={time(waited)} />
        <Fact label="Memory at rest" value={bytes(memory)} />
        <Fact label="Log records waiting" value={queued.toLocaleString()} />
        <Fact label="Log records dropped" value={dropped.toLocaleString()} />
      </Group>
      <Text size="xs" c="dimmed" px="md" pb="md">
        CPU time is that of single calls, waiting left out, from samples; p50 and p99 are known to a factor of two.
      </Text>
    </Section>
  );
}

function Errors({ errors }: { errors: Record<string, number> }) {
  const found = Object.entries(errors).filter(([, count]) => count > 0);
  if (found.length === 0) return <>0</>;
  return (
    <>
      {found.map(([code, count]) => (
        <Text key={code} size="sm" c="var(--mantine-color-error)" inherit>
          {count.toLocaleString()} {code}
        </Text>
      ))}
    </>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <Text size="sm" c="dimmed" className="numbers">
      {label}{' '}
      <Text span inherit fw={600} c="var(--mantine-color-text)">
        {value}
      </Text>
    </Text>
  );
}

/** Nanoseconds, as people read them. */
function time(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(nanoseconds < 1e5 ? 1 : 0)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(1)} ms`;
  return `${(nanoseconds / 1e9).toFixed(2)} s`;
}
