// One phone of the console: a user's client, what it knows of the user's calls, and the panels that show
// it. It survives a reload: the tab keeps the device's name and the newest event, the server the call.

import { Availability, Badge } from "./availability.js";
import { CallModel, isOver } from "./call-model.js";
import { CallSession } from "./call-session.js";
import { ChattrixError } from "./chattrix.js";
import { h, setLabel, toneOf } from "./dom.js";
import { HistoryPanel } from "./history-panel.js";
import { LinkStatus } from "./link-status.js";
import { LogPanel } from "./log-panel.js";
import { LoggedClient } from "./logged-client.js";
import { LoginPanel } from "./login-panel.js";
import { startRinging, stopRinging } from "./ring.js";
import { signInForm } from "./sign-in.js";
import { Stage } from "./stage.js";
import { StatisticsPanel } from "./statistics-panel.js";
import { tabs } from "./tabs.js";
import { text } from "./text.js";

/** @typedef {import("./sign-in.js").User} User */
/** @typedef {import("./stage.js").Peer} Peer */

/** The statuses in which a participant is in the channel. */
const talking = new Set(["connecting", "connected"]);
const badgePollMilliseconds = 10_000;

export class Phone {
  #user;
  #renew;
  #store;
  #peer;
  #log = new LogPanel();
  #login = new LoginPanel();
  #client;
  #model;
  #stage;
  #history;
  #statistics;
  #availability;
  #badge;
  #tabs;
  #form = h("div", { class: "sign-in-place" });
  #link = new LinkStatus(() => this.#client.hurry());
  /** @type {Peer | null} */
  #pending = null;
  /** @type {CallSession | null} */
  #session = null;
  /** @type {ReturnType<typeof setInterval>[]} */
  #timers = [];
  element;

