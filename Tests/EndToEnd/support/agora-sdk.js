// Agora's side of the Web SDK as a test has it: it notes who joins, measures what it is told to, and fails where the
// test wants that. The SDK itself is Agora's and is not to be had from a package registry.

const track = () => ({
  isClosed: false,
  play: (place) => place?.append("picture"),
  close() {
    this.isClosed = true;
  },
});

globalThis.AgoraRTC = {
  joined: [],
  renewed: [],
  tracks: [],
  clients: [],
  left: 0,
  /** Messages of the next errors. */
  refusals: [],
  silences: [],
  /** What joining waits for. */
  gate: Promise.resolve(),
  createMicrophoneAudioTrack: async () => (await AgoraRTC.createMicrophoneAndCameraTracks())[0],
  async createMicrophoneAndCameraTracks() {
    const silence = AgoraRTC.silences.shift();
    if (silence) throw new Error(silence);
    const tracks = [track(), track()];
    AgoraRTC.tracks.push(...tracks);
    return tracks;
  },
  createClient() {
    const listeners = {};
    const client = {
      on(event, listener) {
        listeners[event] = listener;
        const quality = { uplinkNetworkQuality: 3, downlinkNetworkQuality: 1 };
        if (event === "network-quality") listener(quality);
      },
      emit: (event, ...values) => listeners[event](...values),
      async join(...access) {
        await AgoraRTC.gate;
        const refusal = AgoraRTC.refusals.shift();
        if (refusal) throw new Error(refusal);
        AgoraRTC.joined.push(access);
      },
      publish: async () => {},
      async subscribe(user) {
        user.videoTrack = user.audioTrack = track();
      },
      getRTCStats: () => ({ RTT: 77 }),
      getRemoteAudioStats: () => ({ 1: { packetLossRate: 2.5 } }),
      renewToken: async (token) => void AgoraRTC.renewed.push(token),
      async leave() {
        AgoraRTC.left += 1;
      },
    };
    AgoraRTC.clients.push(client);
    return client;
  },
};
