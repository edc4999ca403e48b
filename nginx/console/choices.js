// The reader's choices, kept in this browser: language, colours, whether it rings aloud.

import { find } from "./dom.js";
import { preferredLanguage, setLanguage } from "./text.js";

/** @param {string} theme `auto`, `light` or `dark`. */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/**
 * @param {ParentNode} root Has a `select` for each choice that it offers, and perhaps a box for the sound.
 * @param {(aloud: boolean) => void} [setAloud]
 */
export function bindChoices(root, setAloud) {
  const language = find(root, "#language");
  language.value = preferredLanguage();
  setLanguage(language.value);
  language.addEventListener("change", () => {
    localStorage.setItem("chattrix.language", language.value);
    setLanguage(language.value);
  });

  const theme = find(root, "#theme");
  theme.value = localStorage.getItem("chattrix.theme") ?? "auto";
  setTheme(theme.value);
  theme.addEventListener("change", () => {
    localStorage.setItem("chattrix.theme", theme.value);
    setTheme(theme.value);
  });

  const sound = /** @type {HTMLInputElement | null} */ (root.querySelector("#sound"));
  if (!sound || !setAloud) return;
  sound.checked = localStorage.getItem("chattrix.sound") !== "off";
  setAloud(sound.checked);
  sound.addEventListener("change", () => {
    localStorage.setItem("chattrix.sound", sound.checked ? "on" : "off");
    setAloud(sound.checked);
  });
}
