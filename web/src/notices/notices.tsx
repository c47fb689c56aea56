import {
  CalendarClock,
  CalendarX,
  DoorClosed,
  type IconNode,
  MonitorX,
  RefreshCw,
  Unlink,
  UserX,
  WifiOff,
} from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import type { Refusal, RefusalCode } from '../api/refusal';
import { readPath } from '../app/route';
import { open, testConnection } from '../app/visit';
import type { Obstacle } from '../devices/support';
import { sayMoment, t } from '../i18n';
import { TestButton } from '../probe/entry';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { announce } from '../ui/live';
import { Heading, Page } from '../ui/page';
import { Patience } from '../ui/patience';

/** While the page asks what the link leads to. */
export function OpeningPage() {
  return (
    <Page>
      <div class="card">
        <Patience now={t('opening.now')} slow={t('opening.slow')} />
      </div>
    </Page>
  );
}

const ICONS: Partial<Record<RefusalCode, IconNode>> = {
  'not-found': Unlink,
  'too-early': CalendarClock,
  cancelled: CalendarX,
  revoked: UserX,
  unreachable: WifiOff,
  broken: RefreshCw,
  draining: RefreshCw,
};

/** Why one cannot enter now, when that changes, and what to do meanwhile. */
export function RefusedPage({ refusal, nextTry }: { refusal: Refusal; nextTry: number | null }) {
  const { code } = refusal;
  const route = readPath(location.pathname);
  return (
    <Page>
      <div class="card">
        <Icon node={ICONS[code] ?? DoorClosed} class="big-icon" />
        <Heading>{t(`refused.${code}.title`)}</Heading>
        <When refusal={refusal} />
        <p>{t(`refused.${code}.text`)}</p>
        {nextTry !== null && <Countdown until={nextTry} shown={code !== 'too-early'} />}
        <div class="actions">
          {nextTry !== null && route.page === 'visit' && (
            <Button icon={RefreshCw} onClick={() => void open(route.link)}>
              {t('refused.try-now')}
            </Button>
          )}
          {code === 'too-early' && route.page === 'visit' && (
            <TestButton onClick={() => void testConnection(route.link)} />
          )}
          {nextTry === null && (
            <Button onClick={() => location.assign('/')}>{t('refused.start-page')}</Button>
          )}
        </div>
      </div>
    </Page>
  );
}

function When({ refusal }: { refusal: Refusal }) {
  const { startsAt, opensAt, closesAt } = refusal.times;
  const now = new Date();
  const say = (at: number) => sayMoment(new Date(at), now);
  if (refusal.code === 'too-early') {
    return (
      <>
        {startsAt !== null && <p>{t('refused.too-early.appointment', { moment: say(startsAt) })}</p>}
        {opensAt !== null && (
          <p>
            <strong>{t('refused.too-early.at', { moment: say(opensAt) })}</strong>
          </p>
        )}
      </>
    );
  }
  if (refusal.code === 'too-late' && closesAt !== null && closesAt <= now.getTime()) {
    return <p>{t('refused.too-late.at', { moment: say(closesAt) })}</p>;
  }
  return null;
}

/** Not a live region: it changes each second, and the text above has said that the page tries by itself. */
function Countdown({ until, shown }: { until: number; shown: boolean }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  if (!shown) return null;
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return <p class="soft">{seconds === 0 ? t('refused.trying') : t('refused.next-try', { seconds })}</p>;
}

/** When the browser itself cannot make a call. */
export function UnsupportedPage({ obstacle }: { obstacle: Obstacle }) {
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    announce(t('unsupported.copied'));
  };
  return (
    <Page>
      <div class="card">
        <Icon node={MonitorX} class="big-icon" />
        <Heading>{t(`unsupported.${obstacle}.title`)}</Heading>
        <p>{t(`unsupported.${obstacle}.text`)}</p>
        {'clipboard' in navigator && obstacle !== 'insecure' && (
          <Button look="main" onClick={() => void copy()}>
            {t('unsupported.copy')}
          </Button>
        )}
      </div>
    </Page>
  );
}
