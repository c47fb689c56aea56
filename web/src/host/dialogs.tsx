import { PhoneOff, UserX } from 'lucide';
import { useCall } from '../call/view';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import type { Host } from './host';

/** Asks before somebody is removed, who cannot come back by themselves. */
export function RemoveDialog({ host, onClose }: { host: Host; onClose: () => void }) {
  const person = host.removing.value;
  if (!person) return null;
  const name = person.name || t('call.nameless');
  return (
    <Dialog title={t('host.remove-title', { name })} onClose={onClose}>
      <p>{t('host.remove-text')}</p>
      <Button
        icon={UserX}
        class="danger"
        onClick={() => {
          onClose();
          void host.ask('remove', { identity: person.identity });
        }}
      >
        {t('host.remove-yes')}
      </Button>
    </Dialog>
  );
}

/** Asks before the call ends for everybody, and offers to leave alone. */
export function EndDialog({ host, onClose }: { host: Host; onClose: () => void }) {
  const view = useCall();
  return (
    <Dialog title={t('host.end-title')} onClose={onClose}>
      <p>{t('host.end-text')}</p>
      <Button
        icon={PhoneOff}
        class="danger"
        onClick={() => {
          onClose();
          void host.ask('end');
        }}
      >
        {t('host.end-yes')}
      </Button>
      <Button onClick={() => void view.session.leave()}>{t('host.end-leave')}</Button>
    </Dialog>
  );
}
