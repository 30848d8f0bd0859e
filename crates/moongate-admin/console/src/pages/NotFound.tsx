import { IconMoonOff } from '@tabler/icons-react';
import { LinkButton } from '../parts/LinkButton';
import { Page } from '../parts/Page';
import { Empty } from '../parts/Said';

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty icon={<IconMoonOff />} title="There is no such page">
        <LinkButton to="/" mt="sm">
          To the overview
        </LinkButton>
      </Empty>
    </Page>
  );
}
