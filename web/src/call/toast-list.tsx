import { X } from 'lucide';
import { useRef } from 'preact/hooks';
import { t } from '../i18n';
import { useHeadingAsHeir } from '../ui/focus';
import { Icon } from '../ui/icon';
import type { Toast } from './toasts';
import { useCall } from './view';

/** Passing words over the faces; the live regions have read them out already. */
export function ToastList() {
  const { session } = useCall();
  return (
    <div class="toasts">
      {session.toasts.shown.value.map((toast) => (
        <Passing key={toast.id} toast={toast} onDismiss={() => session.toasts.dismiss(toast.id)} />
      ))}
    </div>
  );
}

function Passing({ toast, onDismiss }: { toast: Toast; onDismiss: () => void }) {
  const element = useRef<HTMLDivElement>(null);
  useHeadingAsHeir(element);
  return (
    <div class={`toast ${toast.tone}`} ref={element}>
      <p>{toast.text}</p>
      <button type="button" class="round" aria-label={t('notice.dismiss')} onClick={onDismiss}>
        <Icon node={X} />
      </button>
    </div>
  );
}
