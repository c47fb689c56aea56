import { LogOut, PhoneOff, UserX } from 'lucide';
import type { Ending, Visit } from '../app/screen';
import { comeBack } from '../app/visit';
import { sayTime, t } from '../i18n';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { Heading, Page } from '../ui/page';
import { Rating } from './rating';
import './ended.css';

const ICONS = { removed: UserX, 'gave-up': LogOut } as const;
const TITLES = {
  removed: 'ended.removed.title',
  elsewhere: 'ended.elsewhere.title',
  'gave-up': 'ended.gave-up.title',
} as const;
const WAYS_BACK = {
  left: 'ended.come-back',
  elsewhere: 'ended.come-back-here',
  'gave-up': 'ended.wait-again',
} as const;
/** Ends of a call that the person was in to the end. */
const RATED: readonly Ending['how'][] = ['left', 'closed', 'over'];

/** After the call: what happened, the way back while the call is open, and one question about how it was. */
export function EndedPage({ visit, ending }: { visit: Visit; ending: Ending }) {
  const { how } = ending;
  const back = wordOf(WAYS_BACK, how);
  const closesAt = visit.invitation.times.closesAt;
  return (
    <Page>
      <div class="card">
        <Icon node={wordOf(ICONS, how) ?? PhoneOff} class="big-icon" />
        <Heading>{t(wordOf(TITLES, how) ?? 'ended.title')}</Heading>
        <p>{t(`ended.${how}`)}</p>
        {back && (
          <Button look="main" onClick={() => void comeBack(visit)}>
            {t(back)}
          </Button>
        )}
        {back && closesAt !== null && <p>{t('ended.open-until', { moment: sayTime(new Date(closesAt)) })}</p>}
        {RATED.includes(how) && <Rating visit={visit} />}
        <p class="soft">{t('ended.close-page')}</p>
      </div>
    </Page>
  );
}

/** What a table says of an ending, if anything. */
function wordOf<T>(table: Readonly<Partial<Record<Ending['how'], T>>>, how: Ending['how']): T | undefined {
  return table[how];
}
