import { t } from '../i18n';
import { Patience } from '../ui/patience';

/** Between the click and the first connection. */
export function Connecting() {
  return (
    <div class="call-center">
      <Patience now={t('call.connecting')} slow={t('call.connecting-slow')} />
    </div>
  );
}
