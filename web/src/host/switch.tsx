import type { ComponentChildren } from 'preact';

interface Props {
  on: boolean;
  onSwitch: (on: boolean) => void;
  children: ComponentChildren;
}

/** A right that is there or not. It shows what the service says, so it turns back where that says no. */
export function Switch({ on, onSwitch, children }: Props) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={on}
        onClick={(event) => {
          event.preventDefault();
          onSwitch(!on);
        }}
      />
      <span>{children}</span>
    </label>
  );
}
