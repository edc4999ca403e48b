// Agora's side of the Web SDK as a test has it: it notes who joins, and measures what it is told to.

const track = () => ({ play() {}, close() {} });

globalThis.AgoraRTC = {
  joined: [],
  left: 0,
  createMicrophoneAudioTrack: async () => track(),
  createMicrophoneAndCameraTracks: async () => [track(), track()],
  createClient() {
    return {
      on(event, listener) {
        const quality = { uplinkNetworkQuality: 3, downlinkNetworkQuality: 1 };
        if (event === "network-quality") listener(quality);
      },
      join: async (...access) => AgoraRTC.joined.push(access),
      publish: async () => {},
      getRTCStats: () => ({ RTT: 77 }),
      getRemoteAudioStats: () => ({ 1: { packetLossRate: 2.5 } }),
      renewToken: async () => {},
      async leave() {
        AgoraRTC.left += 1;
      },
    };
  },
};
