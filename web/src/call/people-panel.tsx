import { Mic, X } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { useReturnFocus } from '../ui/focus';
import { Icon } from '../ui/icon';
import { initials, inOrder, type Person, raisedHands } from './model';
import { Signs } from './tile';
import { useCall } from './view';

/** Everyone in the call; raised hands first, in the order in which they went up. */
export function PeoplePanel() {
  const view = useCall();
  const close = useRef<HTMLButtonElement>(null);
  useReturnFocus();
  useEffect(() => close.current?.focus(), []);
  const people = view.session.people.value;
  const hands = raisedHands(people);
  const others = inOrder(people).filter((person) => !hands.includes(person));
  return (
    <aside class="panel" aria-label={t('people.title')}>
      <div class="panel-head">
        <h2>{t('people.title')}</h2>
        <button
          ref={close}
          type="button"
          class="round"
          aria-label={t('people.close')}
          onClick={() => view.togglePanel('people')}
        >
          <Icon node={X} />
        </button>
      </div>
      <ul class="people">
        {[...hands, ...others].map((person) => (
          <Row key={person.identity} person={person} />
        ))}
      </ul>
    </aside>
  );
}

function Row({ person }: { person: Person }) {
  const { session } = useCall();
  const name = person.name || t('call.nameless');
  const speaking = session.speaking.value.has(person.identity);
  return (
    <li class={speaking ? 'speaking' : ''}>
      <span class="round-initials" aria-hidden="true">
        {initials(person.name) || '–'}
      </span>
      <span class="people-name">{person.self ? t('call.name-you', { name }) : name}</span>
      {speaking && (
        <span class="sign" title={t('tile.speaking')}>
          <Icon node={Mic} />
          <span class="unseen">{t('tile.speaking')}</span>
        </span>
      )}
      <Signs person={person} />
    </li>
  );
}
