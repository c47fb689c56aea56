import { ChevronLeft, ChevronRight, type IconNode } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type PlainKey, t } from '../i18n';
import { Icon } from '../ui/icon';
import { gridFor, pageOf, SMALLEST, SMALLEST_BESIDE } from './grid';
import { faceTile, type Tile as TileValue } from './model';
import { SelfView } from './self-view';
import { Tile } from './tile';
import { Video } from './video';
import { type CallView, useCall } from './view';

/** The faces: side by side, or one large and the others in a row, and one's own where it hides nobody. */
export function Stage() {
  const view = useCall();
  const { large, others, self } = view.arrangement.value;
  if (view.tiles.value.length === 0) return <Alone />;
  const me = self === 'among' && !view.selfHidden.value ? view.self.value : null;
  return (
    <div class={`stage ${large ? 'with-large' : ''}`}>
      {large && (
        <div class="stage-large">
          <ul aria-label={t('grid.label')}>
            <Tile key={large.key} tile={large} large />
          </ul>
          <SelfView />
        </div>
      )}
      <GridOf tiles={me ? [...others, faceTile(me)] : others} strip={large !== null} />
      {!large && self === 'over' && <SelfView />}
    </div>
  );
}

/** Nobody else yet: one's own picture large, and what comes next. */
function Alone() {
  const view = useCall();
  const { media } = view.session;
  const track = media.cameraOn.value ? media.camera : null;
  return (
    <div class="alone">
      {track && <Video track={track} label={t('self.label')} mirrored />}
      <p class="alone-words" role="status">
        <strong>{t('call.alone')}</strong>
        <span>{t(whatNext(view))}</span>
      </p>
    </div>
  );
}

function GridOf({ tiles, strip }: { tiles: readonly TileValue[]; strip: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [wanted, setPage] = useState(0);
  const smallest = strip ? SMALLEST_BESIDE : SMALLEST;
  const grid = gridFor(tiles.length, size.width, size.height, smallest);
  const { items, page, pages } = pageOf(tiles, grid.perPage, wanted);
  const fit = gridFor(items.length, size.width, size.height, smallest);
  const cells = {
    gridTemplateColumns: `repeat(${fit.columns}, minmax(0, 1fr))`,
    gridTemplateRows: `repeat(${fit.rows}, minmax(0, 1fr))`,
  };
  return (
    <div class={strip ? 'stage-strip' : 'stage-grid'}>
      <div class="grid-box" ref={box}>
        <ul class="grid" style={cells} aria-label={t('grid.label')}>
          {items.map((tile) => (
            <Tile key={tile.key} tile={tile} />
          ))}
        </ul>
      </div>
      {pages > 1 && <Pages page={page} pages={pages} onTurn={setPage} />}
    </div>
  );
}

function Pages({ page, pages, onTurn }: { page: number; pages: number; onTurn: (page: number) => void }) {
  return (
    <div class="grid-pages">
      <Turn
        icon={ChevronLeft}
        name={t('grid.previous')}
        possible={page > 0}
        onPress={() => onTurn(page - 1)}
      />
      <span>{t('grid.page', { page: page + 1, pages })}</span>
      <Turn
        icon={ChevronRight}
        name={t('grid.next')}
        possible={page < pages - 1}
        onPress={() => onTurn(page + 1)}
      />
    </div>
  );
}

interface TurnProps {
  icon: IconNode;
  name: string;
  possible: boolean;
  onPress: () => void;
}

function Turn({ icon, name, possible, onPress }: TurnProps) {
  return (
    <button
      type="button"
      class="round"
      aria-label={name}
      aria-disabled={!possible}
      onClick={() => {
        // Not the `disabled` attribute: it would drop the focus on the last page.
        if (possible) onPress();
      }}
    >
      <Icon node={icon} />
    </button>
  );
}

/** The size of an element, followed as it changes. */
function useSize(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 640, height: 480 });
  useEffect(() => {
    if (!element.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** What somebody who is alone can expect. */
function whatNext(view: CallView): PlainKey {
  if (view.session.place.value) return 'call.alone-in-group';
  if (view.host?.channel.scene.value?.groups.length) return 'call.alone-beside-groups';
  return 'call.alone-next';
}
