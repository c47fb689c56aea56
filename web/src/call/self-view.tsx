import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { announce } from '../ui/live';
import { type Corner, cornerByKey, nearestCorner } from './corner';
import { Faceless, Signs } from './tile';
import { Video } from './video';
import { useCall } from './view';

/** One's own picture: small, in a corner, moved by dragging or by the arrow keys. */
export function SelfView() {
  const view = useCall();
  const { media } = view.session;
  const element = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ x: number; y: number } | null>(null);
  const start = useRef({ x: 0, y: 0 });
  const person = view.self.value;
  if (!person || view.selfHidden.value) return null;

  const rest = (corner: Corner) => {
    view.corner.value = corner;
    announce(t(`self.moved.${corner}`));
  };
  const onDown = (event: PointerEvent) => {
    start.current = { x: event.clientX, y: event.clientY };
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ x: 0, y: 0 });
  };
  const onMove = (event: PointerEvent) => {
    if (drag) setDrag({ x: event.clientX - start.current.x, y: event.clientY - start.current.y });
  };
  const onUp = (event: PointerEvent) => {
    setDrag(null);
    const stage = element.current?.parentElement?.getBoundingClientRect();
    if (!stage || !drag || Math.hypot(drag.x, drag.y) < 8) return;
    rest(nearestCorner(event.clientX - stage.left, event.clientY - stage.top, stage.width, stage.height));
  };
  const onKey = (event: KeyboardEvent) => {
    const corner = cornerByKey(view.corner.value, event.key);
    if (!corner) return;
    event.preventDefault();
    rest(corner);
  };

  const track = media.cameraOn.value ? media.camera : null;
  const speaking = view.session.speaking.value.has(person.identity);
  return (
    <div
      ref={element}
      class={`self ${view.corner.value} ${speaking ? 'speaking' : ''}`}
      style={drag ? { transform: `translate(${drag.x}px, ${drag.y}px)` } : {}}
    >
      {track ? <Video track={track} label={t('self.label')} mirrored /> : <Faceless person={person} />}
      <p class="tile-name">
        <Signs person={person} />
        <span>{t('call.you')}</span>
      </p>
      <button
        type="button"
        class={`self-handle ${drag ? 'dragged' : ''}`}
        aria-label={t('self.move')}
        title={t('self.move')}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={() => setDrag(null)}
        onKeyDown={onKey}
      />
    </div>
  );
}
