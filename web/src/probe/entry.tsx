import { Activity } from 'lucide';
import type { ComponentChildren, FunctionComponent } from 'preact';
import { useState } from 'preact/hooks';
import type { Preview } from '../devices/preview';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { loadTest } from './load';
import type { TestProps } from './test-screen';

/** The button that leads to the test; whoever shows it says what pressing it does. */
export function TestButton({ onClick, disabled = false }: { onClick: () => void; disabled?: boolean }) {
  return (
    <Button look="quiet" icon={Activity} disabled={disabled} onClick={onClick}>
      {t('probe.open')}
    </Button>
  );
}

interface Testing {
  /** The test in place of the screen that offers it; null while nobody tests. */
  test: ComponentChildren;
  button: ComponentChildren;
}

/** Offers the test on a screen that stays as it is meanwhile, with the captures that it has. */
export function useConnectionTest(link: string, captures: Preview): Testing {
  const [Test, setTest] = useState<FunctionComponent<TestProps> | null>(null);
  const [state, setState] = useState<'closed' | 'loading' | 'failed'>('closed');
  const open = async () => {
    setState('loading');
    try {
      const { TestScreen } = await loadTest();
      setTest(() => TestScreen);
      setState('closed');
    } catch {
      setState('failed');
    }
  };
  return {
    test: Test && <Test credential={{ link }} captures={captures} onBack={() => setTest(null)} />,
    button: (
      <div>
        <TestButton disabled={state === 'loading'} onClick={() => void open()} />
        <p role="status">{state === 'failed' && t('probe.unavailable')}</p>
      </div>
    ),
  };
}
