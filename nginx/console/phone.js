// One phone of the console: a user's client, what it knows of the user's calls, and the panels that show
// it. It survives a reload: the tab keeps the device's name and the newest event, the server the call.

import { Availability } from "./availability.js";
import { CallModel, isOver } from "./call-model.js";
import { CallSession } from "./call-session.js";
import { ChattrixError } from "./chattrix.js";
import { h, initialOf, setLabel, toneOf } from "./dom.js";
import { LinkStatus } from "./link-status.js";
import { LogPanel } from "./log-panel.js";
import { LoggedClient } from "./logged-client.js";
import { Panels } from "./panels.js";
import { startRinging, stopRinging } from "./ring.js";
import { signInForm } from "./sign-in.js";
import { Stage } from "./stage.js";
import { text } from "./text.js";

/** @typedef {import("./sign-in.js").User} User */
/** @typedef {import("./stage.js").Peer} Peer */

/** The statuses in which a participant is in the channel. */
const talking = new Set(["connecting", "connected"]);
/** How much of the screen the reader must see to notice a call there. */
const visibleShare = 0.6;
/** Of what no event tells this device. */
const pollMilliseconds = 5_000;

export class Phone {
  #user;
  #renew;
  #store;
  #peer;
  #log = new LogPanel();
  #client;
  #model;
  #stage;
  #panels;
  #availability;
  #form = h("div", { class: "sign-in-place" });
  #screen = h("div", { class: "screen" });
  /** @type {IntersectionObserver | undefined} */
  #sight;
  #link = new LinkStatus(() => this.#client.hurry());
  /**
   * Who is being called, while the server has not answered yet.
   * @type {(Peer & { isCancelled?: boolean }) | null}
   */
  #pending = null;
  /** @type {CallSession | null} */
  #session = null;
  /** The call that history and statistics have been told of. */
  #counted = "";
  /** @type {ReturnType<typeof setInterval>[]} */
  #timers = [];
  element;

