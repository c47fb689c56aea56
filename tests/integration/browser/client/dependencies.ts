/** The dependency descriptor: livekit-client has Chromium offer it; here it can be left out. */

const URI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

interface Extension {
  uri: string;
  direction: RTCRtpTransceiverDirection;
}

/** What WebRTC Extensions adds to a transceiver, section 5.2. */
interface Transceiver extends RTCRtpTransceiver {
  getHeaderExtensionsToNegotiate(): Extension[];
  setHeaderExtensionsToNegotiate(extensions: Extension[]): void;
  getNegotiatedHeaderExtensions(): Extension[];
}

const connections = new Set<RTCPeerConnection>();

/** Offers it from now on in every section that has pictures, or in none. */
export function offerDependencies(on: boolean): void {
  const plain = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (this: RTCPeerConnection, ...options: unknown[]) {
    connections.add(this);
    for (const transceiver of pictures(this)) {
      const extensions = transceiver.getHeaderExtensionsToNegotiate();
      for (const extension of extensions) if (extension.uri === URI) extension.direction = on ? "sendrecv" : "stopped";
      transceiver.setHeaderExtensionsToNegotiate(extensions);
    }
    return Reflect.apply(plain, this, options);
  } as typeof plain;
}

/** Whether a section that receives pictures has it. */
export function receivesDependencies(): boolean {
  return [...connections].flatMap(pictures).some((transceiver) =>
    transceiver.getNegotiatedHeaderExtensions().some(({ uri, direction }) => uri === URI && direction !== "stopped"),
  );
}

function pictures(connection: RTCPeerConnection): Transceiver[] {
  const all = connection.getTransceivers() as Transceiver[];
  return all.filter(({ receiver }) => receiver.track.kind === "video");
}
