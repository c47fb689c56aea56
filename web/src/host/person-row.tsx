import { ChevronDown, ChevronUp, Hand, MicOff } from 'lucide';
import { useId, useState } from 'preact/hooks';
import type { Person } from '../call/model';
import { Signs } from '../call/tile';
import { useCall } from '../call/view';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import type { Host } from './host';
import { SOURCES } from './scene';
import { Switch } from './switch';

interface Props {
  host: Host;
  person: Person;
  /** The place among the raised hands, from 1; null when the hand is down. */
  place: number | null;
}

/** One person in the call, and what a host can do about them. */
export function PersonRow({ host, person, place }: Props) {
  const [open, setOpen] = useState(false);
  const more = useId();
  const name = person.name || t('call.nameless');
  return (
    <li>
      <div class="host-line">
        <span class="people-name">
          {place !== null && (
            <strong class="host-place">
              {place}
              <span class="unseen">{t('host.place', { place })}</span>
            </strong>
          )}
          {person.self ? t('call.name-you', { name }) : name}
        </span>
        <Signs person={person} />
        {!person.self && (
          <button
            type="button"
            class="round"
            aria-expanded={open}
            aria-controls={more}
            aria-label={t('host.more', { name })}
            onClick={() => setOpen(!open)}
          >
            <Icon node={open ? ChevronUp : ChevronDown} />
          </button>
        )}
      </div>
      <div class="host-actions">
        {place !== null && (
          <Button
            icon={Hand}
            aria-label={t('host.lower-whose', { name })}
            onClick={() => void host.ask('lower_hand', { identity: person.identity })}
          >
            {t('host.lower')}
          </Button>
        )}
        {!person.self && person.microphone === 'on' && (
          <Button
            icon={MicOff}
            aria-label={t('host.mute-whom', { name })}
            onClick={() => void host.ask('mute', { identity: person.identity })}
          >
            {t('host.mute')}
          </Button>
        )}
      </div>
      <div id={more} class="host-more" hidden={!open}>
        {open && <Rights host={host} person={person} />}
      </div>
    </li>
  );
}

function Rights({ host, person }: { host: Host; person: Person }) {
  const view = useCall();
  const name = person.name || t('call.nameless');
  const { forbidden, mayUnmute } = host.restraintsOf(person.identity);
  return (
    <fieldset>
      <legend>{t('host.rights-of', { name })}</legend>
      {SOURCES.map((source) => (
        <Switch
          key={source}
          on={!forbidden.includes(source)}
          onSwitch={(on) => host.allow(person.identity, source, on)}
        >
          {t(`host.may.${source}`)}
        </Switch>
      ))}
      <Switch on={mayUnmute} onSwitch={(on) => host.allowUnmuting(person.identity, on)}>
        {t('host.may.unmute')}
      </Switch>
      <Button
        class="danger"
        aria-label={t('host.remove-whom', { name })}
        onClick={() => {
          host.removing.value = person;
          view.overlay.value = 'remove';
        }}
      >
        {t('host.remove')}
      </Button>
    </fieldset>
  );
}
