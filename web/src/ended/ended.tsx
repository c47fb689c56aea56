import { PhoneOff, UserX } from 'lucide';
import type { Ending, Visit } from '../app/screen';
import { comeBack } from '../app/visit';
import { sayTime, t } from '../i18n';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { Heading, Page } from '../ui/page';

/** After the call: what happened, and the way back while the call is open. */
export function EndedPage({ visit, ending }: { visit: Visit; ending: Ending }) {
  const { how } = ending;
  const mayReturn = how === 'left' || how === 'elsewhere';
  const closesAt = visit.invitation.times.closesAt;
  return (
    <Page>
      <div class="card">
        <Icon node={how === 'removed' ? UserX : PhoneOff} class="big-icon" />
        <Heading>{titleOf(how)}</Heading>
        <p>{t(`ended.${how}`)}</p>
        {mayReturn && (
          <Button look="main" onClick={() => void comeBack(visit)}>
            {t(how === 'elsewhere' ? 'ended.come-back-here' : 'ended.come-back')}
          </Button>
        )}
        {mayReturn && closesAt !== null && (
          <p>{t('ended.open-until', { moment: sayTime(new Date(closesAt)) })}</p>
        )}
        <p class="soft">{t('ended.close-page')}</p>
      </div>
    </Page>
  );
}

function titleOf(how: Ending['how']): string {
  if (how === 'removed') return t('ended.removed.title');
  if (how === 'elsewhere') return t('ended.elsewhere.title');
  return t('ended.title');
}
