import {
  Ellipsis,
  Hand,
  type IconNode,
  MessageSquare,
  Mic,
  MicOff,
  MonitorUp,
  MonitorX,
  PhoneOff,
  ShieldCheck,
  Users,
  Video,
  VideoOff,
} from 'lucide';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { wide } from '../ui/width';
import { MoreMenu } from './more-menu';
import { KEYS } from './shortcuts';
import { useCall } from './view';

/** Whether this browser can share a screen; phones cannot. */
export const canShareScreen = typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/** The controls, always in sight. On a narrow screen the rarer ones move into the menu. */
export function Bar() {
  const view = useCall();
  const { media, chat } = view.session;
  const rights = view.session.rights.value;
  const connected = view.session.phase.value !== 'connecting';
  const handUp = view.self.value?.handSince != null;
  const unread = view.panel.value === 'chat' ? 0 : chat.unread.value;
  const busy = media.busy.value;
  const knocking = view.host?.channel.scene.value?.waiting.length ?? 0;
  return (
    <div class="bar" role="toolbar" aria-label={t('bar.label')}>
      {rights.microphone && (
        <Control
          icon={media.microphoneOn.value ? Mic : MicOff}
          word={t('bar.microphone')}
          name={t(media.microphoneOn.value ? 'bar.microphone-off' : 'bar.microphone-on')}
          shortcut={KEYS.microphone}
          look={media.microphoneOn.value ? '' : 'off'}
          disabled={!connected || busy.has('microphone')}
          onPress={() => view.act('microphone')}
        />
      )}
      {rights.camera && (
        <Control
          icon={media.cameraOn.value ? Video : VideoOff}
          word={t('bar.camera')}
          name={t(media.cameraOn.value ? 'bar.camera-off' : 'bar.camera-on')}
          shortcut={KEYS.camera}
          look={media.cameraOn.value ? '' : 'off'}
          disabled={!connected || busy.has('camera')}
          onPress={() => view.act('camera')}
        />
      )}
      {!rights.pictures && rights.microphone && (
        <Control
          icon={VideoOff}
          word={t('bar.camera')}
          name={t('bar.camera-audio-only')}
          look="off"
          disabled
          onPress={() => undefined}
        />
      )}
      {wide.value && rights.screen && canShareScreen && (
        <Control
          icon={media.screenOn.value ? MonitorX : MonitorUp}
          word={t('bar.share')}
          name={t(media.screenOn.value ? 'bar.share-off' : 'bar.share-on')}
          shortcut={KEYS.share}
          look={media.screenOn.value ? 'lit' : ''}
          disabled={!connected || busy.has('screen')}
          onPress={() => view.act('share')}
        />
      )}
      {rights.hand && (wide.value || !view.host) && (
        <Control
          icon={Hand}
          word={t('bar.hand')}
          name={t(handUp ? 'bar.hand-down' : 'bar.hand-up')}
          shortcut={KEYS.hand}
          look={handUp ? 'lit' : ''}
          disabled={!connected}
          onPress={() => view.act('hand')}
        />
      )}
      {view.host && (
        <Control
          icon={ShieldCheck}
          word={t('bar.host')}
          name={hostName(knocking)}
          look={view.panel.value === 'host' ? 'lit' : ''}
          expanded={view.panel.value === 'host'}
          badge={knocking}
          onPress={() => view.togglePanel('host')}
        />
      )}
      <Control
        icon={MessageSquare}
        word={t('bar.chat')}
        name={chatName(unread)}
        shortcut={KEYS.chat}
        look={view.panel.value === 'chat' ? 'lit' : ''}
        expanded={view.panel.value === 'chat'}
        badge={unread}
        onPress={() => view.act('chat')}
      />
      {wide.value && (
        <Control
          icon={Users}
          word={t('bar.people')}
          name={t('bar.people')}
          look={view.panel.value === 'people' ? 'lit' : ''}
          expanded={view.panel.value === 'people'}
          onPress={() => view.togglePanel('people')}
        />
      )}
      <div class="more">
        <Control
          icon={Ellipsis}
          word={t('bar.more')}
          name={t('bar.more-label')}
          look={view.menuOpen.value ? 'lit' : ''}
          expanded={view.menuOpen.value}
          onPress={() => {
            view.menuOpen.value = !view.menuOpen.value;
          }}
        />
        {view.menuOpen.value && <MoreMenu />}
      </div>
      <Control
        icon={PhoneOff}
        word={t('bar.leave')}
        name={t('bar.leave')}
        look="leave"
        onPress={() => void view.session.leave()}
      />
    </div>
  );
}

function chatName(unread: number): string {
  if (unread === 0) return t('bar.chat');
  return unread === 1 ? t('bar.chat-unread.one') : t('bar.chat-unread.other', { count: unread });
}

function hostName(waiting: number): string {
  if (waiting === 0) return t('bar.host-label');
  return waiting === 1 ? t('bar.host-waiting.one') : t('bar.host-waiting.other', { count: waiting });
}

interface ControlProps {
  icon: IconNode;
  /** The short word under the icon on wide screens. */
  word: string;
  /** What pressing it does now; read out, and shown when the pointer rests on it. */
  name: string;
  shortcut?: string;
  look?: '' | 'off' | 'lit' | 'leave';
  expanded?: boolean;
  badge?: number;
  disabled?: boolean;
  onPress: () => void;
}

function Control({
  icon,
  word,
  name,
  shortcut,
  look = '',
  expanded,
  badge = 0,
  disabled,
  onPress,
}: ControlProps) {
  const { letters } = useCall();
  const key = letters.value ? shortcut : undefined;
  return (
    <button
      type="button"
      class={`control ${look}`}
      title={key ? t('bar.with-key', { label: name, key }) : name}
      aria-label={name.includes(word) ? name : `${word} : ${name}`}
      aria-keyshortcuts={key}
      aria-expanded={expanded}
      aria-disabled={disabled}
      onClick={() => {
        // Not the `disabled` attribute: it would drop the focus while a switch is carried out.
        if (!disabled) onPress();
      }}
    >
      <Icon node={icon} />
      {wide.value && <span>{word}</span>}
      {/* Drawn by the style: as text it would be a part of the word, which the name then must contain. */}
      {badge > 0 && <span class="badge" data-count={badge > 9 ? '9+' : badge} />}
    </button>
  );
}
