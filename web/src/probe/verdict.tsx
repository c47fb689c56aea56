import { CircleCheck, CircleX, type IconNode, Phone, RefreshCw, Send, TriangleAlert, Volume2 } from 'lucide';
import { useState } from 'preact/hooks';
import type { Refusal } from '../api/refusal';
import { sayMoment, t } from '../i18n';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { Heading } from '../ui/page';
import { AgainButton, BackButton } from './buttons';
import { say } from './i18n';
import { LineList } from './line-list';
import { adviceOf, needsOthers, reasonOf } from './line-words';
import { linesOf } from './lines';
import { goToReport, ReportSection } from './report-section';
import type { Judgement, Verdict as VerdictCode } from './result';
import type { Stage, TestRun } from './run';

interface Ways {
  onAgain: () => void;
  onBack: (() => void) | null;
}

const ICONS: Record<VerdictCode, IconNode> = {
  video_good: CircleCheck,
  video_low: TriangleAlert,
  audio_only: Volume2,
  phone: Phone,
  impossible: CircleX,
};

/** What came of the test: one sentence, what to do, every check, and the report. */
export function Verdict({ run, judgement, onAgain, onBack }: Ways & { run: TestRun; judgement: Judgement }) {
  const { verdict } = judgement;
  const sentence = say(`verdict.${verdict}`);
  const advice = adviceOf(judgement, location.hostname);
  const needed = needsOthers(judgement);
  const [when] = useState(() => new Date());
  const progress = run.progress.value;
  const findings = {
    host: location.hostname,
    id: run.ticket?.id ?? null,
    when: sayMoment(when, new Date(0)),
    verdict: sentence,
    reason: reasonOf(judgement),
    advice,
    lines: linesOf(progress),
    result: progress.result,
  };
  return (
    <>
      <div class={`card probe-verdict ${verdict}`}>
        <Icon node={ICONS[verdict]} class="big-icon" />
        <Heading key="verdict">{sentence}</Heading>
        {findings.reason !== '' && <p>{findings.reason}</p>}
        {advice.length > 0 && (
          <section class="probe-advice" aria-labelledby="probe-advice">
            <h2 id="probe-advice">{say('advice.title')}</h2>
            <ul>
              {advice.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </section>
        )}
        <div class="actions">
          {needed && (
            <Button look="main" icon={Send} onClick={goToReport}>
              {say('report.title')}
            </Button>
          )}
          {onBack && <BackButton onBack={onBack} main={!needed} />}
          <AgainButton onAgain={onAgain} />
        </div>
        {!needed && !onBack && <p class="soft">{t('ended.close-page')}</p>}
      </div>
      {needed && <ReportSection findings={findings} />}
      <section class="card probe-tried" aria-labelledby="probe-lines">
        <h2 id="probe-lines">{say('lines.tried')}</h2>
        <LineList progress={progress} />
      </section>
      {!needed && <ReportSection findings={findings} />}
    </>
  );
}

type Trouble = Extract<Stage, { is: 'unsent' | 'refused' | 'stopped' }>;

/** Why there is no verdict, and the way to one. */
export function Troubled({ run, stage, onAgain, onBack }: Ways & { run: TestRun; stage: Trouble }) {
  const words = stage.is === 'refused' ? (`refused.${kindOf(stage.refusal)}` as const) : stage.is;
  const measured = stage.is === 'unsent';
  return (
    <>
      <div class="card">
        <Icon node={TriangleAlert} class="big-icon" />
        <Heading key={words}>{say(`${words}.title`)}</Heading>
        <p>{say(`${words}.text`)}</p>
        <div class="actions">
          {measured && (
            <Button look="main" icon={RefreshCw} onClick={() => void run.handIn()}>
              {say('unsent.send')}
            </Button>
          )}
          {stage.is === 'stopped' && <AgainButton onAgain={onAgain} />}
          {words !== 'refused.gone' && stage.is === 'refused' && (
            <Button icon={RefreshCw} onClick={onAgain}>
              {say('retry')}
            </Button>
          )}
          {onBack && <BackButton onBack={onBack} />}
        </div>
      </div>
      {measured && (
        <section class="card" aria-label={say('lines')}>
          <LineList progress={run.progress.value} />
        </section>
      )}
    </>
  );
}

/** What a refusal means to somebody who came for a test. */
function kindOf({ code }: Refusal): 'gone' | 'busy' | 'unreachable' | 'broken' {
  switch (code) {
    case 'unreachable':
    case 'broken':
      return code;
    case 'rate-limited':
    case 'draining':
    case 'full':
      return 'busy';
    default:
      return 'gone';
  }
}
