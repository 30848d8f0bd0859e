/** An entity as JSON or YAML, with credentials hidden until somebody asks for them. */
import { Button, Group, SegmentedControl, Skeleton } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { hasSecrets, masked } from '../api/masking';
import type { Schema } from '../api/schema';

type Language = 'json' | 'yaml';

export function CodeView({ kind, schema, value }: { kind: string; schema: Schema; value: unknown }) {
  const [language, setLanguage] = useState<Language>('json');
  const [revealed, setRevealed] = useState(false);
  const clipboard = useClipboard();
  const shown = revealed ? value : masked(kind, value, schema);
  const text = useText(shown, language);
  return (
    <>
      <Group justify="space-between" p="sm" gap="xs">
        <SegmentedControl
          size="xs"
          aria-label="Language"
          value={language}
          onChange={(next) => setLanguage(next as Language)}
          data={[
            { value: 'json', label: 'JSON' },
            { value: 'yaml', label: 'YAML' },
          ]}
        />
        <Group gap="xs">
          {hasSecrets(kind, value, schema) && (
            <Button size="xs" variant="default" aria-pressed={revealed} onClick={() => setRevealed(!revealed)}>
              {revealed ? 'Hide credentials' : 'Show credentials'}
            </Button>
          )}
          <Button size="xs" variant="default" onClick={() => clipboard.copy(text ?? '')} disabled={text === undefined}>
            {clipboard.copied ? 'Copied' : 'Copy'}
          </Button>
        </Group>
      </Group>
      {text === undefined ? (
        <Skeleton height={200} />
      ) : (
        <pre className="code" tabIndex={0} aria-label={language.toUpperCase()}>
          {text}
        </pre>
      )}
    </>
  );
}

/** The text of a value; YAML needs a library that is loaded when it is first wanted. */
export function useText(value: unknown, language: Language): string | undefined {
  const yaml = useQuery({
    queryKey: ['library', 'yaml'],
    queryFn: () => import('yaml').then(({ stringify, parse }) => ({ stringify, parse })),
    enabled: language === 'yaml',
    staleTime: Infinity,
    structuralSharing: false,
  });
  if (language === 'json') return JSON.stringify(value, null, 2);
  return yaml.data?.stringify(value);
}
