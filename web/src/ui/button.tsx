import type { IconNode } from 'lucide';
import type { ComponentChildren, ComponentProps } from 'preact';
import { Icon } from './icon';

type Rest = Omit<ComponentProps<'button'>, 'children' | 'icon' | 'class' | 'type' | 'disabled' | 'onClick'>;

interface Props extends Rest {
  /** `main` is the one action of a screen, `plain` any other, `quiet` one that should not stand out. */
  look?: 'main' | 'plain' | 'quiet';
  icon?: IconNode;
  type?: 'button' | 'submit';
  class?: string;
  /** Pressing it does nothing for now. */
  disabled?: boolean;
  onClick?: () => void;
  children: ComponentChildren;
}

/** A button with words, and an icon before them where one helps. */
export function Button({
  look = 'plain',
  icon,
  type = 'button',
  class: extra = '',
  disabled = false,
  onClick,
  children,
  ...rest
}: Props) {
  return (
    <button
      type={type}
      class={`button ${look} ${extra}`}
      aria-disabled={disabled}
      onClick={(event) => {
        // Not the `disabled` attribute: it would drop the focus of whoever has just pressed it.
        if (disabled) event.preventDefault();
        else onClick?.();
      }}
      {...rest}
    >
      {icon && <Icon node={icon} />}
      <span>{children}</span>
    </button>
  );
}
