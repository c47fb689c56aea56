import { RefreshCw } from 'lucide';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { BlockedPicture } from './blocked-picture';
import { familyOf } from './support';
import { adviceFor, type What, type Why } from './trouble';

interface Props {
  what: What;
  why: Why;
  onRetry: () => void;
  children?: ComponentChildren;
}

/** What stands in the way of the camera or the microphone, in plain words, with the way out and a picture of it. */
export function DeviceAdvice({ what, why, onRetry, children }: Props) {
  const family = familyOf(navigator.userAgent, navigator.maxTouchPoints);
  const advice = adviceFor(what, why, family);
  return (
    <Notice
      tone="warning"
      title={t(advice.title)}
      actions={
        <Button icon={RefreshCw} onClick={onRetry}>
          {t('devices.retry')}
        </Button>
      }
    >
      <p>{t(advice.text)}</p>
      {why === 'refused' && <BlockedPicture family={family} />}
      {children}
    </Notice>
  );
}
