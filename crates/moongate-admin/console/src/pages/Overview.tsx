/** What the gateway is doing now. */
import { Badge, Box, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { lazy, Suspense, type ReactNode } from 'react';
import { useNode, useStatus } from '../api/node';
import { useLive } from '../live/store';
import { Happenings } from '../parts/Happenings';
import { LinkButton } from '../parts/LinkButton';
import { Page, Section } from '../parts/Page';
import { bytes, duration } from '../parts/Time';

// After what can be read and clicked.
const Charts = lazy(() => idle().then(() => import('../parts/Charts')));

function idle(): Promise<void> {
  return new Promise((resume) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resume(), { timeout: 1_000 });
    else setTimeout(resume, 200);
  });
}

export function Overview() {
  const node = useNode();
  const live = useLive();
  const status = useStatus(live.state === 'live' ? false : 2_000);
  const totals = live.totals;
  const last = live.samples.at(-1);
  const configuration = node.data?.configuration;
  const reachable = totals ? totals.database?.reachable : status.data?.database?.reachable;
  const fromFile = configuration?.database === 'off';
  const workers = totals?.workers.length ?? node.data?.pids?.workers.length;
  const rate = last ? Object.values(last.rate).reduce((sum, one) => sum + one, 0) : undefined;

  return (
    <Page
      title="Overview"
      about={
        node.data ? (
          <>
            Node <span className="mono">{node.data.node_id}</span> on {node.data.hostname}
          </>
        ) : (
          'Asking the node …'
        )
      }
    >
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
        <Figure label="Version" value={node.data?.moongate?.version ?? node.data?.version} note={node.data?.moongate ? `Admin API of ${node.data.version}` : undefined} />
        <Figure label="Uptime" value={totals ? duration(totals.uptime) : undefined} optional={live.state === 'unsupported'} />
        <Figure
          label="Database"
          value={configuration ? (fromFile ? 'none' : String(configuration.database)) : undefined}
          note={fromFile ? 'declarative configuration' : reachable === undefined ? 'asking' : reachable ? <Badge color="green">reachable</Badge> : <Badge color="red">unreachable</Badge>}
        />
        <Figure label="Workers" value={workers} note={configuration ? String(configuration.router_flavor ?? '').replaceAll('_', ' ') : undefined} />
        <Figure label="Requests/s" value={rate?.toFixed(rate < 10 ? 1 : 0)} note={totals ? `${totals.requests.toLocaleString()} since start` : undefined} />
        <Figure label="Memory" value={last ? bytes(last.memory) : undefined} note={last ? `${last.connections} connections` : undefined} />
      </SimpleGrid>
      <Suspense fallback={<ChartsPlace />}>
        <Charts />
      </Suspense>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Section title="Last events">
          <Happenings all={live.happenings} supported={live.state !== 'unsupported'} />
        </Section>
        <Section title="Workers">
          <Workers />
        </Section>
      </SimpleGrid>
      <Group>
        <LinkButton to="/explain" variant="light">
          Explain a request
        </LinkButton>
      </Group>
    </Page>
  );
}

/** As high as the charts, so that nothing moves when they are there. */
function ChartsPlace() {
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" aria-hidden>
      {[0, 1, 2, 3].map((at) => (
        <Skeleton key={at} height={276} radius="md" animate={false} />
      ))}
    </SimpleGrid>
  );
}

function Figure({ label, value, note, optional = false }: { label: string; value: ReactNode; note?: ReactNode; optional?: boolean }) {
  return (
    <Box className="surface" p="md" mih={108}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text fw={700} fz="1.15rem" className="numbers" component="div">
        {value ?? (optional ? 'unknown' : <Skeleton height={24} width="60%" mt={4} />)}
      </Text>
      <Text size="xs" c="dimmed" component="div">
        {note ?? '\u00a0'}
      </Text>
    </Box>
  );
}

function Workers() {
  const { totals } = useLive();
  if (!totals) return <Skeleton height={80} aria-label="Waiting for figures" />;
  const most = Math.max(1, ...totals.workers.map((worker) => worker.requests));
  return (
    <Stack gap="sm">
      {totals.workers.map(({ worker, requests, connections }) => (
        <Box key={worker}>
          <Group justify="space-between">
            <Text size="sm">Worker {worker}</Text>
            <Text size="sm" c="dimmed" className="numbers">
              {requests.toLocaleString()} requests, {connections} connections
            </Text>
          </Group>
          <Box h={6} mt={4} bg="var(--moongate-line)" style={{ borderRadius: 3 }} aria-hidden>
            <Box h={6} w={`${(requests / most) * 100}%`} bg="moon.5" style={{ borderRadius: 3 }} />
          </Box>
        </Box>
      ))}
    </Stack>
  );
}
