import { Check } from 'lucide';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { useCall } from './view';

/** What was said to everybody, until it was read; the live regions have read it out already. */
export function Announced() {
  const { session } = useCall();
  const said = session.announcement.value;
  if (!said) return null;
  return (
    <Notice
      title={said.name ? t('announce.from', { name: said.name }) : t('announce.title')}
      actions={
        <Button
          icon={Check}
          onClick={() => {
            session.announcement.value = null;
          }}
        >
          {t('announce.read')}
        </Button>
      }
    >
      <p class="announced">{said.text}</p>
    </Notice>
  );
}