  /**
   * @param {object} options
   * @param {User} options.user
   * @param {((reason: string) => Promise<string | null>) | null} options.renew Another token of the demo; null
   *   where only the reader has one.
   * @param {string} options.deviceId
   * @param {{ get: () => any, set: (values: object) => void }} options.store What survives a reload.
   * @param {() => Peer | null} options.peer Who can be called: the user of the other phone.
   * @param {() => void} options.signOut
   */
  constructor({ user, renew, deviceId, store, peer, signOut }) {
    this.#user = user;
    this.#renew = renew;
    this.#store = store;
    this.#peer = peer;
    const kept = store.get();
    const lastEventId = kept.userId === user.id ? (kept.lastEventId ?? null) : null;
    this.#client = new LoggedClient(
      { getToken: (reason) => this.#token(reason), deviceId, lastEventId },
      this.#log,
    );
    store.set({ userId: user.id, deviceId });
    this.#model = new CallModel(user.id);
    this.#stage = new Stage(user.name, {
      call: (to, type) => this.#call(to, type),
      accept: () => this.#answer((callId) => this.#client.accept(callId), "connecting"),
      reject: (reason) =>
        this.#answer((callId) => this.#client.reject(callId, reason), "rejected", reason),
      end: () => this.#end(),
      retry: () => this.#session && this.#begin(this.#session),
      takeOver: () => this.#takeOver(),
    });
    this.#panels = new Panels(this.#client, this.#log, (to, type) => this.#call(to, type));
    this.#availability = new Availability(this.#client, (error) => this.#stage.notify(error));
    this.element = this.#build(signOut);
    this.#listen();
  }

  get user() {
    return this.#user;
  }

  /** @param {() => void} signOut */
  #build(signOut) {
    const { id, name } = this.#user;
    this.#screen.append(this.#stage.element);
    const element = h(
      "article",
      { class: "phone", "data-user": id },
      h(
        "header",
        { class: "phone-head" },
        h(
          "span",
          { class: "avatar small", "data-tone": toneOf(id), "aria-hidden": "true" },
          initialOf(name),
        ),
        h("div", { class: "who" }, h("h2", {}, name), this.#link.element),
        this.#availability.element,
        h("button", { type: "button", class: "quiet", text: "signin.out", onclick: signOut }),
      ),
      this.#form,
      this.#screen,
      ...this.#panels.elements,
    );
    setLabel(element, "phone", { name });
    // Where the phones are one above the other, a call comes to where the reader is.
    this.#sight = new IntersectionObserver(
      ([{ intersectionRatio }]) =>
        element.toggleAttribute("data-away", intersectionRatio < visibleShare),
      { threshold: visibleShare },
    );
    this.#sight.observe(this.#screen);
    return element;
  }

  #listen() {
    this.#client.on("state", (change) => this.#linked(change));
    this.#client.on("frame", (frame) => this.#received(frame));
    this.#client.on("authenticated", () => this.#panels.login.show(this.#user.token, this.#client));
  }

  start() {
    this.show();
    this.#client.connect();
    this.#timers = [
      setInterval(() => this.#tick(), 250),
      setInterval(() => this.#poll(), pollMilliseconds),
    ];
  }

  stop() {
    this.#timers.forEach(clearInterval);
    this.#sight?.disconnect();
    this.#leave();
    this.#client.disconnect();
    stopRinging(this.#user.id);
  }

  // The login.

  /**
   * @param {string} reason
   * @returns {Promise<string | null>}
   */
  async #token(reason) {
    if (reason === "start") return this.#user.token;
    const token = (await this.#renew?.(reason)) ?? null;
    if (token) this.#user = { ...this.#user, token };
    return token;
  }

  /** @param {User} user The same one, with a fresh token. */
  #signedIn(user) {
    this.#user = user;
    this.#store.set({ token: user.token });
    this.#panels.login.show(user.token, this.#client);
    this.#client.useToken(user.token);
  }

  // The connection.

  /** @param {import("./chattrix.js").StateChange} change */
  #linked(change) {
    const { state, closeCode } = change;
    this.element.dataset.state = state;
    this.#link.show(change);
    this.#log.add("state", text(`state.${state}`), { note: closeCode ? String(closeCode) : "" });
    this.#form.replaceChildren();
    if (state === "signed-out")
      this.#form.append(signInForm(this.#user, (user) => this.#signedIn(user)));
  }

  /** @param {import("./chattrix.js").Frame} frame */
  #received(frame) {
    const { type, id, data, replayed } = frame;
    if (type !== "heartbeat.ack")
      this.#log.add(replayed ? "replayed" : "received", type, {
        note: id ? `#${id}` : "",
        content: data,
      });
    this.#store.set({ lastEventId: this.#client.lastEventId });
    if (type === "connected") this.#greeted(data);
    if (type === "call_quality_warning" && data.callId === this.#session?.callId)
      this.#stage.warn(data.networkQuality);
    this.#model.take(frame);
    this.show();
  }

  /** @param {any} data Of `connected`. */
  #greeted({ activeCall, resync }) {
    this.#panels.login.show(this.#user.token, this.#client);
    this.#availability.load();
    if (activeCall) this.#resume(activeCall);
    const { current } = this.#model;
    if (current && !isOver(current) && current.callId !== activeCall?.callId)
      this.#lookUp(current.callId);
    if (resync) this.#panels.touch();
  }

  /**
   * The call that the server has the user in. One that is not known from before a reload of this tab is
   * another device's, unless it rings here.
   * @param {any} call
   */
  #resume(call) {
    this.#model.adopt(call);
    const rings = call.calleeId === this.#user.id && !talking.has(call.status);
    if (!rings && this.#store.get().callId !== call.callId) this.#model.elsewhere.add(call.callId);
  }

  #takeOver() {
    const callId = this.#model.current?.callId ?? "";
    this.#model.elsewhere.delete(callId);
    this.#store.set({ callId });
    this.show();
  }

  /**
   * What became of a call while the phone was away, should no event tell.
   * @param {string} callId
   */
  async #lookUp(callId) {
    await this.#client.call(callId).then(
      (call) => this.#model.adopt(call),
      () => {},
    );
    this.show();
  }

  // Calls.

  /**
   * @param {Peer} peer
   * @param {"audio" | "video"} callType
   */
  async #call(peer, callType) {
    const { current } = this.#model;
    if (this.#pending || (current && !isOver(current))) return;
    this.#model.dismiss();
    this.#pending = { ...peer };
    this.#stage.notify(null);
    this.show();
    try {
      const call = await this.#client.initiate(peer.id, callType, { joinIncoming: true });
      const { isCancelled } = this.#pending;
      this.#pending = null;
      this.#store.set({ callId: call.callId });
      this.#model.adopt(call);
      if (isCancelled) return this.#end();
      if (call.joined) this.#stage.notify(null, "call.joined");
    } catch (error) {
      this.#pending = null;
      this.#refused(error, peer);
    }
    this.show();
  }

  /**
   * @param {unknown} error
   * @param {Peer} peer
   */
  #refused(error, peer) {
    const isAnswer = error instanceof ChattrixError && error.details?.party === "callee";
    if (!isAnswer) return this.#stage.notify(error);
    const endReason = error.code === "USER_UNAVAILABLE" ? "unavailable" : "busy";
    const call = { peerId: peer.id, peerName: peer.name, isOutgoing: true };
    this.#model.current = { callId: "", status: "rejected", endReason, ...call };
    this.#panels.touch();
  }

  /**
   * @param {(callId: string) => Promise<any>} send
   * @param {string} status
   * @param {string} [endReason]
   */
  async #answer(send, status, endReason) {
    const callId = this.#model.current?.callId ?? "";
    try {
      const answer = await send(callId);
      this.#store.set({ callId });
      this.#model.merge(callId, { status, endReason, channelId: answer.channelId });
    } catch (error) {
      this.#stage.notify(error);
      await this.#lookUp(callId);
    }
    this.show();
  }

  async #end() {
    const callId = this.#model.current?.callId;
    if (this.#pending) {
      this.#pending.isCancelled = true;
      return this.show();
    }
    if (!callId) return;
    this.#leave();
    try {
      const { status, endReason, durationSeconds } = await this.#client.end(callId);
      this.#model.merge(callId, { status, endReason, durationSeconds });
    } catch (error) {
      this.#stage.notify(error);
    }
    this.show();
  }

  // What follows from the state of the call.

  show() {
    const call = this.#model.current;
    const isElsewhere = call !== null && this.#model.elsewhere.has(call.callId);
    this.#stage.show(call, this.#pending, this.#peer(), isElsewhere);
    if (!call) return;
    const isIncoming =
      !isOver(call) &&
      !call.isOutgoing &&
      !talking.has(call.status) &&
      call.status !== "disconnecting";
    if (isIncoming)
      startRinging(this.#user.id, call.peerName ?? call.peerId ?? "", this.#user.name);
    else stopRinging(this.#user.id);
    if (talking.has(call.status) && !isElsewhere) this.#join(call);
    else if (this.#session) this.#leave();
    if (isOver(call) && this.#counted !== call.callId) this.#panels.touch();
    this.#counted = isOver(call) ? call.callId : "";
  }

  /** @param {import("./call-model.js").Call} call */
  #join(call) {
    if (this.#session?.callId === call.callId) return;
    this.#leave();
    const session = new CallSession(this.#client, call, this.#stage.pictures, (what) => {
      if (what === "token") this.#stage.offerRetry(session.fault);
      if (what === "token") this.#panels.login.showAgora(session);
      if (what === "media") this.#stage.showMedia(session);
      if (what === "sample") this.#stage.showSample(session);
      if (what === "over") this.#lookUp(session.callId);
    });
    this.#session = session;
    this.#stage.showMedia(session);
    this.#begin(session);
  }

  /** @param {CallSession} session */
  async #begin(session) {
    await session.start();
    if (session.fault || this.#session !== session) return;
    const startTime = new Date().toISOString();
    this.#model.merge(session.callId, { status: "connected", startTime });
    this.show();
  }

  #leave() {
    this.#session?.stop();
    this.#session = null;
    this.#panels.login.showAgora(null);
  }

  /** Calls that a user who is not to be disturbed has missed, and the end of another device's call. */
  #poll() {
    const { current, elsewhere } = this.#model;
    if (!this.#availability.isDisturbable) this.#panels.badge.load();
    if (current && !isOver(current) && elsewhere.has(current.callId)) this.#lookUp(current.callId);
  }

  #tick() {
    this.#stage.tick();
    this.#panels.login.tick();
    this.#link.tick();
  }
}
