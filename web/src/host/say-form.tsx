import { SendHorizontal } from 'lucide';
import { useId, useState } from 'preact/hooks';
import { Icon } from '../ui/icon';

/** The longest sentence, in characters; the service takes no longer one. */
const LONGEST = 500;

interface Props {
  label: string;
  /** What was said last and still stands. */
  standing?: string;
  send: string;
  /** Says it; true when it was taken. */
  onSay: (text: string) => Promise<boolean>;
}

/** One line to say something in; what was not taken stays there. */
export function SayForm({ label, standing = '', send, onSay }: Props) {
  const [text, setText] = useState('');
  const field = useId();
  const say = async (event: Event) => {
    event.preventDefault();
    const said = text.trim();
    if (said !== '' && (await onSay(said))) setText('');
  };
  return (
    <form class="host-message" onSubmit={(event) => void say(event)}>
      <label for={field}>{label}</label>
      {standing !== '' && <p class="soft">{standing}</p>}
      <div class="host-line">
        <input
          id={field}
          type="text"
          autocomplete="off"
          maxLength={LONGEST}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="round filled" aria-label={send} title={send}>
          <Icon node={SendHorizontal} />
        </button>
      </div>
    </form>
  );
}
