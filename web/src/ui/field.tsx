import { CircleAlert } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icon';

/** What a field hands to the control inside it, so that label, hint and error are read out with it. */
export interface Wiring {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

interface Props {
  label: string;
  hint?: string;
  /** What is wrong with the value, in words that say what to write. */
  wrong?: string | null;
  children: (wiring: Wiring) => ComponentChildren;
}

/** A label, a control, and what belongs to it. */
export function Field({ label, hint, wrong, children }: Props) {
  const id = useId();
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        ...(described ? { 'aria-describedby': described } : {}),
        ...(wrong ? { 'aria-invalid': 'true' as const } : {}),
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          <Icon node={CircleAlert} />
          {wrong}
        </p>
      )}
    </div>
  );
}
