// How an incoming call makes itself heard and seen: a ring by Web Audio, and the title of the document.

import { onLanguage, text } from "./text.js";

const ringSeconds = 1;
const pauseMilliseconds = 3000;
const blinkMilliseconds = 1000;

/** @type {Map<string, { caller: string, callee: string }>} */
const ringing = new Map();
/** @type {AudioContext | null} */
let audio = null;
let isAloud = true;
/** @type {ReturnType<typeof setInterval> | undefined} */
let soundTimer;
/** @type {ReturnType<typeof setInterval> | undefined} */
let titleTimer;
let isTitleOn = false;

/** Two tones, a minor third apart, as short bursts. */
function ringOnce() {
  if (!isAloud || !ringing.size || !("AudioContext" in globalThis)) return;
  audio ??= new AudioContext();
  // Browsers keep a page silent until somebody has touched it; then it is heard from the next burst on.
  if (audio.state !== "running") return void audio.resume().catch(() => {});
  const start = audio.currentTime;
  const gain = audio.createGain();
  gain.connect(audio.destination);
  gain.gain.setValueAtTime(0, start);
  for (let burst = 0; burst < 4; burst++) {
    gain.gain.setTargetAtTime(0.08, start + burst * 0.25, 0.01);
    gain.gain.setTargetAtTime(0, start + burst * 0.25 + 0.16, 0.03);
  }
  for (const frequency of [660, 784]) {
    const tone = new OscillatorNode(audio, { frequency });
    tone.connect(gain);
    tone.start(start);
    tone.stop(start + ringSeconds + 0.2);
  }
}

function writeTitle() {
  const [call] = ringing.values();
  const shown = call && isTitleOn;
  document.title = shown
    ? `● ${text("call.incoming", { name: call.caller })} → ${call.callee}`
    : text("title");
}

/**
 * @param {string} userId Whose phone rings.
 * @param {string} caller Their names.
 * @param {string} callee
 */
export function startRinging(userId, caller, callee) {
  if (ringing.has(userId)) return;
  ringing.set(userId, { caller, callee });
  if (soundTimer) return;
  isTitleOn = true;
  writeTitle();
  ringOnce();
  soundTimer = setInterval(ringOnce, pauseMilliseconds);
  titleTimer = setInterval(() => {
    isTitleOn = !isTitleOn;
    writeTitle();
  }, blinkMilliseconds);
}

/** @param {string} userId */
export function stopRinging(userId) {
  if (!ringing.delete(userId) || ringing.size) return;
  clearInterval(soundTimer);
  clearInterval(titleTimer);
  soundTimer = undefined;
  writeTitle();
}

/** @param {boolean} aloud */
export function setAloud(aloud) {
  isAloud = aloud;
  if (aloud) ringOnce();
}

onLanguage(writeTitle);
