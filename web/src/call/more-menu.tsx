import {
  Camera,
  CameraOff,
  Eye,
  EyeOff,
  Hand,
  type IconNode,
  Keyboard,
  LayoutGrid,
  Maximize,
  Minimize,
  MonitorUp,
  MonitorX,
  Settings,
  UserRound,
  Users,
} from 'lucide';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { useReturnFocus } from '../ui/focus';
import { Icon } from '../ui/icon';
import { wide } from '../ui/width';
import { canShareScreen } from './bar';
import { fullScreen, mayFillScreen, toggleFullScreen } from './full-screen';
import { useCall } from './view';

/** The rarer controls. Pressing one, pressing outside, or Escape closes the menu. */
export function MoreMenu() {
  const view = useCall();
  const { media } = view.session;
  const rights = view.session.rights.value;
  const element = useRef<HTMLDivElement>(null);
  useReturnFocus();
  // Before anybody sees the menu: whoever is quick with the keyboard must not be set back to its first entry.
  useLayoutEffect(() => element.current?.querySelector('button')?.focus(), []);
  useEffect(() => {
    const onDown = (event: PointerEvent) => {
      if (!element.current?.parentElement?.contains(event.target as Node)) view.menuOpen.value = false;
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [view]);
  const grid = view.choice.value === 'grid';
  return (
    <div class="more-menu" ref={element}>
      {!wide.value && rights.screen && canShareScreen && (
        <Entry
          icon={media.screenOn.value ? MonitorX : MonitorUp}
          words={t(media.screenOn.value ? 'bar.share-off' : 'bar.share-on')}
          onPress={() => view.act('share')}
        />
      )}
      {!wide.value && view.host && rights.hand && (
        <Entry
          icon={Hand}
          words={t(view.self.value?.handSince != null ? 'bar.hand-down' : 'bar.hand-up')}
          onPress={() => view.act('hand')}
        />
      )}
      {!wide.value && (
        <Entry icon={Users} words={t('people.title')} onPress={() => view.togglePanel('people')} />
      )}
      <Entry
        icon={grid ? UserRound : LayoutGrid}
        words={t(grid ? 'more.layout-speaker' : 'more.layout-grid')}
        onPress={() => {
          view.choice.value = grid ? 'speaker' : 'grid';
          view.pinned.value = null;
        }}
      />
      {mayFillScreen && (
        <Entry
          icon={fullScreen.value ? Minimize : Maximize}
          words={t(fullScreen.value ? 'more.leave-full-screen' : 'more.full-screen')}
          onPress={() => void toggleFullScreen()}
        />
      )}
      <Entry
        icon={Settings}
        words={t('more.settings')}
        onPress={() => {
          view.overlay.value = 'settings';
        }}
      />
      {rights.camera && (
        <Entry
          icon={media.secondOn.value ? CameraOff : Camera}
          words={t(media.secondOn.value ? 'more.stop-second-camera' : 'more.second-camera')}
          onPress={() => {
            if (media.secondOn.value) void media.setSecondCamera(null);
            else view.overlay.value = 'second-camera';
          }}
        />
      )}
      <Entry
        icon={view.selfHidden.value ? Eye : EyeOff}
        words={t(view.selfHidden.value ? 'more.show-self' : 'more.hide-self')}
        onPress={() => {
          view.selfHidden.value = !view.selfHidden.value;
        }}
      />
      <Entry
        icon={Keyboard}
        words={t('more.shortcuts')}
        onPress={() => {
          view.overlay.value = 'shortcuts';
        }}
      />
    </div>
  );
}

function Entry({ icon, words, onPress }: { icon: IconNode; words: string; onPress: () => void }) {
  const view = useCall();
  return (
    <button
      type="button"
      class="more-entry"
      onClick={(event) => {
        // The entry goes away with the menu: what opens next gives the focus back to what opened the menu.
        event.currentTarget.closest('.more')?.querySelector('button')?.focus();
        view.menuOpen.value = false;
        onPress();
      }}
    >
      <Icon node={icon} />
      <span>{words}</span>
    </button>
  );
}
