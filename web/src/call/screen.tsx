import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { CallProps } from '../app/screen';
import { watchDevices } from '../devices/list';
import { HostPanel } from '../host/panel';
import { callOnScreen } from '../ui/theme';
import { AudioOut } from './audio-out';
import { Bar } from './bar';
import { ChatPanel } from './chat-panel';
import { Connecting } from './connecting';
import { Dialogs } from './dialogs';
import { PeoplePanel } from './people-panel';
import { Stage } from './stage';
import { StateNotices } from './state-notices';
import { ToastList } from './toast-list';
import { TopBar } from './top-bar';
import { useShortcuts } from './use-shortcuts';
import { CallView, ViewContext } from './view';
import { keepAwake } from './wake-lock';
import './call.css';
import './stage.css';
import './panels.css';

/** The call: faces, the bar of controls, and what slides in beside them. */
export function CallScreen(props: CallProps) {
  const view = useMemo(() => new CallView(props), []);
  useEffect(() => {
    callOnScreen.value = true;
    const stops = [watchDevices(), keepAwake()];
    view.start();
    return () => {
      callOnScreen.value = false;
      for (const stop of stops) stop();
      view.close();
    };
  }, [view]);
  useShortcuts(view);
  useHeadingAfterHosting(view);
  const panel = view.panel.value;
  const connecting = view.session.phase.value === 'connecting';
  return (
    <ViewContext.Provider value={view}>
      <div class={`call ${panel ? 'with-panel' : ''} ${panel === 'host' ? 'with-host' : ''}`}>
        <TopBar />
        <main class="call-main">
          <StateNotices />
          <div class="call-faces">
            {connecting ? <Connecting /> : <Stage />}
            <ToastList />
          </div>
        </main>
        {panel === 'chat' && <ChatPanel />}
        {panel === 'people' && <PeoplePanel />}
        {panel === 'host' && view.host && <HostPanel host={view.host} />}
        <Bar />
        <AudioOut />
        <Dialogs />
      </div>
    </ViewContext.Provider>
  );
}

/** Gives the focus to the heading where it was on something that only hosts have, and this person is none any more. */
function useHeadingAfterHosting(view: CallView): void {
  const hosting = view.host !== null;
  const before = useRef(hosting);
  useEffect(() => {
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (before.current && !hosting && lost) document.querySelector('h1')?.focus();
    before.current = hosting;
  }, [hosting]);
}
