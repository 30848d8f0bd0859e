/** The way of a request, from the client to the upstream, as steps. */
import { Badge, Group, List, Spoiler, Stack, Text } from '@mantine/core';
import { IconArrowForwardUp, IconCloud, IconMapPin, IconNotes, IconPlugConnected, IconQuestionMark, IconUser, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { CandidateRoute, Explanation, Named } from './explanation';

export function Way({ explanation }: { explanation: Explanation }) {
  const { request, early = [], refusal, matched, missed, beaten, plugins, upstream } = explanation;
  const first = plugins.filter((plugin) => plugin.hooks.includes('request'));
  const second = plugins.filter((plugin) => plugin.hooks.includes('response') || plugin.hooks.includes('response-body'));
  const last = plugins.filter((plugin) => plugin.hooks.includes('log'));
  return (
    <ol className="way" aria-label="The way of the request">
      <Step icon={<IconUser size={14} />} title="Client">
        <Text size="sm" className="mono">
          {request.method} {request.scheme}://{request.host ?? ''}
          {request.path}
          {request.query === null ? '' : `?${request.query}`}
        </Text>
      </Step>
      {early.map((plugin) => (
        <PluginStep key={`early ${plugin.id}`} plugin={plugin} hook="early request" />
      ))}
      {early.length > 0 && (
        <Step icon={<IconQuestionMark size={14} />} tone="quiet" title="From here on, if the request is as it was">
          <Text size="sm">{early.length === 1 ? 'This plugin' : 'These plugins'} may change the request before its route is looked for, or answer it. Explaining runs no plugin, so that is not foreseen; sending it shows what happens.</Text>
        </Step>
      )}
      <Step icon={matched ? <IconMapPin size={14} /> : <IconX size={14} />} tone={matched ? undefined : 'bad'} title={matched ? 'Route' : 'No route matches'}>
        {matched ? (
          <Text size="sm" data-explained-route={matched.route.id}>
            <To kind="routes" named={matched.route} />
            {matched.prefix ? (
              <>
                {' '}
                matches <span className="mono">{matched.prefix}</span>
                {matched.strip_path ? ', which is taken off' : ''}
              </>
            ) : null}
          </Text>
        ) : (
          <Text size="sm">The request is answered with 404, unless a plugin that is applied to everything answers it.</Text>
        )}
        <Others title="Came close, and would have come first" candidates={missed} />
        <Others title="Match as well, and rank below" candidates={beaten} />
      </Step>
      {refusal && (
        <Step icon={<IconX size={14} />} tone="bad" title={`Refused with ${refusal.status}`}>
          <Text size="sm">{refusal.message}</Text>
        </Step>
      )}
      {first.map((plugin) => (
        <PluginStep key={`request ${plugin.id}`} plugin={plugin} hook="request" />
      ))}
      {upstream ? (
        <Step icon={<IconCloud size={14} />} tone="good" title="Upstream">
          <Stack gap={4}>
            <Text size="sm" className="mono" data-upstream-uri>
              {upstream.uri}
            </Text>
            <Text size="sm" c="dimmed">
              Host: <span className="mono">{upstream.host_header}</span>
              {matched?.service && (
                <>
                  {' '}
                  of service <To kind="services" named={matched.service} />
                </>
              )}
            </Text>
            {upstream.balancer && (
              <div>
                <Text size="sm">
                  One target of <To kind="upstreams" named={upstream.balancer.upstream} />, chosen by {upstream.balancer.algorithm}:
                </Text>
                <Group gap={6} mt={4}>
                  {upstream.balancer.targets.map((target) => (
                    <Badge key={target.target} tt="none" color={target.health === 'unhealthy' ? 'red' : 'green'}>
                      {target.target} · {target.weight} · {target.health}
                    </Badge>
                  ))}
                </Group>
              </div>
            )}
          </Stack>
        </Step>
      ) : (
        matched && !refusal && (
          <Step icon={<IconX size={14} />} tone="quiet" title="No upstream">
            <Text size="sm">The route has no service: unless a plugin answers, the request ends with 503.</Text>
          </Step>
        )
      )}
      {second.map((plugin) => (
        <PluginStep key={`response ${plugin.id}`} plugin={plugin} hook={plugin.hooks.includes('response') ? 'response' : 'response body'} />
      ))}
      {last.map((plugin) => (
        <PluginStep key={`log ${plugin.id}`} plugin={plugin} hook="log" />
      ))}
    </ol>
  );
}

function PluginStep({ plugin, hook }: { plugin: Explanation['plugins'][number]; hook: string }) {
  return (
    <Step icon={hook.endsWith('request') ? <IconPlugConnected size={14} /> : hook === 'log' ? <IconNotes size={14} /> : <IconArrowForwardUp size={14} />} title={`${plugin.name}, ${hook} hook`}>
      <Group gap="xs">
        <Badge color="blue">{plugin.level}</Badge>
        <Text size="sm" c="dimmed">
          priority {plugin.priority}, on failure {plugin.on_failure},{' '}
          <Link className="link" to="/entities/$kind/$key" params={{ kind: 'plugins', key: plugin.id }}>
            configuration
          </Link>
        </Text>
      </Group>
    </Step>
  );
}

function Step({ icon, title, tone, children }: { icon: ReactNode; title: string; tone?: string; children: ReactNode }) {
  return (
    <li>
      <span className="way-mark" data-tone={tone} aria-hidden>
        {icon}
      </span>
      <Text fw={600}>{title}</Text>
      {children}
    </li>
  );
}

function Others({ title, candidates }: { title: string; candidates: CandidateRoute[] }) {
  if (candidates.length === 0) return null;
  return (
    <Spoiler maxHeight={96} showLabel="Show all" hideLabel="Show fewer" mt={6}>
      <Text size="sm" c="dimmed">
        {title}:
      </Text>
      <List size="sm">
        {candidates.map((candidate, at) => (
          <List.Item key={at}>
            <To kind="routes" named={candidate.route} />
            {candidate.unmet && candidate.unmet.length > 0 ? ` does not meet: ${candidate.unmet.join(', ')}` : candidate.prefix ? ` with ${candidate.prefix}` : ''}
          </List.Item>
        ))}
      </List>
    </Spoiler>
  );
}

function To({ kind, named }: { kind: string; named: Named }) {
  return (
    <Link className="link" to="/entities/$kind/$key" params={{ kind, key: named.id }}>
      {named.name ?? named.id}
    </Link>
  );
}
