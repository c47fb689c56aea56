import { EndedPage } from '../ended/ended';
import { LinkPage } from '../link/link';
import { OpeningPage, RefusedPage, UnsupportedPage } from '../notices/notices';
import { StartPage } from '../start/start';
import { LiveRegions } from '../ui/live';
import { WaitingPage } from '../waiting/waiting';
import { screen } from './screen';

/** The whole page: one screen at a time, and the places that screen readers listen to. */
export function App() {
  return (
    <>
      <CurrentScreen />
      <LiveRegions />
    </>
  );
}

function CurrentScreen() {
  const now = screen.value;
  switch (now.is) {
    case 'start':
      return <StartPage />;
    case 'unsupported':
      return <UnsupportedPage obstacle={now.obstacle} />;
    case 'opening':
      return <OpeningPage />;
    case 'refused':
      return <RefusedPage key={now.refusal.code} refusal={now.refusal} nextTry={now.nextTry} />;
    case 'link':
      return <LinkPage visit={now.visit} />;
    case 'waiting':
      return <WaitingPage visit={now.visit} line={now.line} captures={now.captures} />;
    case 'test':
      return <now.Test {...now.props} />;
    case 'call':
      return <now.Call {...now.props} />;
    case 'ended':
      return <EndedPage visit={now.visit} ending={now.ending} />;
  }
}
