// What went wrong, in the reader's words: by code, and by what the details say of it.

import { ChattrixError } from "./chattrix.js";
import { text } from "./text.js";

/** @param {unknown} error */
export function faultText(error) {
  if (!(error instanceof ChattrixError)) return String(error);
  const about = error.details?.resource ?? error.details?.party;
  const seconds = error.retryAfter ?? 1;
  for (const key of [`error.${error.code}.${about}`, `error.${error.code}`]) {
    const words = text(key, { seconds });
    if (words !== key) return words;
  }
  const fields = Array.isArray(error.details)
    ? error.details.map((each) => each.message).join(" ")
    : "";
  return fields || error.message;
}
