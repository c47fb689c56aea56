import { X } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { inOrder, raisedHands } from '../call/model';
import { useCall } from '../call/view';
import { t } from '../i18n';
import { useReturnFocus } from '../ui/focus';
import { Icon } from '../ui/icon';
import { EverybodySection } from './everybody';
import { GroupsSection } from './groups-section';
import type { Host } from './host';
import { PersonRow } from './person-row';
import { WaitingSection } from './waiting-section';
import './host.css';

/** Beside the faces, or below them on a phone: who waits, who is in the call, and what holds for everybody. */
export function HostPanel({ host }: { host: Host }) {
  const view = useCall();
  const close = useRef<HTMLButtonElement>(null);
  useReturnFocus();
  useEffect(() => close.current?.focus(), []);
  return (
    <aside class="panel host-panel" aria-label={t('host.title')}>
      <div class="panel-head">
        <h2>{t('host.title')}</h2>
        <button
          ref={close}
          type="button"
          class="round"
          aria-label={t('host.close')}
          onClick={() => view.togglePanel('host')}
        >
          <Icon node={X} />
        </button>
      </div>
      <div class="host-body">
        {!host.channel.connected.value && <p role="status">{t('host.connecting')}</p>}
        {/* Before the service has spoken, what these show would be guesses. */}
        {host.channel.scene.value && (
          <>
            <WaitingSection host={host} />
            <PeopleSection host={host} />
            <GroupsSection host={host} />
            <EverybodySection host={host} />
          </>
        )}
      </div>
    </aside>
  );
}

function PeopleSection({ host }: { host: Host }) {
  const view = useCall();
  const people = view.session.people.value;
  const hands = raisedHands(people);
  const others = inOrder(people).filter((person) => !hands.includes(person));
  return (
    <section>
      <h3>{t('host.in-call')}</h3>
      {hands.length > 1 && (
        <button type="button" class="button plain" onClick={() => void host.ask('lower_hand')}>
          {t('host.lower-all')}
        </button>
      )}
      <ul class="host-people">
        {[...hands, ...others].map((person) => (
          <PersonRow
            key={person.identity}
            host={host}
            person={person}
            place={hands.indexOf(person) + 1 || null}
          />
        ))}
      </ul>
    </section>
  );
}
