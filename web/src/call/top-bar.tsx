import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { sayTime, t } from '../i18n';
import { Bars } from '../ui/bars';
import { Heading } from '../ui/page';
import { type GroupPlace, nameOfGroup } from './place';
import { useCall } from './view';

const FULL = { good: 3, medium: 2, weak: 1 } as const;

/** What the call is called, how many are in it, and how good the line is. */
export function TopBar() {
  const view = useCall();
  const count = view.session.people.value.length;
  const connecting = view.session.phase.value === 'connecting';
  const place = view.session.place.value;
  return (
    <header class="top-bar">
      <div class="top-title">
        <Heading>{view.visit.invitation.roomName || t('call.title')}</Heading>
        {place && <p class="top-place">{wordsInShort(place)}</p>}
      </div>
      {!connecting && (
        <p class="soft top-count">
          {count === 1 ? t('call.people-count.one') : t('call.people-count.other', { count })}
        </p>
      )}
      {!connecting && <Quality />}
    </header>
  );
}

function wordsInShort(place: GroupPlace): string {
  const group = nameOfGroup(place);
  if (place.closesAt === null) return group;
  return t('groups.place-until', { group, time: sayTime(new Date(place.closesAt)) });
}

function Quality() {
  const view = useCall();
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const words = useId();
  useEffect(() => {
    if (!open) return undefined;
    const close = (event: Event) => {
      const outside =
        event instanceof KeyboardEvent
          ? event.key === 'Escape'
          : !place.current?.contains(event.target as Node);
      if (outside) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [open]);
  const { word, reason } = view.cut.value
    ? ({ word: 'weak', reason: 'lost' } as const)
    : view.quality.verdict.value;
  const said = t(`quality.${word}`);
  return (
    <div class="quality" ref={place}>
      <button
        type="button"
        class={`quality-button ${word}`}
        aria-expanded={open}
        aria-controls={words}
        onClick={() => setOpen(!open)}
      >
        <Bars full={FULL[word]} />
        <span>
          <span class="quality-long">{t('quality.label', { word: said })}</span>
          <span class="quality-short" aria-hidden="true">
            {said}
          </span>
        </span>
      </button>
      <div class="quality-words" id={words} role="status" hidden={!open}>
        {open && (
          <>
            <strong>{t('quality.title', { word: said })}</strong>
            <span>{t(`quality.reason.${reason}`)}</span>
          </>
        )}
      </div>
    </div>
  );
}
