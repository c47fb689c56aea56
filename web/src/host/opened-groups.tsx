import { Shuffle } from 'lucide';
import { useRef } from 'preact/hooks';
import { nameOfGroup } from '../call/place';
import { useCall } from '../call/view';
import { sayTime, t } from '../i18n';
import { Button } from '../ui/button';
import { useHeir } from '../ui/focus';
import { evenly, type Group, groupOf, type InCall, toShareOut } from './groups';
import type { Host } from './host';

interface Props {
  host: Host;
  people: readonly InCall[];
  groups: readonly Group[];
}

/** The open groups: who is in each, where each person goes, and the end of one or of all. */
export function OpenedGroups({ host, people, groups }: Props) {
  const part = useRef<HTMLDivElement>(null);
  useHeir(part, '.host-groups h3');
  const placings = evenly(toShareOut(people), groups);
  return (
    <div class="host-opened" ref={part}>
      <Button look="main" onClick={() => void host.ask('close_groups')}>
        {t('groups.close-all')}
      </Button>
      <ul class="host-people">
        {groups.map((group) => (
          <GroupRow key={group.id} host={host} group={group} people={people} />
        ))}
      </ul>
      <fieldset>
        <legend>{t('groups.who-where')}</legend>
        {people.map((person) => (
          <Whereabouts key={person.identity} host={host} person={person} groups={groups} />
        ))}
        {/* Not taken away where there is nothing to do: it would take the focus with it. */}
        <Button icon={Shuffle} disabled={placings.length === 0} onClick={() => void host.place(placings)}>
          {t('groups.share-out')}
        </Button>
      </fieldset>
    </div>
  );
}

function GroupRow({ host, group, people }: { host: Host; group: Group; people: readonly InCall[] }) {
  const row = useRef<HTMLLIElement>(null);
  useHeir(row, '.host-groups h3');
  const name = nameOfGroup(group);
  const there = people.filter((person) => group.members.includes(person.identity));
  return (
    <li ref={row}>
      <div class="host-line">
        <span class="people-name">
          <strong>{name}</strong>
          {group.closesAt !== null && (
            <span class="soft">{t('groups.until', { time: sayTime(new Date(group.closesAt)) })}</span>
          )}
        </span>
        <Button
          aria-label={t('groups.close-which', { group: name })}
          onClick={() => void host.ask('close_group', { group: group.id })}
        >
          {t('groups.close-one')}
        </Button>
      </div>
      <p class="soft">
        {there.length === 0
          ? t('groups.nobody')
          : there.map((person) => person.name || t('call.nameless')).join(', ')}
      </p>
    </li>
  );
}

/** Where one person is, and where they could be: it shows what the service says, not what was chosen. */
function Whereabouts({ host, person, groups }: { host: Host; person: InCall; groups: readonly Group[] }) {
  const view = useCall();
  const where = groupOf(person.identity, groups)?.id ?? '';
  const self = view.self.value?.identity === person.identity;
  const plain = person.name || t('call.nameless');
  const name = self ? t('call.name-you', { name: plain }) : plain;
  return (
    <label class="host-line host-where">
      <span class="people-name">{name}</span>
      <select
        aria-label={t('groups.whose', { name })}
        value={where}
        onChange={(event) => {
          const group = event.currentTarget.value || null;
          event.currentTarget.value = where;
          void host.place([{ identity: person.identity, group }]);
        }}
      >
        <option value="">{t('groups.together')}</option>
        {groups.map((group) => (
          <option key={group.id} value={group.id}>
            {nameOfGroup(group)}
          </option>
        ))}
      </select>
    </label>
  );
}
