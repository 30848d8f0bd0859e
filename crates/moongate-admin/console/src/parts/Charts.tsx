/** The last five minutes, in pictures. A table with the newest figures says the same to those who do not see them. */
import '@mantine/charts/styles.css';

import { AreaChart, LineChart } from '@mantine/charts';
import { Box, Center, Group, SimpleGrid, Text, VisuallyHidden } from '@mantine/core';
import { useDeferredValue } from 'react';
import { useLive } from '../live/store';
import type { Sample } from '../live/types';
import { Section } from './Page';
import { bytes, clock, milliseconds } from './Time';

interface Series {
  name: string;
  label: string;
  color: string;
  of: (sample: Sample) => number | null;
}

const STATUSES: Series[] = [
  { name: '2xx', label: '2xx', color: 'teal.7', of: (sample) => sample.rate['2xx'] },
  { name: '3xx', label: '3xx', color: 'blue.6', of: (sample) => sample.rate['3xx'] },
  { name: '4xx', label: '4xx', color: 'orange.7', of: (sample) => sample.rate['4xx'] },
  { name: '5xx', label: '5xx', color: 'red.7', of: (sample) => sample.rate['5xx'] },
];

const GATEWAY: Series[] = [
  { name: 'p50', label: 'p50', color: 'moon.5', of: (sample) => sample.latency.gateway.p50 },
  { name: 'p99', label: 'p99', color: 'violet.6', of: (sample) => sample.latency.gateway.p99 },
];

const UPSTREAM: Series[] = [
  { name: 'p50', label: 'p50', color: 'cyan.7', of: (sample) => sample.latency.upstream.p50 },
  { name: 'p99', label: 'p99', color: 'pink.7', of: (sample) => sample.latency.upstream.p99 },
];

const CONNECTIONS: Series[] = [{ name: 'connections', label: 'Connections', color: 'indigo.6', of: (sample) => sample.connections }];
const MEMORY: Series[] = [{ name: 'memory', label: 'Memory', color: 'grape.7', of: (sample) => sample.memory }];

export default function Charts() {
  const { samples: newest, state } = useLive();
  // Pictures wait for whatever somebody does meanwhile.
  const samples = useDeferredValue(newest);
  const telling = state !== 'unsupported';
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Chart title="Requests per second" samples={samples} series={STATUSES} area format={(value) => (value === null ? '–' : value.toFixed(value < 10 ? 1 : 0))} />
      {telling && <Chart title="Latency of the gateway" samples={samples} series={GATEWAY} dots format={milliseconds} />}
      {telling && <Chart title="Latency of upstreams" samples={samples} series={UPSTREAM} dots format={milliseconds} />}
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md">
        <Chart title="Connections" samples={samples} series={CONNECTIONS} format={(value) => String(value ?? '–')} />
        <Chart title="Memory" samples={samples} series={MEMORY} format={(value) => (value === null ? '–' : bytes(value))} axis={(value) => bytes(value, 0)} />
      </SimpleGrid>
    </SimpleGrid>
  );
}

interface Props {
  title: string;
  samples: Sample[];
  series: Series[];
  area?: boolean;
  /** A second between two without requests is a line of no length, and would not be seen. */
  dots?: boolean;
  format: (value: number | null) => string;
  /** As at the axis, where there is little room. */
  axis?: (value: number) => string;
}

function Chart({ title, samples, series, area = false, dots = false, format, axis }: Props) {
  const last = samples.at(-1);
  const data = samples.map((sample) => Object.fromEntries([['at', clock(sample.at)], ...series.map((one) => [one.name, one.of(sample)])]));
  const shared = {
    h: 180,
    data,
    dataKey: 'at',
    series: series.map(({ name, label, color }) => ({ name, label, color })),
    withDots: false,
    withLegend: false,
    valueFormatter: (value: number) => format(value),
    tickLine: 'none' as const,
    gridAxis: 'x' as const,
    strokeWidth: 2,
    xAxisProps: { minTickGap: 48 },
    yAxisProps: { width: 62, domain: [0, 'auto'] as [number, string], tickFormatter: (value: number) => (axis ?? format)(value) },
    tooltipAnimationDuration: 0,
  };
  const still = { isAnimationActive: false };
  // The picture is hidden from those who cannot see it, so nothing in it may take the focus.
  const mute = { accessibilityLayer: false };
  return (
    <Section title={title}>
      <Group gap="md" mb={4} mih={22}>
        {series.map((one) => (
          <Group key={one.name} gap={6} wrap="nowrap">
            <Box w={10} h={10} bg={one.color} style={{ borderRadius: 3 }} aria-hidden />
            <Text size="xs" c="dimmed" className="numbers">
              {one.label}{' '}
              <Text span fw={600} c="var(--mantine-color-text)" inherit data-figure={`${title}: ${one.label}`}>
                {last ? format(one.of(last)) : '–'}
              </Text>
            </Text>
          </Group>
        ))}
      </Group>
      <Box aria-hidden pos="relative">
        {samples.length > 0 && !samples.some((sample) => series.some((one) => one.of(sample) !== null)) && (
          <Center pos="absolute" inset={0}>
            <Text size="sm" c="dimmed">
              No requests in the last five minutes
            </Text>
          </Center>
        )}
        {area ? <AreaChart {...shared} type="stacked" areaChartProps={mute} areaProps={{ ...still, strokeWidth: 0 }} withGradient={false} fillOpacity={0.75} /> : <LineChart {...shared} lineChartProps={mute} lineProps={still} connectNulls={false} {...(dots ? { withDots: true, dotProps: { r: 1.5, strokeWidth: 0 }, activeDotProps: { r: 3, strokeWidth: 0 } } : {})} />}
      </Box>
      <VisuallyHidden>Figures of the last five minutes, one each second.</VisuallyHidden>
    </Section>
  );
}