  /**
   * @param {object} options
   * @param {User} options.user
   * @param {((reason: string) => Promise<string | null>) | null} options.renew Another token of the demo; null
   *   where only the reader has one.
   * @param {{ get: () => any, set: (values: object) => void }} options.store What survives a reload.
   * @param {() => Peer | null} options.peer Who can be called: the user of the other phone.
   * @param {() => void} options.signOut
   */
  constructor({ user, renew, store, peer, signOut }) {
    this.#user = user;
    this.#renew = renew;
    this.#store = store;
    this.#peer = peer;
    const kept = store.get();
    const isSame = kept.userId === user.id;
    this.#client = new LoggedClient(
      {
        getToken: (reason) => this.#token(reason),
        deviceId: isSame ? kept.deviceId : undefined,
        lastEventId: isSame ? (kept.lastEventId ?? null) : null,
      },
      this.#log,
    );
    store.set({ userId: user.id, deviceId: this.#client.deviceId });
    this.#model = new CallModel(user.id);
    this.#stage = new Stage({
      call: (to, type) => this.#call(to, type),
      accept: () => this.#answer((callId) => this.#client.accept(callId), "connecting"),
      reject: (reason) =>
        this.#answer((callId) => this.#client.reject(callId, reason), "rejected", reason),
      end: () => this.#end(),
      retry: () => this.#session?.start(),
    });
    this.#history = new HistoryPanel(this.#client, (to, type) => this.#call(to, type));
    this.#statistics = new StatisticsPanel(this.#client);
    this.#availability = new Availability(this.#client, (error) => this.#stage.notify(error));
    this.#badge = new Badge(this.#client);
    this.#tabs = tabs(
      [
        { name: "activity", key: "tab.activity", panel: this.#log.element },
        {
          name: "history",
          key: "tab.history",
          panel: this.#history.element,
          opened: () => this.#look(),
        },
        {
          name: "statistics",
          key: "tab.statistics",
          panel: this.#statistics.element,
          opened: () => this.#statistics.opened(),
        },
        {
          name: "login",
          key: "tab.login",
          panel: this.#login.element,
          opened: () => this.#login.tick(),
        },
      ],
      "tabs",
    );
    this.#tabs.button("history").append(this.#badge.element);
    this.element = this.#build(signOut);
    this.#listen();
  }

  get user() {
    return this.#user;
  }

  /** @param {() => void} signOut */
  #build(signOut) {
    const { id, name } = this.#user;
    const element = h(
      "article",
      { class: "phone", "data-user": id },
      h(
        "header",
        { class: "phone-head" },
        h(
          "span",
          { class: "avatar small", "data-tone": toneOf(id), "aria-hidden": "true" },
          name.slice(0, 1).toUpperCase(),
        ),
        h("div", { class: "who" }, h("h2", {}, name), this.#link.element),
        this.#availability.element,
        h("button", { type: "button", class: "quiet", text: "signin.out", onclick: signOut }),
      ),
      this.#form,
      this.#stage.element,
      this.#tabs.list,
      this.#log.element,
      this.#history.element,
      this.#statistics.element,
      this.#login.element,
    );
    setLabel(element, "phone", { name });
    return element;
  }

  #listen() {
    this.#client.on("state", (change) => this.#linked(change));
    this.#client.on("frame", (frame) => this.#received(frame));
    this.#client.on("authenticated", () => this.#login.show(this.#user.token, this.#client));
  }

  start() {
    this.show();
    this.#client.connect();
    this.#timers = [
      setInterval(() => this.#tick(), 250),
      setInterval(
        () => this.#availability.isDisturbable || this.#badge.load(),
        badgePollMilliseconds,
      ),
    ];
  }

  stop() {
    this.#timers.forEach(clearInterval);
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
    this.#login.show(user.token, this.#client);
    this.#client.useToken(user.token);
  }

  // The connection.

  /** @param {import("./chattrix.js").StateChange} change */
  #linked(change) {
    const { state, closeCode } = change;
    this.element.dataset.state = state;
    this.#link.show(change);
    this.#log.add("state", text(`state.${state}`), { note: closeCode ? String(closeCode) : "" });
    const form = signInForm(this.#user, (user) => this.#signedIn(user));
    this.#form.replaceChildren(...(state === "signed-out" ? [form] : []));
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
    this.#login.show(this.#user.token, this.#client);
    this.#availability.load();
    if (activeCall) this.#model.adopt(activeCall);
    const { current } = this.#model;
    if (current && !isOver(current) && current.callId !== activeCall?.callId)
      this.#lookUp(current.callId);
    if (resync) this.#touch();
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
    this.#pending = peer;
    this.#stage.notify(null);
    this.show();
    try {
      const call = await this.#client.initiate(peer.id, callType, { joinIncoming: true });
      this.#pending = null;
      this.#model.adopt(call);
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
    this.#touch();
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
      this.#model.merge(callId, { status, endReason, channelId: answer.channelId });
    } catch (error) {
      this.#stage.notify(error);
      await this.#lookUp(callId);
    }
    this.show();
  }

  async #end() {
    const callId = this.#model.current?.callId;
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
    this.#stage.show(call, this.#pending, this.#peer());
    if (!call) return;
    const isIncoming =
      !isOver(call) &&
      !call.isOutgoing &&
      !talking.has(call.status) &&
      call.status !== "disconnecting";
    if (isIncoming)
      startRinging(this.#user.id, call.peerName ?? call.peerId ?? "", this.#user.name);
    else stopRinging(this.#user.id);
    if (talking.has(call.status)) this.#join(call);
    else if (this.#session) this.#leave();
    if (isOver(call) && this.element.dataset.shown !== call.callId) this.#touch();
    this.element.dataset.shown = isOver(call) ? call.callId : "";
  }

  /** @param {import("./call-model.js").Call} call */
  #join(call) {
    if (this.#session?.callId === call.callId) return;
    this.#leave();
    const session = new CallSession(this.#client, call, this.#stage.pictures, (what) => {
      if (session.fault) this.#stage.offerRetry(session.fault);
      if (what === "token") this.#login.showAgora(session);
      if (what === "media") this.#stage.showMedia(session);
      if (what === "sample") this.#stage.showSample(session);
    });
    this.#session = session;
    this.#stage.showMedia(session);
    session.start().then(() => {
      if (session.fault || this.#session !== session) return;
      this.#model.merge(call.callId, { status: "connected", startTime: new Date().toISOString() });
      this.show();
    });
  }

  #leave() {
    this.#session?.stop();
    this.#session = null;
    this.#login.showAgora(null);
  }

  /** History and statistics have changed. */
  #touch() {
    this.#history.touch(this.#tabs.isOpen("history"));
    this.#statistics.touch(this.#tabs.isOpen("statistics"));
    if (this.#tabs.isOpen("history")) this.#badge.load().then(() => this.#badge.seen());
    else this.#badge.load();
  }

  #look() {
    this.#history.opened();
    this.#badge.seen();
  }

  #tick() {
    this.#stage.tick();
    this.#login.tick();
    this.#link.tick();
  }
}
