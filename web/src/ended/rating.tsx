import { useRef, useState } from 'preact/hooks';
import { rate } from '../api/join';
import type { Visit } from '../app/screen';
import { personOf } from '../app/visit';
import { t } from '../i18n';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { asksWhy, REASONS, type Reason, SCORES, type Score } from './reasons';

/** One question about the call, and after it why, in words to touch. */
export function Rating({ visit }: { visit: Visit }) {
  const [score, setScore] = useState<Score | null>(null);
  const [reasons, setReasons] = useState<ReadonlySet<Reason>>(new Set());
  const [sending, setSending] = useState<'no' | 'now' | 'failed' | 'done'>('no');
  const underWay = useRef(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (score === null || underWay.current) return;
    underWay.current = true;
    setSending('now');
    const why = asksWhy(score) ? [...reasons] : [];
    const outcome = await rate({ ...personOf(visit), score, reasons: why });
    underWay.current = false;
    setSending(outcome.ok ? 'done' : 'failed');
  };
  return (
    <div class="rating">
      {sending !== 'done' && (
        <form class="rating-form" onSubmit={(event) => void submit(event)}>
          <Scores score={score} onChoose={setScore} />
          {asksWhy(score) && <Reasons chosen={reasons} onChoose={setReasons} />}
          {score !== null && (
            <Button type="submit" disabled={sending === 'now'}>
              {t(sending === 'now' ? 'rating.sending' : 'rating.send')}
            </Button>
          )}
        </form>
      )}
      <div role="status">
        {sending === 'done' && <p>{t('rating.thanks')}</p>}
        {sending === 'failed' && <Notice tone="warning">{t('rating.failed')}</Notice>}
      </div>
    </div>
  );
}

function Scores({ score, onChoose }: { score: Score | null; onChoose: (score: Score) => void }) {
  return (
    <fieldset>
      <legend>{t('rating.question')}</legend>
      <div class="rating-scores">
        {SCORES.map((one) => (
          <label key={one} class="chip">
            <input type="radio" name="score" checked={score === one} onChange={() => onChoose(one)} />
            <span>
              <span class="rating-number">{one}</span>
              <span class="rating-word">{t(`rating.score-${one}`)}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface ReasonsProps {
  chosen: ReadonlySet<Reason>;
  onChoose: (chosen: ReadonlySet<Reason>) => void;
}

function Reasons({ chosen, onChoose }: ReasonsProps) {
  const toggle = (reason: Reason) => {
    const next = new Set(chosen);
    if (!next.delete(reason)) next.add(reason);
    onChoose(next);
  };
  return (
    <fieldset>
      <legend>{t('rating.why')}</legend>
      <div class="rating-reasons">
        {REASONS.map((reason) => (
          <label key={reason} class="chip">
            <input type="checkbox" checked={chosen.has(reason)} onChange={() => toggle(reason)} />
            <span>{t(`rating.reason.${reason}`)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
