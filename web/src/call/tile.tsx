import { Hand, Maximize2, MicOff, Minimize2 } from 'lucide';
import { t } from '../i18n';
import { Bars } from '../ui/bars';
import { Icon } from '../ui/icon';
import { initials, type Person, type Tile as TileValue } from './model';
import { Video } from './video';
import { useCall } from './view';

/** One person, or one further picture of theirs, with the signs that belong to it. */
export function Tile({ tile, large = false }: { tile: TileValue; large?: boolean }) {
  const view = useCall();
  const { person, picture, kind } = tile;
  const name = titleOf(tile);
  const speaking = kind === 'camera' && view.session.speaking.value.has(person.identity);
  const pinned = view.pinned.value === tile.key;
  const enlargeable = !person.self && view.tiles.value.length > 1;
  return (
    <li class={`tile ${speaking ? 'speaking' : ''} ${large ? 'large' : ''}`} data-kind={kind}>
      {picture?.track ? (
        <Video
          track={picture.track}
          label={name}
          whole={kind === 'screen'}
          mirrored={person.self && kind === 'camera'}
        />
      ) : (
        <Faceless person={person} />
      )}
      {picture?.paused && <p class="tile-paused">{t('tile.paused')}</p>}
      <p class="tile-name">
        {kind === 'camera' && <Signs person={person} />}
        <span>{name}</span>
        {speaking && <Waves />}
      </p>
      {enlargeable && (
        <button
          type="button"
          class="tile-enlarge"
          title={pinned ? t('tile.shrink') : t('tile.enlarge', { name })}
          aria-label={t('tile.enlarge', { name })}
          aria-pressed={pinned}
          onClick={() => view.togglePinned(tile.key)}
        >
          <Icon node={pinned ? Minimize2 : Maximize2} />
        </button>
      )}
    </li>
  );
}

/** The words under a tile. */
function titleOf({ kind, person }: TileValue): string {
  if (person.self) return kind === 'second-camera' ? t('tile.own-second-camera') : t('call.you');
  const name = person.name || t('call.nameless');
  if (kind === 'screen') return t('tile.screen', { name });
  return kind === 'second-camera' ? t('tile.second-camera', { name }) : name;
}

/** Stands for a face while the camera is off. */
export function Faceless({ person }: { person: Person }) {
  return (
    <div class="faceless">
      <span aria-hidden="true">{initials(person.name) || '–'}</span>
      <span class="unseen">{t('tile.camera-off')}</span>
    </div>
  );
}

/** Muted, hand up, weak line: each a sign with a word for those who do not see it. */
export function Signs({ person }: { person: Person }) {
  return (
    <>
      {person.handSince !== null && (
        <span class="sign hand" title={t('tile.hand')}>
          <Icon node={Hand} />
          <span class="unseen">{t('tile.hand')}</span>
        </span>
      )}
      {person.microphone !== 'on' && (
        <span class="sign" title={t('tile.muted')}>
          <Icon node={MicOff} />
          <span class="unseen">{t('tile.muted')}</span>
        </span>
      )}
      {(person.quality === 'weak' || person.quality === 'medium') && (
        <span class="sign" title={t('tile.quality', { word: t(`quality.${person.quality}`) })}>
          <Bars full={person.quality === 'weak' ? 1 : 2} />
          <span class="unseen">{t('tile.quality', { word: t(`quality.${person.quality}`) })}</span>
        </span>
      )}
    </>
  );
}

/** Three bars that move while someone speaks, so that the frame's colour is not the only sign. */
function Waves() {
  return (
    <span class="waves" title={t('tile.speaking')}>
      <i />
      <i />
      <i />
      <span class="unseen">{t('tile.speaking')}</span>
    </span>
  );
}
