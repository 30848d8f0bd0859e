/** What came back when a request was sent for real. */
import { Alert, Badge, Group, List, Stack, Table, Text } from '@mantine/core';
import type { Tried } from './explanation';
import { Section } from './Page';
import { outcome } from './call';
import { milliseconds } from './Time';

export function Answer({ tried, traceable }: { tried: Tried; traceable: boolean }) {
  const color = tried.status < 300 ? 'green' : tried.status < 400 ? 'blue' : tried.status < 500 ? 'orange' : 'red';
  const ended = outcome([...tried.trailers, ...tried.headers]);
  return (
    <Section title="Answer">
      <Stack gap="md">
        <Group gap="sm" aria-live="polite">
          <Badge size="lg" color={color} data-answer-status={tried.status}>
            {tried.status}
          </Badge>
          {ended !== undefined && (
            <Badge size="lg" tt="none" color={ended === '0' ? 'green' : 'red'} data-answer-call>
              gRPC status {ended}
            </Badge>
          )}
          <Text size="sm" c="dimmed" className="numbers">
            after {milliseconds(tried.took)}
          </Text>
        </Group>
        {tried.trace ? (
          <Trace steps={tried.trace} />
        ) : (
          !traceable && (
            <Alert variant="light" title="What did each plugin do?">
              <Text size="sm">
                With the property <code>allow_debug_header</code> on, the gateway tells how long each plugin took and what it changed.
              </Text>
            </Alert>
          )
        )}
        <Fields label="Headers of the answer" all={tried.headers} />
        <pre className="code surface" tabIndex={0} aria-label="Body of the answer">
          {tried.body_base64 ? `(no text; in base64)\n${tried.body_base64}` : tried.body || '(no body)'}
          {tried.truncated && '\n… and more'}
        </pre>
        {tried.trailers.length > 0 && <Fields label="Trailers of the answer" all={tried.trailers} />}
      </Stack>
    </Section>
  );
}

function Fields({ label, all }: { label: string; all: [string, string][] }) {
  return (
    <Table.ScrollContainer minWidth={0}>
      <Table aria-label={label} layout="fixed">
        <Table.Tbody>
          {all.map(([name, value], at) => (
            <Table.Tr key={at}>
              <Table.Th scope="row" className="mono" fw={500} w={{ base: 130, sm: 240 }}>
                {name}
              </Table.Th>
              <Table.Td className="mono">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Trace({ steps }: { steps: NonNullable<Tried['trace']> }) {
  if (steps.length === 0) return <Text size="sm" c="dimmed">No plugin ran.</Text>;
  return (
    <Table aria-label="What each plugin did">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Plugin</Table.Th>
          <Table.Th>Took</Table.Th>
          <Table.Th>Did</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {steps.map((step, at) => (
          <Table.Tr key={at}>
            <Table.Td>
              {step.plugin}
              <Text size="xs" c="dimmed">
                {step.hook}
              </Text>
            </Table.Td>
            <Table.Td className="numbers">{milliseconds(step.took / 1000)}</Table.Td>
            <Table.Td>
              <Badge color={step.outcome === 'failed' ? 'red' : step.outcome === 'respond' ? 'orange' : 'gray'}>{OUTCOMES[step.outcome] ?? step.outcome}</Badge>
              <List size="xs" mt={4} className="mono">
                {[...step.request.map((change) => `request ${change}`), ...step.response.map((change) => `response ${change}`)].map((change) => (
                  <List.Item key={change}>{change}</List.Item>
                ))}
              </List>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

const OUTCOMES: Record<string, string> = { continue: 'went on', respond: 'answered', failed: 'failed' };
