import { Box, Button, Center, Group, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { adminUrl, setToken } from '../api/client';

/** Asks for the admin token. It stays in this tab and is gone when the tab is closed. */
export function Login({ wrong }: { wrong: boolean }) {
  const [value, setValue] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value) setToken(value);
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Box className="surface" p="xl" w="100%" maw={420}>
        <form onSubmit={submit}>
          <Stack>
            <Group gap="sm">
              <img src="/moon.svg" width={36} height={36} alt="" />
              <Title order={1}>Sign in</Title>
            </Group>
            <Text size="sm" c="dimmed">
              The Admin API at <code>{adminUrl}</code> asks for a token: the value of the property <code>admin_token</code>.
            </Text>
            <PasswordInput
              label="Admin token"
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
              error={wrong ? 'This is not the token' : undefined}
              autoFocus
              autoComplete="current-password"
              visibilityToggleButtonProps={{ 'aria-label': 'Show the token' }}
            />
            <Button type="submit" disabled={!value}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Box>
    </Center>
  );
}
