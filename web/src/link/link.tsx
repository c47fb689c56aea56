import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Invitation } from '../api/answers';
import type { Visit } from '../app/screen';
import { doorTrouble, enter } from '../app/visit';
import { DeviceAdvice } from '../devices/advice';
import { watchDevices } from '../devices/list';
import { Preview, troubleOf } from '../devices/preview';
import { sayMoment, t } from '../i18n';
import { useConnectionTest } from '../probe/entry';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Notice } from '../ui/notice';
import { Heading, Page, Privacy } from '../ui/page';
import { DeviceSettings } from './device-settings';
import { cleanName, LONGEST_NAME, wrongName } from './name';
import { PreviewBox } from './preview-box';
import './link.css';

/** The first screen behind a link: who one will be, how one will be seen and heard, and one button to enter. */
export function LinkPage({ visit }: { visit: Visit }) {
  const preview = useMemo(() => new Preview(visit.invitation.audioOnly), [visit]);
  useEffect(() => {
    const unwatch = watchDevices();
    void preview.start();
    return () => {
      unwatch();
      if (!preview.movedOn) preview.close();
    };
  }, [preview]);
  const trouble = troubleOf(preview.camera.value, preview.microphone.value);
  const { test, button } = useConnectionTest(visit.link, preview);
  return (
    <>
      {/* Out of sight and not out of the page during a test, so that a name that was written is still there. */}
      <div hidden={test !== null}>
        <Page narrow={false}>
          <div class="link">
            <div class="link-intro">
              <p class="soft">{t('link.invited')}</p>
              {test === null && <Heading>{visit.invitation.roomName || t('start.title')}</Heading>}
              <Appointment invitation={visit.invitation} />
            </div>
            <div class="link-preview">
              {/* Mounted before there is anything to say: screen readers miss an alert that comes with its words. */}
              <div class="link-trouble" role="alert">
                {trouble && (
                  <DeviceAdvice what={trouble.what} why={trouble.why} onRetry={() => void preview.retry()}>
                    <p>{t(preview.audioOnly ? 'link.without-microphone' : 'link.without-devices')}</p>
                  </DeviceAdvice>
                )}
              </div>
              <PreviewBox preview={preview} />
              <DeviceSettings preview={preview} />
              {button}
            </div>
            <EntryForm visit={visit} preview={preview} />
          </div>
        </Page>
      </div>
      {test}
    </>
  );
}

function Appointment({ invitation }: { invitation: Invitation }) {
  const { startsAt } = invitation.times;
  if (startsAt === null) return <p>{t('link.open-now')}</p>;
  return <p>{t('link.when', { moment: sayMoment(new Date(startsAt), new Date()) })}</p>;
}

function EntryForm({ visit, preview }: { visit: Visit; preview: Preview }) {
  const given = visit.invitation.name;
  const [name, setName] = useState(given ?? visit.guest.name);
  const [wrong, setWrong] = useState<'missing' | 'too-long' | null>(null);
  const [entering, setEntering] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const underWay = useRef(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (underWay.current) return;
    const problem = given === null ? wrongName(name) : null;
    setWrong(problem);
    if (problem) return field.current?.focus();
    underWay.current = true;
    setEntering(true);
    try {
      await enter(visit, cleanName(name), preview);
    } finally {
      underWay.current = false;
      setEntering(false);
    }
  };
  const trouble = doorTrouble.value;
  return (
    <form class="card link-entry" onSubmit={(event) => void submit(event)} noValidate>
      {given !== null ? (
        <p>{t('link.as', { name: given })}</p>
      ) : (
        <Field
          label={t('link.name')}
          hint={t('link.name-hint')}
          wrong={
            wrong &&
            (wrong === 'missing' ? t('link.name-missing') : t('link.name-too-long', { most: LONGEST_NAME }))
          }
        >
          {(wiring) => (
            <input
              {...wiring}
              ref={field}
              type="text"
              autocomplete="nickname"
              autocapitalize="words"
              enterkeyhint="go"
              value={name}
              onInput={(event) => {
                setName(event.currentTarget.value);
                setWrong(null);
              }}
            />
          )}
        </Field>
      )}
      {trouble && (
        <div role="alert">
          <Notice tone="warning" title={t(`refused.${trouble.code}.title`)}>
            {t(`refused.${trouble.code}.text`)}
          </Notice>
        </div>
      )}
      <div class="link-go">
        <Button look="main" type="submit" disabled={entering}>
          {entering ? t('link.entering') : t('link.enter')}
        </Button>
        <Privacy />
      </div>
    </form>
  );
}
