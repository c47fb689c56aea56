import { Split } from 'lucide';
import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { useHeir } from '../ui/focus';
import { evenly, type InCall, MOST_GROUPS, toShareOut } from './groups';
import type { Host } from './host';

const COUNTS = Array.from({ length: MOST_GROUPS }, (_, index) => index + 1);

/** How long groups can be open, in minutes; 0 is until somebody closes them. */
const MINUTES = [0, 5, 10, 15, 20, 30, 45, 60] as const;

/** How many groups, what they are called, for how long, and whether people go there at once. */
export function OpenForm({ host, people }: { host: Host; people: readonly InCall[] }) {
  const [count, setCount] = useState(2);
  const [names, setNames] = useState<readonly string[]>([]);
  const [minutes, setMinutes] = useState(0);
  const [share, setShare] = useState(true);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useHeir(form, '.host-groups h3');
  const numbers = COUNTS.slice(0, count);
  const open = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const empty = numbers.map((number) => ({ id: String(number), members: [] }));
    const placings = share ? evenly(toShareOut(people), empty) : [];
    const groups = numbers.map((number) => ({
      name: names[number - 1]?.trim() || t('groups.default', { number }),
      members: placings.filter((one) => one.group === String(number)).map((one) => one.identity),
    }));
    await host.ask('open_groups', { groups, ...(minutes > 0 ? { minutes } : {}) });
    setBusy(false);
  };
  return (
    <form class="host-open" ref={form} onSubmit={(event) => void open(event)}>
      <p class="soft">{t('groups.what')}</p>
      <div class="host-pair">
        <Field label={t('groups.count')}>
          {(wiring) => (
            <select
              {...wiring}
              value={count}
              onChange={(event) => setCount(Number(event.currentTarget.value))}
            >
              {COUNTS.map((number) => (
                <option key={number} value={number}>
                  {number}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t('groups.minutes')}>
          {(wiring) => (
            <select
              {...wiring}
              value={minutes}
              onChange={(event) => setMinutes(Number(event.currentTarget.value))}
            >
              {MINUTES.map((number) => (
                <option key={number} value={number}>
                  {number === 0 ? t('groups.no-limit') : t('groups.for-minutes', { minutes: number })}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <details>
        <summary>{t('groups.names')}</summary>
        <div class="host-names">
          {numbers.map((number) => (
            <Field key={number} label={t('groups.name', { number })}>
              {(wiring) => (
                <input
                  {...wiring}
                  type="text"
                  autocomplete="off"
                  maxLength={60}
                  placeholder={t('groups.default', { number })}
                  value={names[number - 1] ?? ''}
                  onInput={(event) => {
                    const name = event.currentTarget.value;
                    setNames(COUNTS.map((one) => (one === number ? name : (names[one - 1] ?? ''))));
                  }}
                />
              )}
            </Field>
          ))}
        </div>
      </details>
      <label class="check">
        <input type="checkbox" checked={share} onChange={(event) => setShare(event.currentTarget.checked)} />
        <span>{t('groups.share-now')}</span>
      </label>
      <Button look="main" icon={Split} type="submit" disabled={busy}>
        {t('groups.open')}
      </Button>
    </form>
  );
}
