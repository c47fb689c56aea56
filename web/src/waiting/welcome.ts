import { playChime, WELCOME } from '../devices/chime';
import { t } from '../i18n';
import { announce } from '../ui/live';

/** Says and sounds that the door is open; nobody waits for the sound, and browsers may refuse it. */
export function welcome(speakerId: string | null): void {
  announce(t('waiting.admitted'), { atOnce: true });
  void playChime(speakerId, WELCOME).catch(() => undefined);
}
