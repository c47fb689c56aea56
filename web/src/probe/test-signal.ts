import { openAudioContext } from '../devices/audio-context';

/** Size and rate of the picture that is sent: what a call on a phone has. */
const WIDTH = 640;
const HEIGHT = 360;
const FRAMES = 25;

/** Pictures of noise, of which a piece is shown at random: drawing new noise for each frame is work for a phone. */
const NOISE_WIDTH = 1024;
const NOISE_HEIGHT = 576;

/** Sound and picture made up for a test: nobody is heard or seen before they have said that they may be. */
export class TestSignal {
  #context: AudioContext | null = null;
  #audio: MediaStreamTrack | null = null;
  #video: MediaStreamTrack | null = null;
  #drawing: ReturnType<typeof setInterval> | undefined;

  /**
   * The share of the picture that is noise, from 0 to 1; the rest stands still. A picture that cannot be sent in
   * the bits that it may take is made smaller by some browsers, and stays small when there are more.
   */
  noise = 1;

  /** A soft tone, null where the browser makes none; must first be asked for while the person presses a button. */
  get audio(): MediaStreamTrack | null {
    if (this.#audio) return this.#audio;
    const context = openAudioContext();
    if (!context) return null;
    this.#context = context;
    void context.resume().catch(() => undefined);
    const tone = context.createOscillator();
    tone.frequency.value = 330;
    const output = context.createMediaStreamDestination();
    tone.connect(output);
    tone.start();
    this.#audio = output.stream.getAudioTracks()[0] ?? null;
    return this.#audio;
  }

  /** Whether the tone sounds: browsers keep it back until the page has been touched. */
  get sounds(): boolean {
    return this.#context?.state === 'running';
  }

  /** Noise that moves, so that an encoder has as much to send as it may; null where a canvas has no stream. */
  get video(): MediaStreamTrack | null {
    if (this.#video) return this.#video;
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const pencil = canvas.getContext('2d');
    if (!pencil || typeof canvas.captureStream !== 'function') return null;
    const noise = noisyCanvas();
    const draw = () => {
      const x = Math.random() * (NOISE_WIDTH - WIDTH);
      const y = Math.random() * (NOISE_HEIGHT - HEIGHT);
      const height = Math.max(1, HEIGHT * this.noise);
      pencil.drawImage(noise, x, y, WIDTH, height, 0, 0, WIDTH, height);
    };
    draw();
    // Not with the screen's own rhythm, which stops when the person looks at another tab.
    this.#drawing = setInterval(draw, 1000 / FRAMES);
    this.#video = canvas.captureStream(FRAMES).getVideoTracks()[0] ?? null;
    return this.#video;
  }

  /** Ends both. */
  close(): void {
    clearInterval(this.#drawing);
    this.#audio?.stop();
    this.#video?.stop();
    void this.#context?.close().catch(() => undefined);
  }
}

function noisyCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = NOISE_WIDTH;
  canvas.height = NOISE_HEIGHT;
  const pencil = canvas.getContext('2d');
  if (!pencil) return canvas;
  const image = pencil.createImageData(NOISE_WIDTH, NOISE_HEIGHT);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    // Grey of middling contrast, opaque: full contrast cannot be sent in 150 kb/s at all.
    const grey = 96 + Math.floor(Math.random() * 64);
    pixels[i] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  pencil.putImageData(image, 0, 0);
  return canvas;
}
