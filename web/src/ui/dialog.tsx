import { X } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from './button';
import { useReturnFocus } from './focus';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A window over the page that keeps the focus until it is closed by its button or by Escape. */
export function Dialog({ title, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const name = useId();
  useReturnFocus();
  useEffect(() => {
    const dialog = element.current;
    // Browsers before 2022 have no modal dialogs: there it is a box that can be tabbed out of.
    if (typeof dialog?.showModal === 'function') dialog.showModal();
    else dialog?.setAttribute('open', '');
  }, []);
  return (
    <dialog ref={element} class="dialog" aria-labelledby={name} onClose={onClose}>
      <div class="dialog-body">
        <h2 id={name}>{title}</h2>
        {children}
        <Button icon={X} onClick={onClose}>
          {t('devices.close')}
        </Button>
      </div>
    </dialog>
  );
}
