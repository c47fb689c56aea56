import type { Mids, News, ProbeChannel } from './channel';
import { readSample, type Sample } from './figures';
import { BLOCKED } from './rules';
import type { Path } from './words';

/** How often a leg is looked at for its first packet, in milliseconds. */
const LOOK_EVERY = 50;

/** What is sent over a leg. */
export interface Sent {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
}

/** How the wait for an echo ended: after so many milliseconds, never, or nobody can say why there was none. */
export type Echo = { is: 'back'; ms: number } | { is: 'none' } | { is: 'unknown' };

/** What a picture may take at first: a path is shown to be open by little. */
const FIRST_KILOBITS = 150;

/** One path's peer connection: what it sends comes back from the service, which forwards it as in a call. */
export class Leg {
  /** Whether the service was reached over IPv6; null before it is reached. */
  ipv6: boolean | null = null;

  #name: string;
  #channel: ProbeChannel;
  #pc: RTCPeerConnection;
  #sending: { audio: RTCRtpTransceiver | null; video: RTCRtpTransceiver | null };
  #since = performance.now();
  #negotiating = false;
  #again = false;
  #answered = false;
  /** The network, or the service, will not let anything through any more. */
  #end: 'none' | 'unknown' | null = null;
  #closed = false;
  #sink: HTMLVideoElement | null = null;

  constructor(name: string, path: Path, channel: ProbeChannel, sent: Sent) {
    this.#name = name;
    this.#channel = channel;
    this.#pc = new RTCPeerConnection({
      iceServers: path.iceServers,
      iceTransportPolicy: path.policy,
      bundlePolicy: 'max-bundle',
    });
    this.#sending = {
      audio: sent.audio && this.#pc.addTransceiver(sent.audio, { direction: 'sendonly' }),
      video:
        sent.video &&
        this.#pc.addTransceiver(sent.video, {
          direction: 'sendonly',
          sendEncodings: [{ maxBitrate: FIRST_KILOBITS * 1000 }],
        }),
    };
    if (sent.audio) this.#pc.addTransceiver('audio', { direction: 'recvonly' });
    if (sent.video) this.#pc.addTransceiver('video', { direction: 'recvonly' });
    this.#pc.ontrack = ({ track }) => this.#watch(track);
    this.#pc.onconnectionstatechange = () => {
      if (this.#pc.connectionState === 'failed') this.#end ??= 'none';
    };
    channel.listen(name, (news) => this.#hear(news));
  }

  /** Connects, and waits for the first packet that comes back. */
  async echo(): Promise<Echo> {
    return this.#until((sample) => sample.packetsDown > 0);
  }

  /** Waits for the first picture of which something can be seen; in milliseconds since the leg began. */
  async firstPicture(): Promise<number | null> {
    const seen = await this.#until((sample) => sample.framesDown > 0);
    return seen.is === 'back' ? seen.ms : null;
  }

  /** Begins to connect. */
  start(): void {
    this.#since = performance.now();
    void this.allow(FIRST_KILOBITS).then(() => this.#negotiate());
  }

  /** What was moved so far. */
  async sample(): Promise<Sample> {
    const report = await this.#pc.getStats();
    const stats: Record<string, unknown>[] = [];
    report.forEach((stat) => {
      stats.push(stat);
    });
    return readSample(stats, performance.now());
  }

  /** Lets the picture take this many kilobits a second. */
  async allow(kilobits: number): Promise<void> {
    const sender = this.#sending.video?.sender;
    const parameters = sender?.getParameters();
    if (!sender || !parameters?.encodings?.[0]) return;
    parameters.encodings[0].maxBitrate = kilobits * 1000;
    // A picture that was made smaller when there were few bits would not fill the many that follow.
    parameters.degradationPreference = 'maintain-resolution';
    // A browser that will not is measured at the rate that it takes.
    await sender.setParameters(parameters).catch(() => undefined);
  }

  /** Ends it at both ends. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.hangUp(this.#name);
    this.#pc.close();
    if (this.#sink) this.#sink.srcObject = null;
  }

  async #until(enough: (sample: Sample) => boolean): Promise<Echo> {
    while (!this.#closed && performance.now() - this.#since < BLOCKED) {
      if (enough(await this.sample())) {
        return { is: 'back', ms: Math.round(performance.now() - this.#since) };
      }
      if (this.#end) return { is: this.#end };
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
    // Without an answer the path was not tried: the service was slow, or its channel is.
    return { is: this.#closed || !this.#answered ? 'unknown' : 'none' };
  }

  #hear(news: News): void {
    switch (news.type) {
      case 'offer_wanted':
        void this.#negotiate();
        break;
      case 'connected':
        this.ipv6 = news.ipv6;
        break;
      case 'failed':
        this.#end ??= 'none';
        break;
      case 'error':
        this.#end ??= 'unknown';
        break;
    }
  }

  /** Offers until the service wants no further offer. */
  async #negotiate(): Promise<void> {
    this.#again = true;
    if (this.#negotiating) return;
    this.#negotiating = true;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#pc.setLocalDescription(await this.#pc.createOffer());
        const answer = await this.#channel.offer(
          this.#name,
          this.#pc.localDescription?.sdp ?? '',
          this.#mids(),
        );
        if (answer === null) throw new Error('no answer');
        this.#answered = true;
        await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer });
      }
    } catch {
      this.#end ??= 'unknown';
    } finally {
      this.#negotiating = false;
    }
  }

  #mids(): Mids {
    const { audio, video } = this.#sending;
    return { audio: audio?.mid ?? null, video: video?.mid ?? null };
  }

  /** Some browsers decode only what somebody looks at. */
  #watch(track: MediaStreamTrack): void {
    if (track.kind !== 'video') return;
    this.#sink = document.createElement('video');
    this.#sink.muted = true;
    this.#sink.playsInline = true;
    this.#sink.srcObject = new MediaStream([track]);
    void this.#sink.play().catch(() => undefined);
  }
}
