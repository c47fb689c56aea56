"""Scripts that run before the page does: they make its browser an older one, or an observable one."""

REMEMBER_CAPTURES = """
window.captures = [];
for (const way of ['getUserMedia', 'getDisplayMedia']) {
  const ask = navigator.mediaDevices[way].bind(navigator.mediaDevices);
  navigator.mediaDevices[way] = async (...wanted) => {
    const stream = await ask(...wanted);
    window.captures.push(...stream.getTracks());
    return stream;
  };
}
void 0;  // a script that ends in a function is called by Playwright
"""
"""Keeps every track that the browser ever gave, in `captures`; may also be evaluated in a running page."""

UNANSWERED_QUESTION = """
navigator.mediaDevices.getUserMedia = () => new Promise(() => undefined);
"""
"""A person who does not see the browser's question."""

TALKING = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  for (const beeping of stream.getAudioTracks()) {
    const context = new AudioContext();
    const voice = new OscillatorNode(context, {frequency: 220});
    const output = context.createMediaStreamDestination();
    voice.connect(output);
    voice.start();
    stream.removeTrack(beeping);
    stream.addTrack(output.stream.getAudioTracks()[0]);
  }
  return stream;
};
"""
"""Someone who talks without a pause: the beeps of the test microphone are too short to count as speech."""

SILENT_MICROPHONE = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  for (const beeping of stream.getAudioTracks()) {
    stream.removeTrack(beeping);
    stream.addTrack(new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]);
  }
  return stream;
};
"""
"""A microphone that is switched off by a button of its own."""

NO_PEER_CONNECTIONS = """
delete window.RTCPeerConnection;
"""
"""A browser without WebRTC."""

OLD_LANGUAGE = """
delete Object.hasOwn;
"""
"""A browser with WebRTC that is too old for the code of the call."""

NO_SOUND_GRAPHS = """
delete window.AudioContext;
delete window.webkitAudioContext;
"""
"""A browser that plays sound but cannot work on it."""

NOT_SECURE = """
Object.defineProperty(window, 'isSecureContext', {value: false});
"""
"""An address without https."""

SOUND_ON_REQUEST = """
const play = HTMLMediaElement.prototype.play;
window.silenced = true;
HTMLMediaElement.prototype.play = function () {
  if (window.silenced && this.tagName === 'AUDIO') {
    return Promise.reject(new DOMException('', 'NotAllowedError'));
  }
  return play.call(this);
};
"""
"""A browser that plays no sound until `silenced` is false."""

NO_CAMERA = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (wanted.video) throw new DOMException('', 'NotAllowedError');
  return ask(wanted);
};
"""
"""A person who allows the microphone and refuses the camera."""

NO_WAY_FOR_MEDIA = """
const accept = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({type, sdp}) {
  const elsewhere = sdp.replace(/^(a=candidate:(?:\\S+ ){5})\\d+/gm, (_, start) => `${start}9`);
  return accept.call(this, {type, sdp: elsewhere});
};
"""
"""A network in which no packet reaches the port for media."""
