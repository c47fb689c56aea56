import { t } from '../i18n';
import { familyOf } from './support';
import { adviceFor, type What, whyOf } from './trouble';

/** What went wrong with a device and the way out in this browser, in two sentences. */
export function troubleWords(what: What, error: unknown): string {
  const family = familyOf(navigator.userAgent, navigator.maxTouchPoints);
  const advice = adviceFor(what, whyOf(error), family);
  return `${t(advice.title)}. ${t(advice.text)}`;
}
