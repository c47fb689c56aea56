import { CircleAlert, Info, TriangleAlert } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useHeadingAsHeir } from './focus';
import { Icon } from './icon';

/** How serious a notice is; the icon and the words say it too, never the colour alone. */
export type Tone = 'info' | 'warning' | 'error';

const ICONS = { info: Info, warning: TriangleAlert, error: CircleAlert };

interface Props {
  tone?: Tone;
  title?: string;
  children?: ComponentChildren;
  /** Buttons that lead out of the trouble. */
  actions?: ComponentChildren;
}

/** A few words about a state, with the way out where there is one. */
export function Notice({ tone = 'info', title, children, actions }: Props) {
  const element = useRef<HTMLDivElement>(null);
  useHeadingAsHeir(element);
  return (
    <div class={`notice ${tone}`} ref={element}>
      <Icon node={ICONS[tone]} />
      <div class="words">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
        {actions && <div class="actions">{actions}</div>}
      </div>
    </div>
  );
}
