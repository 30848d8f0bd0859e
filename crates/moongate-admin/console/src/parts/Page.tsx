import { Box, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';

interface Props {
  title: string;
  /** A line of explanation. */
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page with its heading, which the browser's title repeats. */
export function Page({ title, about, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} – Moongate`;
  }, [title]);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" gap="sm">
        <Box miw={0} flex="1 1 16rem">
          <Title order={1}>{title}</Title>
          {about && (
            <Text c="dimmed" mt={4} component="div">
              {about}
            </Text>
          )}
        </Box>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}

/** A titled part of a page. */
export function Section({ title, actions, children, padded = true }: { title: string; actions?: ReactNode; children: ReactNode; padded?: boolean }) {
  return (
    <Box component="section" className="surface" aria-label={title}>
      <Group justify="space-between" px="md" pt="sm" pb={padded ? 0 : 'xs'} gap="xs">
        <Title order={2}>{title}</Title>
        {actions}
      </Group>
      <Box p={padded ? 'md' : 0}>{children}</Box>
    </Box>
  );
}
