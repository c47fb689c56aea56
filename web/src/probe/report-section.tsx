import { ClipboardCopy, Download, FileText, Printer } from 'lucide';
import { useState } from 'preact/hooks';
import { Button } from '../ui/button';
import { announce } from '../ui/live';
import { say } from './i18n';
import { csvOf, type Findings, rowsOf, textOf } from './report';

/** The report for those who can open ports: to copy, to keep as a table, or to print. */
export function ReportSection({ findings }: { findings: Findings }) {
  const [copied, setCopied] = useState(false);
  const [shown, setShown] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(textOf(findings));
      setCopied(true);
      announce(say('report.copied'));
    } catch {
      // Some browsers forbid it: there the report is shown, to be selected by hand.
      setShown(true);
    }
  };
  return (
    <section class="card probe-report" aria-labelledby="probe-report">
      <h2 id="probe-report" tabIndex={-1}>
        {say('report.title')}
      </h2>
      <p>{say('report.what')}</p>
      <div class="actions">
        <Button icon={ClipboardCopy} onClick={() => void copy()}>
          {say('report.copy')}
        </Button>
        <Button icon={Download} onClick={() => download(csvOf(findings), findings.id)}>
          {say('report.download')}
        </Button>
        <Button icon={Printer} onClick={() => window.print()}>
          {say('report.print')}
        </Button>
        <Button look="quiet" icon={FileText} aria-expanded={shown} onClick={() => setShown(!shown)}>
          {say('report.show')}
        </Button>
      </div>
      {copied && <p class="soft">{say('report.copied')}</p>}
      <Report findings={findings} shown={shown} />
    </section>
  );
}

/** Always there for the printer. */
function Report({ findings, shown }: { findings: Findings; shown: boolean }) {
  return (
    <div class={`probe-sheet ${shown ? 'shown' : ''}`}>
      <p>
        <strong>{say('report.heading', { service: findings.host })}</strong>
        <br />
        {say('fact', { name: say('report.when'), value: findings.when })}
        {findings.id !== null && (
          <>
            <br />
            {say('fact', { name: say('report.id'), value: findings.id })}
          </>
        )}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">{say('report.column.check')}</th>
            <th scope="col">{say('report.column.outcome')}</th>
          </tr>
        </thead>
        <tbody>
          {rowsOf(findings).map(({ check, outcome, detail }) => (
            <tr key={`${check} ${outcome} ${detail}`}>
              <th scope="row">{check}</th>
              <td>{[outcome, detail].filter((text) => text !== '').join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Brings whoever has to hand the report on to it. */
export function goToReport(): void {
  const heading = document.getElementById('probe-report');
  heading?.focus();
  heading?.scrollIntoView();
}

function download(csv: string, id: string | null): void {
  // The mark says UTF-8 to spreadsheets that would guess.
  const file = URL.createObjectURL(new Blob(['\ufeff', csv], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = file;
  link.download = `${id ?? 'connection-test'}.csv`;
  link.click();
  // Not at once: some browsers begin to read it only later.
  setTimeout(() => URL.revokeObjectURL(file), 10_000);
}
