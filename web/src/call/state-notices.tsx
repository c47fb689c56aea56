import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { LONG, useLasting } from '../ui/lasting';
import { Notice } from '../ui/notice';
import { Announced } from './announced';
import { isSoundOnly, pictureNews } from './picture-news';
import { useCall } from './view';

/** A cut of the link alone is mentioned from this long on, in milliseconds. */
const BRIEF = 2500;

/** What stays true for a while and concerns everyone in the call: the line, the sound, a shared screen. */
export function StateNotices() {
  const view = useCall();
  const { session } = view;
  usePictureNotices();
  return (
    <div class="state-notices">
      <div role="alert">
        {session.phase.value === 'resuming' && !view.cut.value && <Resuming />}
        {view.cut.value && <Reconnecting />}
      </div>
      <div role="alert">{session.soundBlocked.value && <SoundBlocked />}</div>
      <Announced />
      {session.media.screenOn.value && (
        <Notice
          actions={<Button onClick={() => view.act('share')}>{t('bar.share-off')}</Button>}
          title={t('tile.own-screen')}
        />
      )}
    </div>
  );
}

function SoundBlocked() {
  const { session } = useCall();
  return (
    <Notice
      tone="warning"
      title={t('notice.sound-blocked.title')}
      actions={
        <Button look="main" onClick={() => void session.allowSound()}>
          {t('notice.sound-blocked.action')}
        </Button>
      }
    />
  );
}

/** Said only when it lasts: most such cuts are over before one could read it. */
function Resuming() {
  return useLasting(BRIEF) ? <Notice tone="warning">{t('notice.resuming')}</Notice> : null;
}

function Reconnecting() {
  const long = useLasting(LONG);
  return <Notice tone="error">{t(long ? 'notice.reconnecting-slow' : 'notice.reconnecting')}</Notice>;
}

/** Says once when the server cuts to sound only, and once when the pictures are back. */
function usePictureNotices(): void {
  const { session } = useCall();
  const people = session.people.value;
  const before = useRef(false);
  useEffect(() => {
    const pictures = people.filter((person) => !person.self).flatMap((person) => person.pictures);
    const news = pictureNews(before.current, pictures);
    before.current = isSoundOnly(pictures);
    if (news) session.toasts.say(t(`notice.${news}`), news === 'sound-only' ? 'warning' : 'info');
  }, [people, session]);
}
