import { Link } from 'lucide';
import { useState } from 'preact/hooks';
import { readPasted } from '../app/route';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { Heading, Page } from '../ui/page';

/** The page at `/`: says what this address is for, and takes a pasted link. */
export function StartPage() {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const go = (event: Event) => {
    event.preventDefault();
    const pasted = readPasted(text, location.host);
    if (pasted.kind === 'link') location.assign(`/r/${pasted.link}`);
    else if (pasted.kind === 'test') location.assign(`/t/${pasted.test}`);
    else if (pasted.kind === 'elsewhere') setWrong(t('start.elsewhere', { host: pasted.host }));
    else setWrong(t(`start.${pasted.kind}`));
  };
  return (
    <Page>
      <form class="card" onSubmit={go} noValidate>
        <Icon node={Link} class="big-icon" />
        <Heading>{t('start.title')}</Heading>
        <p>{t('start.what')}</p>
        <Field
          label={t('start.label')}
          hint={t('start.example', { example: `${location.origin}/r/…` })}
          wrong={wrong}
        >
          {(wiring) => (
            <input
              {...wiring}
              type="text"
              inputMode="url"
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button look="main" type="submit">
          {t('start.go')}
        </Button>
      </form>
    </Page>
  );
}
