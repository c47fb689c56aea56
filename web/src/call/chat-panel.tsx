import { SendHorizontal, X } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { sayTime, t } from '../i18n';
import { useReturnFocus } from '../ui/focus';
import { Icon } from '../ui/icon';
import { LONGEST_MESSAGE, type Message } from './chat';
import { linkify } from './linkify';
import { useCall } from './view';

/** Messages beside the faces, or over them on a phone. */
export function ChatPanel() {
  const view = useCall();
  const { chat } = view.session;
  const messages = chat.messages.value;
  useReturnFocus();
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    chat.markSeen();
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [chat, messages]);
  return (
    <aside class="panel" aria-label={t('chat.title')}>
      <div class="panel-head">
        <h2>{t('chat.title')}</h2>
        <button
          type="button"
          class="round"
          aria-label={t('chat.close')}
          onClick={() => view.togglePanel('chat')}
        >
          <Icon node={X} />
        </button>
      </div>
      {messages.length === 0 && <p class="panel-empty soft">{t('chat.empty')}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol class="messages" ref={list} tabIndex={0} aria-label={t('chat.title')}>
        {messages.map((message) => (
          <Line key={message.id} message={message} />
        ))}
      </ol>
      {view.session.rights.value.chat ? <Composer /> : <p class="panel-empty">{t('chat.not-allowed')}</p>}
    </aside>
  );
}

function Line({ message }: { message: Message }) {
  return (
    <li class={`message ${message.own ? 'own' : ''}`}>
      <p class="message-head">
        <strong>{message.own ? t('chat.from-you') : message.name || t('call.nameless')}</strong>
        <time dateTime={message.at.toISOString()}>{sayTime(message.at)}</time>
      </p>
      <p class="message-text">
        {linkify(message.text).map((piece, index) =>
          piece.href === null ? (
            piece.text
          ) : (
            <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer">
              {piece.text}
            </a>
          ),
        )}
      </p>
    </li>
  );
}

function Composer() {
  const { session } = useCall();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  useEffect(() => field.current?.focus(), []);
  const send = async (event: Event) => {
    event.preventDefault();
    const message = text.trim();
    if (message === '') return;
    if (message.length > LONGEST_MESSAGE) return setWrong(t('chat.too-long', { most: LONGEST_MESSAGE }));
    setText('');
    setWrong(null);
    try {
      await session.chat.send(message);
    } catch {
      setText((typedSince) => typedSince || message);
      setWrong(t('chat.failed'));
    }
    field.current?.focus();
  };
  return (
    <form class="composer" onSubmit={(event) => void send(event)}>
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <textarea
        ref={field}
        rows={2}
        aria-label={t('chat.write')}
        placeholder={t('chat.write')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          // While an input method composes a character, Enter belongs to it.
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void send(event);
        }}
      />
      <button type="submit" class="round filled" aria-label={t('chat.send')} title={t('chat.send')}>
        <Icon node={SendHorizontal} />
      </button>
    </form>
  );
}
