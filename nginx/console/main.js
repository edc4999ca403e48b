// The console: two phones, the users of the demo where the stack has one, and the reader's choices.

import { adopt, find, h, setLabel } from "./dom.js";
import { bindChoices } from "./choices.js";
import { Phone } from "./phone.js";
import { setAloud } from "./ring.js";
import { signInForm } from "./sign-in.js";
import { deviceOfTab } from "./tab-device.js";
import { decodeJWT } from "./token.js";

/** @typedef {import("./sign-in.js").User} User */

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The users of a demo (Tests/Stack/demo.sh), with tokens that are soon replaced by others.
 * @returns {Promise<User[]>} None on a server that is no demo.
 */
async function demoUsers() {
  const response = await fetch("./demo.json", { cache: "no-store" }).catch(() => null);
  return response?.ok ? (await response.json()).users : [];
}

/** @param {number} number */
const storeOf = (number) => {
  const name = `chattrix.phone.${number}`;
  const get = () => JSON.parse(sessionStorage.getItem(name) ?? "{}");
  return {
    get,
    /** @param {object} values */
    set: (values) => sessionStorage.setItem(name, JSON.stringify({ ...get(), ...values })),
    clear: () => sessionStorage.removeItem(name),
  };
};

class Place {
  #store;
  #other;
  #deviceId = "";
  /** @type {Phone | null} */
  phone = null;
  element = h("div", { class: "place" });

  /**
   * @param {number} number
   * @param {() => Place} other
   */
  constructor(number, other) {
    this.#store = storeOf(number);
    this.#other = other;
  }

  /** @param {User | undefined} demo */
  async open(demo) {
    this.#deviceId = await deviceOfTab(this.#store);
    const { userId, name, token } = this.#store.get();
    if (token && decodeJWT(token)) this.#use({ id: userId, name, token }, null);
    else if (demo)
      this.#use(
        demo,
        async () => (await demoUsers()).find(({ id }) => id === demo.id)?.token ?? null,
      );
    else this.#ask();
  }

  #ask() {
    const card = h(
      "article",
      { class: "phone empty-phone" },
      signInForm(null, (user) => this.#signedIn(user)),
    );
    setLabel(card, "phone.empty");
    this.element.replaceChildren(card);
  }

  /** @param {User} user */
  #signedIn(user) {
    this.#use(user, null);
    this.#store.set(user);
    this.#other().phone?.show();
  }

  /**
   * @param {User} user
   * @param {((reason: string) => Promise<string | null>) | null} renew
   */
  #use(user, renew) {
    const peer = () => {
      const other = this.#other().phone?.user;
      return other && other.id !== user.id ? { id: other.id, name: other.name } : null;
    };
    this.phone = new Phone({
      user,
      renew,
      deviceId: this.#deviceId,
      store: this.#store,
      peer,
      signOut: () => this.#signOut(),
    });
    this.element.replaceChildren(this.phone.element);
    this.phone.start();
  }

  #signOut() {
    this.phone?.stop();
    this.phone = null;
    this.#store.clear();
    this.#ask();
    this.#other().phone?.show();
  }
}

async function start() {
  adopt(document);
  // The operator's view is there for the host itself, by a tunnel too.
  find(document, "#operator").hidden = !loopback.has(location.hostname);
  bindChoices(document, setAloud);
  /** @type {Place[]} */
  const places = [];
  places.push(new Place(0, () => places[1]), new Place(1, () => places[0]));
  find(document, "#phones").append(...places.map(({ element }) => element));
  const users = await demoUsers();
  await Promise.all(places.map((place, index) => place.open(users[index])));
  for (const { phone } of places) phone?.show();
}

start();
