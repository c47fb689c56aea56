import { Activity } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { keepAwake } from '../call/wake-lock';
import type { Preview } from '../devices/preview';
import { Button } from '../ui/button';
import { useReturnFocus } from '../ui/focus';
import { Icon } from '../ui/icon';
import { Heading, Page } from '../ui/page';
import type { Credential } from './api';
import { BackButton } from './buttons';
import { say } from './i18n';
import { TestRun } from './run';
import { Running } from './running';
import { Troubled, Verdict } from './verdict';
import './probe.css';

export interface TestProps {
  credential: Credential;
  /** Captures to try that are open already; null has the test open its own. */
  captures: Preview | null;
  /** Leads back to where the person came from; null where they came for the test alone. */
  onBack: (() => void) | null;
}

/** The connection test: what it is, how it goes, and what came of it. */
export function TestScreen({ credential, captures, onBack }: TestProps) {
  const [run, setRun] = useState(() => new TestRun(credential, captures));
  useReturnFocus();
  useEffect(() => {
    const sleepy = keepAwake();
    return () => {
      sleepy();
      run.stop();
    };
  }, [run]);
  const again = () => setRun(new TestRun(credential, captures, run.ticket));
  return (
    <Page>
      <div class="probe">
        <Current run={run} onAgain={again} onBack={onBack} />
      </div>
    </Page>
  );
}

interface CurrentProps {
  run: TestRun;
  onAgain: () => void;
  onBack: (() => void) | null;
}

function Current({ run, onAgain, onBack }: CurrentProps) {
  const stage = run.stage.value;
  switch (stage.is) {
    case 'ready':
      return <Introduction onStart={() => void run.start()} onBack={onBack} />;
    case 'running':
    case 'silent':
    case 'speaker':
    case 'sending':
      return <Running run={run} stage={stage} onBack={onBack} />;
    case 'judged':
      return <Verdict run={run} judgement={stage.judgement} onAgain={onAgain} onBack={onBack} />;
    default:
      return <Troubled run={run} stage={stage} onAgain={onAgain} onBack={onBack} />;
  }
}

function Introduction({ onStart, onBack }: { onStart: () => void; onBack: (() => void) | null }) {
  return (
    <div class="card">
      <Icon node={Activity} class="big-icon" />
      <Heading>{say('title')}</Heading>
      <p>{say('intro.what')}</p>
      <p class="soft">{say('intro.devices')}</p>
      <Button look="main" onClick={onStart}>
        {say('start')}
      </Button>
      {onBack && <BackButton onBack={onBack} />}
    </div>
  );
}
