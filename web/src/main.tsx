import { render } from 'preact';
import './ui/tokens.css';
import './ui/base.css';
import { App } from './app/app';
import { begin } from './app/visit';
import { followTheme } from './ui/theme';

followTheme();
const place = document.getElementById('app');
if (place) {
  // The words for browsers in which this line is never reached.
  place.textContent = '';
  render(<App />, place);
}
begin();
