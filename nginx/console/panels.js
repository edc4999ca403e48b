// What a phone shows below its screen: activity, history with the badge beside its name, statistics, login.

import { Badge } from "./availability.js";
import { HistoryPanel } from "./history-panel.js";
import { LoginPanel } from "./login-panel.js";
import { StatisticsPanel } from "./statistics-panel.js";
import { tabs } from "./tabs.js";

export class Panels {
  #log;
  #history;
  #statistics;
  #tabs;
  login = new LoginPanel();
  badge;

  /**
   * @param {import("./chattrix.js").Chattrix} client
   * @param {import("./log-panel.js").LogPanel} log
   * @param {(peer: { id: string, name: string }, callType: any) => void} callBack
   */
  constructor(client, log, callBack) {
    this.#log = log;
    this.#history = new HistoryPanel(client, callBack);
    this.#statistics = new StatisticsPanel(client);
    this.badge = new Badge(client);
    this.#tabs = tabs(
      [
        this.#tab("activity", log),
        this.#tab("history", this.#history, () => this.#look()),
        this.#tab("statistics", this.#statistics, () => this.#statistics.opened()),
        this.#tab("login", this.login, () => this.login.tick()),
      ],
      "tabs",
    );
    this.#tabs.button("history").append(this.badge.element);
  }

  /**
   * @param {string} name
   * @param {{ element: HTMLElement }} panel
   * @param {() => void} [opened]
   */
  #tab(name, { element }, opened) {
    return { name, key: `tab.${name}`, panel: element, opened };
  }

  get elements() {
    const panels = [this.#log, this.#history, this.#statistics, this.login];
    return [this.#tabs.list, ...panels.map(({ element }) => element)];
  }

  /** The user has looked at the history. */
  #look() {
    this.#history.opened();
    this.badge.seen();
  }

  /** History and statistics have changed. */
  async touch() {
    this.#history.touch(this.#tabs.isOpen("history"));
    this.#statistics.touch(this.#tabs.isOpen("statistics"));
    await this.badge.load();
    if (this.#tabs.isOpen("history")) await this.badge.seen();
  }
}
