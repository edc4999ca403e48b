// Where a token is pasted: the first one of a phone without a user, or a fresh one of a user whose login
// has ended.

import { find, h, setText } from "./dom.js";
import { decodeJWT } from "./token.js";

/** @typedef {{ id: string, name: string, token: string }} User */

let count = 0;

/**
 * @param {User | null} user Whose login has ended; null for anybody.
 * @param {(user: User) => void} signedIn
 */
export function signInForm(user, signedIn) {
  const hint = h("p", { class: "hint", id: `sign-in-${++count}` });
  if (user) setText(hint, "signin.ended", { name: user.name });
  else setText(hint, "signin.hint");
  const fault = h("p", { class: "notice", role: "alert", hidden: true });
  const token = h("textarea", {
    rows: 3,
    required: true,
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": hint.id,
    name: "token",
  });
  const name = h("input", { type: "text", maxlength: 64, autocomplete: "off", name: "name" });
  const form = h(
    "form",
    { class: "sign-in", onsubmit: submit },
    h(user ? "h3" : "h2", { text: "signin.title" }),
    hint,
    h("label", { class: "field wide" }, h("span", { text: "signin.token" }), token),
    user ? null : h("label", { class: "field wide" }, h("span", { text: "signin.name" }), name),
    fault,
    h("button", { class: "primary", text: user ? "signin.renew" : "signin.do" }),
  );

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const text = token.value.trim();
    const id = decodeJWT(text)?.claims.sub;
    if (id === undefined || (user && String(id) !== user.id)) {
      fault.hidden = false;
      setText(fault, "signin.invalid");
      return find(form, "textarea").focus();
    }
    signedIn({
      id: String(id),
      name: user?.name ?? (name.value.trim() || String(id)),
      token: text,
    });
  }

  return form;
}
