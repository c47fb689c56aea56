import { openAudioContext } from './audio-context';

/** Notes of the speaker test in hertz: a rising chord, told apart from any ring tone of the device. */
const NOTES = [523.25, 659.25, 783.99];

/** Two notes that fall: the door of the call is open. */
export const WELCOME: readonly number[] = [659.25, 523.25];

/** How long a browser may keep a sound back before it is given up, in milliseconds. */
const HELD_BACK = 2000;

/** Length of a note in seconds. */
const NOTE = 0.45;

/** Whether the page can choose the speaker; elsewhere the device decides. */
export function canChooseSpeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** Plays notes, one after the other, on a speaker (null is the device's own); resolves when they are over. */
export async function playChime(speakerId: string | null, notes: readonly number[] = NOTES): Promise<void> {
  const context = openAudioContext();
  if (!context) return;
  const element = new Audio();
  try {
    // Without a touch since the page was loaded, some browsers never answer.
    await Promise.race([context.resume(), new Promise((given) => setTimeout(given, HELD_BACK))]);
    if (context.state !== 'running') return;
    const output = context.createMediaStreamDestination();
    notes.forEach((hertz, index) => {
      playNote(context, output, hertz, context.currentTime + index * NOTE);
    });
    element.srcObject = output.stream;
    if (speakerId !== null && canChooseSpeaker()) await element.setSinkId(speakerId);
    await element.play();
    await new Promise((done) => setTimeout(done, (notes.length * NOTE + 0.3) * 1000));
  } finally {
    element.srcObject = null;
    await context.close().catch(() => undefined);
  }
}

function playNote(context: AudioContext, output: AudioNode, hertz: number, at: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.4, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE);
  tone.connect(volume).connect(output);
  tone.start(at);
  tone.stop(at + NOTE);
}
