/** What is around every page: the way to the others, the state of the node, and who may see it. */
import { ActionIcon, Alert, AppShell, Badge, Box, Burger, Group, NavLink, ScrollArea, Skeleton, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconActivity, IconLogout, IconMoon, IconPlugConnected, IconRoute, IconSun } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { Suspense, useEffect, useSyncExternalStore } from 'react';
import { ApiError, adminUrl, onToken, setToken, token } from './api/client';
import { useKinds, words } from './api/kinds';
import { useNode } from './api/node';
import { follow, useLiveState } from './live/store';
import { Login } from './pages/Login';
import { Problem } from './parts/Said';

export function Shell() {
  const shown = useSyncExternalStore(onToken, token);
  const node = useNode();
  const queries = useQueryClient();
  const [opened, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const known = node.data !== undefined;

  // Another page means that the menu has done its work.
  useEffect(close, [path, close]);
  useEffect(() => {
    void queries.invalidateQueries();
  }, [shown, queries]);
  useEffect(() => (known ? follow(queries) : undefined), [known, shown, queries]);

  const refused = node.error instanceof ApiError && node.error.status === 401;
  if (refused) return <Login wrong={shown !== null} />;

  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding={{ base: 'sm', sm: 'lg' }}>
      <a className="skip link" href="#content">
        To the content
      </a>
      <AppShell.Header bg="var(--moongate-surface)">
        <Group h="100%" px="md" gap="xs" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" aria-expanded={opened} />
          <Group component={Link} {...{ to: '/' }} aria-label="Moongate" gap={8} wrap="nowrap" style={{ textDecoration: 'none', color: 'inherit' }}>
            <img src="/moon.svg" width={26} height={26} alt="" />
            <Text fw={700} size="lg" visibleFrom="xs">
              Moongate
            </Text>
          </Group>
          <Box flex={1} />
          <Group gap="xs" wrap="nowrap">
            <Text size="sm" c="dimmed" visibleFrom="md" className="mono" truncate>
              {node.data?.hostname}
            </Text>
            <Connection />
            <SchemeSwitch />
            {shown !== null && (
              <Tooltip label="Sign out">
                <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Sign out" onClick={() => setToken(null)}>
                  <IconLogout size={18} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar bg="var(--moongate-surface)" aria-label="Pages">
        <ScrollArea p="xs" type="auto">
          <Item to="/" label="Overview" icon={<IconActivity size={18} aria-hidden />} active={path === '/'} />
          <Item to="/plugins" label="Plugins" icon={<IconPlugConnected size={18} aria-hidden />} active={path.startsWith('/plugins')} />
          <Item to="/explain" label="Explain and try" icon={<IconRoute size={18} aria-hidden />} active={path === '/explain'} />
          <Text size="xs" fw={700} c="dimmed" tt="uppercase" px="sm" pt="md" pb={4}>
            Configuration
          </Text>
          <Kinds path={path} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Box maw={1200} mx="auto">
          {node.error ? (
            <Unreachable error={node.error} retry={() => void node.refetch()} />
          ) : (
            <Suspense fallback={<Skeleton height={240} />}>
              <Outlet />
            </Suspense>
          )}
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}

function Item({ to, label, icon, active }: { to: string; label: string; icon?: React.ReactNode; active: boolean }) {
  return <NavLink component={Link} {...{ to, preload: 'intent' }} label={label} leftSection={icon} active={active} aria-current={active ? 'page' : undefined} style={{ borderRadius: 'var(--mantine-radius-md)' }} />;
}

function Kinds({ path }: { path: string }) {
  const kinds = useKinds();
  if (!kinds.data) return <Box px="sm"><Skeleton height={320} role="status" aria-label="Loading" /></Box>;
  return kinds.data.all
    .filter((kind) => kind.listed)
    .map((kind) => {
      const to = `/entities/${kind.name}`;
      const label = kind.name === 'plugins' ? 'Plugin configurations' : words(kind.name);
      return <Item key={kind.name} to={to} label={label} active={path === to || path.startsWith(`${to}/`)} />;
    });
}

const STATES = {
  connecting: { color: 'gray', text: 'Connecting', about: 'Waiting for the first figures' },
  live: { color: 'green', text: 'Live', about: 'Figures arrive every second' },
  lost: { color: 'red', text: 'Lost', about: 'The node does not answer; it is tried again every second' },
  unsupported: { color: 'gray', text: 'Polling', about: 'This node has no stream of events; its status is asked for every two seconds' },
};

function Connection() {
  const { color, text, about } = STATES[useLiveState()];
  return (
    <Tooltip label={`${about} (${adminUrl})`}>
      <Badge color={color} variant="dot" role="status" miw={92}>
        {text}
      </Badge>
    </Tooltip>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const next = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={`Switch to ${next}`}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Switch to ${next} mode`} onClick={() => setColorScheme(next)}>
        {scheme === 'dark' ? <IconSun size={18} aria-hidden /> : <IconMoon size={18} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

function Unreachable({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <Box maw={640}>
      <Problem error={error} retry={retry} />
      <Alert mt="md" variant="light" title="Where the console looks">
        <Text size="sm">
          It asks the Admin API at <code>{adminUrl}</code>. Is the gateway running, does <code>admin_listen</code> name that address, and can this machine reach it? Another address is set with the property{' '}
          <code>admin_gui_api_url</code>.
        </Text>
      </Alert>
    </Box>
  );
}
