/** Takes a component by drag and drop, and shows what the gateway says of it. */
import { Alert, Button, Loader, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconUpload } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type DragEvent } from 'react';
import { call, segment, token } from '../api/client';
import type { LoadedPlugin } from '../api/node';
import { Problem } from './Said';

interface Verdict {
  plugin: LoadedPlugin;
}

export function Upload() {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const upload = useMutation({
    mutationFn: (file: File) =>
      call<Verdict>(`/moongate/plugins?file=${segment(file.name)}`, {
        method: 'POST',
        body: new Blob([file], { type: 'application/wasm' }),
        headers: { 'Content-Type': 'application/wasm' },
      }),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['loaded'] });
      void queries.invalidateQueries({ queryKey: ['node'] });
    },
  });
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file) upload.mutate(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  if (token() === null) {
    return (
      <Alert variant="light" title="Uploads are off">
        <Text size="sm">
          Whoever may upload a plugin may run code in the gateway, so it takes one only where callers show who they are: set the property <code>admin_token</code>, and plugins can be dropped here.
        </Text>
      </Alert>
    );
  }
  return (
    <Stack gap="sm">
      <div
        className="drop"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Stack align="center" gap="xs">
          <IconUpload size={28} aria-hidden />
          <Text>Drop a .wasm component here</Text>
          <Text size="sm" c="dimmed">
            It is checked before anything uses it, and refused with a reason where it does not hold.
          </Text>
          <Button variant="default" size="xs" onClick={() => input.current?.click()} disabled={upload.isPending}>
            Choose a file
          </Button>
          <input
            ref={input}
            type="file"
            accept=".wasm,application/wasm"
            hidden
            aria-label="A .wasm component"
            onChange={(event) => {
              take(event.currentTarget.files);
              event.currentTarget.value = '';
            }}
          />
        </Stack>
      </div>
      <div aria-live="polite">
        {upload.isPending && (
          <Alert icon={<Loader size="sm" />} title="The gateway is looking at it" variant="light">
            <Text size="sm">It reads, compiles and tries the component.</Text>
          </Alert>
        )}
        {upload.data && (
          <Alert color="green" icon={<IconCircleCheck aria-hidden />} title={`${upload.data.plugin.name} ${upload.data.plugin.version ?? ''} is live`}>
            <Text size="sm">
              Generation {upload.data.plugin.generation}, hooks {upload.data.plugin.hooks?.join(', ')}.
            </Text>
          </Alert>
        )}
      </div>
      <Problem error={upload.error} />
    </Stack>
  );
}
