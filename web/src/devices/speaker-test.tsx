import { Volume2 } from 'lucide';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { playChime } from './chime';

/** A button that plays three notes, and what to do when none was heard. */
export function SpeakerTest({ speakerId }: { speakerId: string | null }) {
  const [stage, setStage] = useState<'ready' | 'playing' | 'played'>('ready');
  const play = async () => {
    setStage('playing');
    await playChime(speakerId).catch(() => undefined);
    setStage('played');
  };
  return (
    <div class="speaker-test">
      <Button icon={Volume2} disabled={stage === 'playing'} onClick={() => void play()}>
        {t('devices.test-speaker')}
      </Button>
      <p role="status" class="soft">
        {stage === 'playing' && t('devices.test-playing')}
        {stage === 'played' && t('devices.test-nothing')}
      </p>
    </div>
  );
}
