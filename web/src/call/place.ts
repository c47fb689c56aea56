import { isRecord } from '../api/refusal';
import { sayTime, t } from '../i18n';
import { moment, parse, textOf } from '../waiting/words';

/** The sub-group that a person is in. */
export interface GroupPlace {
  id: string;
  /** Empty where it has none. */
  name: string;
  /** When everybody returns by themselves, in milliseconds since 1970; null if nothing was said. */
  closesAt: number | null;
}

/** Reads what the service says of the room; null for the room itself. */
export function readPlace(metadata: string | undefined): GroupPlace | null {
  const group = parse(metadata)?.['group'];
  if (!isRecord(group) || textOf(group['id']) === '') return null;
  return {
    id: textOf(group['id']),
    name: textOf(group['name']),
    closesAt: moment(group['closes_at']),
  };
}

/** What a group is called. */
export function nameOfGroup(group: { name: string }): string {
  return group.name || t('groups.nameless');
}

/** What is said to somebody who is there now. */
export function wordsForPlace(place: GroupPlace | null): string {
  if (!place) return t('groups.back');
  const group = nameOfGroup(place);
  if (place.closesAt === null) return t('groups.moved', { group });
  return t('groups.moved-until', { group, time: sayTime(new Date(place.closesAt)) });
}
