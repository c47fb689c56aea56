import { Check, Circle, CircleMinus, type IconNode, LoaderCircle, TriangleAlert, X } from 'lucide';
import { Icon } from '../ui/icon';
import { say } from './i18n';
import { detailOf, nameOf, stateOf } from './line-words';
import { type LineState, linesOf, type Progress } from './lines';

const ICONS: Record<LineState, IconNode> = {
  waiting: Circle,
  running: LoaderCircle,
  ok: Check,
  slow: TriangleAlert,
  blocked: X,
  skipped: CircleMinus,
};

/**
 * A line for each check, with a sign and a word for how it stands.
 *
 * Not a live region: a screen reader hears what happens in one sentence above, and reads the lines when it wants.
 */
export function LineList({ progress }: { progress: Progress }) {
  return (
    <ul class="probe-lines" aria-label={say('lines')}>
      {linesOf(progress).map((line) => (
        <li key={line.id} class="probe-line" data-state={line.state}>
          <Icon node={ICONS[line.state]} />
          <span class="probe-name">{nameOf(line)}</span>
          <span class="probe-state">
            {stateOf(line, progress.result)}
            <Detail text={detailOf(line, progress.result)} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Detail({ text }: { text: string }) {
  return text === '' ? null : <span class="probe-detail">{text}</span>;
}
