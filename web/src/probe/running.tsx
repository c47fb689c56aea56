import { Mic, Volume2 } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { playChime } from '../devices/chime';
import { LevelMeter } from '../devices/meter';
import type { Preview } from '../devices/preview';
import { t } from '../i18n';
import { Mirror } from '../link/preview-box';
import { Button } from '../ui/button';
import { useHeadingAsHeir } from '../ui/focus';
import { LONG, useLasting } from '../ui/lasting';
import { Heading } from '../ui/page';
import { BackButton } from './buttons';
import { say } from './i18n';
import { LineList } from './line-list';
import type { Stage, TestRun } from './run';
import '../link/link.css';

type RunningStage = Extract<Stage, { is: 'running' | 'silent' | 'speaker' | 'sending' }>;

interface Props {
  run: TestRun;
  stage: RunningStage;
  onBack: (() => void) | null;
}

/** A test under way: what happens in one sentence, what it asks of the person, and every check in its line. */
export function Running({ run, stage, onBack }: Props) {
  return (
    <div class="card">
      <Heading>{say('title')}</Heading>
      <p role="status" class="probe-now">
        <strong>{wordsOf(stage)}</strong>
      </p>
      <Wanted run={run} stage={stage} />
      <LineList progress={run.progress.value} />
      {onBack && <BackButton onBack={onBack} />}
    </div>
  );
}

function wordsOf(stage: RunningStage): string {
  switch (stage.is) {
    case 'running':
      return say(`part.${stage.part}`);
    case 'silent':
      return say('silent.question');
    case 'speaker':
      return say('speaker.question');
    case 'sending':
      return say('part.sending');
  }
}

/** What the test needs of the person now. */
function Wanted({ run, stage }: { run: TestRun; stage: RunningStage }) {
  if (stage.is === 'silent') return <SilenceQuestion run={run} />;
  if (stage.is === 'speaker') return <SpeakerQuestion run={run} />;
  if (stage.is !== 'running') return null;
  if (stage.part === 'asking') return <Unanswered run={run} />;
  return stage.part === 'devices' ? <Captures captures={run.captures} /> : null;
}

function Captures({ captures }: { captures: Preview }) {
  const camera = captures.camera.value;
  const microphone = captures.microphone.value;
  return (
    <div class="probe-captures">
      {camera.is === 'on' && (
        <div class="probe-picture">
          <Mirror track={camera.track} />
        </div>
      )}
      <LevelMeter track={microphone.is === 'on' ? microphone.track : null} muted={false} />
    </div>
  );
}

/** Nobody has to answer the browser: the test goes on without, and says so in its result. */
function Unanswered({ run }: { run: TestRun }) {
  const long = useLasting(LONG);
  const part = useRef<HTMLDivElement>(null);
  useHeadingAsHeir(part);
  return (
    <>
      {long && <p>{t('devices.asking-unseen')}</p>}
      <div class="actions" ref={part}>
        <Button onClick={() => run.skipDevices()}>{say('asking.skip')}</Button>
      </div>
    </>
  );
}

function SilenceQuestion({ run }: { run: TestRun }) {
  const part = useRef<HTMLDivElement>(null);
  useHeadingAsHeir(part);
  useInSight(part);
  return (
    <div class="actions" ref={part}>
      <Button icon={Mic} onClick={() => run.answerSilence(true)}>
        {say('silent.again')}
      </Button>
      <Button onClick={() => run.answerSilence(false)}>{say('silent.go-on')}</Button>
    </div>
  );
}

/** Whoever reads further down must see that something is asked. */
function useInSight(part: { readonly current: HTMLElement | null }): void {
  useEffect(() => part.current?.scrollIntoView({ block: 'nearest' }), [part]);
}

function SpeakerQuestion({ run }: { run: TestRun }) {
  const playing = useRef(false);
  const play = async () => {
    if (playing.current) return;
    playing.current = true;
    await playChime(run.captures.speakerId.value).catch(() => undefined);
    playing.current = false;
  };
  const answers = useRef<HTMLDivElement>(null);
  useHeadingAsHeir(answers);
  useInSight(answers);
  useEffect(() => void play(), []);
  return (
    <div class="actions" ref={answers}>
      <Button class="probe-answer" onClick={() => run.answerSpeaker('heard')}>
        {say('speaker.yes')}
      </Button>
      <Button class="probe-answer" onClick={() => run.answerSpeaker('not_heard')}>
        {say('speaker.no')}
      </Button>
      <Button look="quiet" icon={Volume2} onClick={() => void play()}>
        {say('speaker.play')}
      </Button>
    </div>
  );
}
