import { Check, X } from 'lucide';
import { sayTime, t } from '../i18n';
import { Button } from '../ui/button';
import type { Host } from './host';
import { SayForm } from './say-form';
import type { Waiter } from './scene';
import { Switch } from './switch';

/** How late "I am late" means, in minutes; said again, so much later. */
const LATE = 10;

/** Who waits and since when, and what can be said to them. */
export function WaitingSection({ host }: { host: Host }) {
  const scene = host.channel.scene.value;
  const waiting = scene?.waiting ?? [];
  const late = scene?.late ?? 0;
  return (
    <section>
      <h3>{t('host.waiting')}</h3>
      {waiting.length === 0 ? (
        <p class="soft">{t('host.nobody-waits')}</p>
      ) : (
        <ul class="host-people">
          {waiting.map((one) => (
            <WaiterRow key={one.identity} host={host} waiter={one} />
          ))}
        </ul>
      )}
      {waiting.length > 1 && (
        <Button look="main" icon={Check} onClick={() => void host.ask('admit_all')}>
          {t('host.admit-all', { count: waiting.length })}
        </Button>
      )}
      {waiting.length > 0 && (
        <SayForm
          label={t('host.message')}
          standing={scene?.message ? t('host.message-said', { text: scene.message }) : ''}
          send={t('host.message-send')}
          onSay={(text) => host.ask('message', { text })}
        />
      )}
      <div class="host-actions">
        {late > 0 && <p>{t('host.late-said', { minutes: late })}</p>}
        <Button onClick={() => void host.ask('late_notice', { minutes: Math.min(late + LATE, 240) })}>
          {late > 0 ? t('host.later', { minutes: LATE }) : t('host.late', { minutes: LATE })}
        </Button>
        {late > 0 && (
          <Button look="quiet" onClick={() => void host.ask('late_notice', { minutes: 0 })}>
            {t('host.late-over')}
          </Button>
        )}
      </div>
      <Switch on={host.chime.value} onSwitch={(on) => host.setChime(on)}>
        {t('host.chime')}
      </Switch>
    </section>
  );
}

function WaiterRow({ host, waiter }: { host: Host; waiter: Waiter }) {
  const name = waiter.name || t('call.nameless');
  const { identity } = waiter;
  return (
    <li>
      <div class="host-line">
        <span class="people-name">{name}</span>
        <span class="soft">
          {waiter.here
            ? waiter.since !== null && t('host.since', { time: sayTime(new Date(waiter.since)) })
            : t('host.line-lost')}
        </span>
      </div>
      <div class="host-actions">
        <Button
          look="main"
          icon={Check}
          aria-label={t('host.admit-whom', { name })}
          onClick={() => void host.ask('admit', { identity })}
        >
          {t('host.admit')}
        </Button>
        <Button
          icon={X}
          aria-label={t('host.deny-whom', { name })}
          onClick={() => void host.ask('deny', { identity })}
        >
          {t('host.deny')}
        </Button>
      </div>
    </li>
  );
}
