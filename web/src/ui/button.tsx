import type { IconNode } from 'lucide';
import type { ComponentChildren, ComponentProps } from 'preact';
import { Icon } from './icon';

type Rest = Omit<ComponentProps<'button'>, 'children' | 'icon' | 'class' | 'type'>;

interface Props extends Rest {
  /** `main` is the one action of a screen, `plain` any other, `quiet` one that should not stand out. */
  look?: 'main' | 'plain' | 'quiet';
  icon?: IconNode;
  type?: 'button' | 'submit';
  class?: string;
  children: ComponentChildren;
}

/** A button with words, and an icon before them where one helps. */
export function Button({
  look = 'plain',
  icon,
  type = 'button',
  class: extra = '',
  children,
  ...rest
}: Props) {
  return (
    <button type={type} class={`button ${look} ${extra}`} {...rest}>
      {icon && <Icon node={icon} />}
      <span>{children}</span>
    </button>
  );
}
