/** The result of a connection test as the room API takes it (`POST /v1/join/connection-tests/result`). */
export interface TestResult {
  browser?: BrowserResult;
  signalling?: SignallingResult;
  paths?: PathResult[];
  media?: MediaResult;
  devices?: DevicesResult;
}

/** Which browser, as coarsely as helps: never what it calls itself in full. */
export interface BrowserResult {
  name: 'chrome' | 'firefox' | 'safari' | 'edge' | 'other';
  version: number;
  os: 'android' | 'ios' | 'windows' | 'macos' | 'linux' | 'other';
  webrtc: boolean;
}

/** How the service itself is reached. */
export interface SignallingResult {
  https_rtt_ms: number | null;
  wss: boolean;
  wss_rtt_ms: number | null;
  /** Whether something between the browser and the service says that it passes requests on. */
  proxied: boolean | null;
}

/** Ways for sound and picture, the best first. */
export const PATHS = ['udp', 'turn_udp', 'turn_tcp', 'turn_tls'] as const;

/** A way for sound and picture: straight to the service, or through a relay by one of its protocols. */
export type PathName = (typeof PATHS)[number];

export type PathOutcome = 'ok' | 'slow' | 'blocked' | 'skipped';

export interface PathResult {
  name: PathName;
  port: number;
  outcome: PathOutcome;
  /** Until the first packet came back, in milliseconds. */
  connect_ms: number | null;
  ipv6: boolean | null;
}

export interface MediaResult {
  path: PathName;
  port: number;
  first_frame_ms: number | null;
  steps: MediaStep[];
}

/** What came through while so many kilobits a second were tried; losses from 0 to 1. */
export interface MediaStep {
  target_kbps: number;
  kbps_up: number;
  kbps_down: number;
  loss_up: number;
  loss_down: number;
  rtt_ms: number | null;
  jitter_ms: number | null;
}

export type MicrophoneResult = 'ok' | 'silent' | 'denied' | 'missing' | 'skipped';
export type CameraResult = 'ok' | 'black' | 'frozen' | 'denied' | 'missing' | 'skipped';
export type SpeakerResult = 'heard' | 'not_heard' | 'skipped';

export interface DevicesResult {
  microphone: MicrophoneResult;
  camera: CameraResult;
  speaker: SpeakerResult;
}

/** What a person can expect of a call from here. */
export const VERDICTS = ['video_good', 'video_low', 'audio_only', 'phone', 'impossible'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** One thing to do; `ports` are written as on the firewall sheet, for instance `10000/udp`. */
export interface Advice {
  code: string;
  ports: string[];
}

/** The service's judgement of a result. */
export interface Judgement {
  verdict: Verdict;
  reason: string;
  /** The most helpful first. */
  advice: Advice[];
}
