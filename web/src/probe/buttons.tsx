import { ArrowLeft, RefreshCw } from 'lucide';
import { Button } from '../ui/button';
import { say } from './i18n';

/** Leads back to the call, its waiting room or its door. */
export function BackButton({ onBack, main = false }: { onBack: () => void; main?: boolean }) {
  return (
    <Button look={main ? 'main' : 'plain'} icon={ArrowLeft} onClick={onBack}>
      {say('back')}
    </Button>
  );
}

/** Does the whole test once more. */
export function AgainButton({ onAgain }: { onAgain: () => void }) {
  return (
    <Button icon={RefreshCw} onClick={onAgain}>
      {say('again')}
    </Button>
  );
}
