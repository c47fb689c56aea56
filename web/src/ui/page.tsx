import { Globe, ShieldCheck } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { language, speak, t } from '../i18n';
import { Button } from './button';
import { Icon } from './icon';
import { Mark } from './mark';

/** The frame of every page outside the call: name, language, content, and for pages of one card the privacy line. */
export function Page({ children, narrow = true }: { children: ComponentChildren; narrow?: boolean }) {
  return (
    <div class="page">
      <header class="page-head">
        <span class="name">
          <Mark />
          {t('app.name')}
        </span>
        <LanguageSwitch />
      </header>
      <main class={`page-body ${narrow ? 'one-card' : ''}`}>{children}</main>
      {narrow && (
        <footer class="page-foot">
          <Privacy />
        </footer>
      )}
    </div>
  );
}

/** The promise that every first screen makes; a screen that has no footer shows it where the person looks. */
export function Privacy() {
  return (
    <p class="privacy">
      <Icon node={ShieldCheck} />
      {t('app.privacy')}
    </p>
  );
}

function LanguageSwitch() {
  const other = language.value === 'fr' ? 'en' : 'fr';
  return (
    <Button look="quiet" icon={Globe} lang={other} onClick={() => speak(other)}>
      {t('app.other-language')}
    </Button>
  );
}

let firstScreen = true;

/**
 * The heading of a screen and the title of the window.
 *
 * It takes the focus when the screen changes, so that a keyboard or a screen reader starts at the top of what
 * is new; on the first screen the browser has done that already.
 */
export function Heading({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (firstScreen) firstScreen = false;
    else heading.current?.focus();
  }, []);
  useEffect(() => {
    document.title = `${children} – ${t('app.name')}`;
  }, [children]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
