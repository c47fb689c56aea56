import { signal } from '@preact/signals';

/** Whether the call fills the screen. */
export const fullScreen = signal(document.fullscreenElement !== null);

document.addEventListener('fullscreenchange', () => {
  fullScreen.value = document.fullscreenElement !== null;
});

/** Whether pages may fill the screen here; on an iPhone they may not. */
export const mayFillScreen = document.fullscreenEnabled === true;

/** Fills the screen with the call, or gives it back. */
export async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // The browser refused: the call stays as large as it was.
  }
}
