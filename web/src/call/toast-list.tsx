import { X } from 'lucide';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { useCall } from './view';

/** Passing words over the faces; the live regions have read them out already. */
export function ToastList() {
  const { session } = useCall();
  return (
    <div class="toasts">
      {session.toasts.shown.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <p>{toast.text}</p>
          <button
            type="button"
            class="round"
            aria-label={t('notice.dismiss')}
            onClick={() => session.toasts.dismiss(toast.id)}
          >
            <Icon node={X} />
          </button>
        </div>
      ))}
    </div>
  );
}
