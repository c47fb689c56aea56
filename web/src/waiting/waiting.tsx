import { Armchair, Clock, LogOut } from 'lucide';
import { useEffect } from 'preact/hooks';
import type { Visit } from '../app/screen';
import { keepAwake } from '../call/wake-lock';
import { watchDevices } from '../devices/list';
import type { Preview } from '../devices/preview';
import { sayMoment, sayTime, t } from '../i18n';
import { DeviceSettings } from '../link/device-settings';
import { PreviewBox } from '../link/preview-box';
import { useConnectionTest } from '../probe/entry';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { LONG, useLasting } from '../ui/lasting';
import { Notice } from '../ui/notice';
import { Heading, Page, Privacy } from '../ui/page';
import type { WaitingLine } from './line';
import type { Place } from './words';
import '../link/link.css';
import './waiting.css';

interface Props {
  visit: Visit;
  line: WaitingLine;
  captures: Preview;
}

/** The waiting room: what happens now, what comes next, and one's own picture meanwhile. */
export function WaitingPage({ visit, line, captures }: Props) {
  useEffect(() => {
    const stops = [watchDevices(), keepAwake()];
    return () => {
      for (const stop of stops) stop();
      captures.close();
    };
  }, [captures]);
  const { test, button } = useConnectionTest(visit.link, captures);
  return (
    <>
      <div hidden={test !== null}>
        <Page narrow={false}>
          <div class="waiting-room">
            <div class="card waiting-card">
              <Icon node={Armchair} class="big-icon" />
              {test === null && <Heading>{t('waiting.title')}</Heading>}
              {/* One place that is listened to, there before its words are: each change is read out once. */}
              <div class="waiting-news" role="status">
                <News visit={visit} line={line} />
              </div>
              <Since place={line.place.value} />
              <p class="soft">{t('waiting.stay')}</p>
              <Button icon={LogOut} onClick={() => line.leave()}>
                {t('waiting.leave')}
              </Button>
              <Privacy />
            </div>
            <div class="waiting-self">
              <PreviewBox preview={captures} />
              <DeviceSettings preview={captures} />
              {button}
            </div>
          </div>
        </Page>
      </div>
      {test}
    </>
  );
}

function News({ visit, line }: Pick<Props, 'visit' | 'line'>) {
  const place = line.place.value;
  switch (line.state.value) {
    case 'admitted':
      return (
        <p>
          <strong>{t('waiting.admitted')}</strong>
        </p>
      );
    case 'lost':
      return <Lost />;
    case 'connecting':
      return place ? <Told visit={visit} place={place} /> : <p>{t('waiting.connecting')}</p>;
    case 'waiting':
      return place && <Told visit={visit} place={place} />;
  }
}

function Told({ visit, place }: { visit: Visit; place: Place }) {
  const ahead = place.position - 1;
  return (
    <>
      <p>{t(place.attended ? 'waiting.attended' : 'waiting.unattended')}</p>
      {!place.attended && <Appointment visit={visit} />}
      {ahead === 1 && <p>{t('waiting.one-ahead')}</p>}
      {ahead > 1 && <p>{t('waiting.ahead', { count: ahead })}</p>}
      {place.late && (
        <Notice tone="warning" title={t('waiting.late', { minutes: place.late.minutes })}>
          {place.late.at !== null && t('waiting.said-at', { time: sayTime(new Date(place.late.at)) })}
        </Notice>
      )}
      {place.message && (
        <Notice title={t('waiting.message')}>
          <p class="waiting-message">{place.message.text}</p>
        </Notice>
      )}
    </>
  );
}

function Appointment({ visit }: { visit: Visit }) {
  const { startsAt } = visit.invitation.times;
  if (startsAt === null || startsAt < Date.now()) return null;
  return <p>{t('link.when', { moment: sayMoment(new Date(startsAt), new Date()) })}</p>;
}

function Lost() {
  const long = useLasting(LONG);
  return (
    <Notice tone="warning" title={t('waiting.lost')}>
      {t(long ? 'waiting.lost-long' : 'waiting.lost-text')}
    </Notice>
  );
}

/** Not among the news: it never changes, and says itself how long one has waited. */
function Since({ place }: { place: Place | null }) {
  if (place?.since == null) return null;
  return (
    <p class="waiting-since">
      <Icon node={Clock} />
      {t('waiting.since', { time: sayTime(new Date(place.since)) })}
    </p>
  );
}
