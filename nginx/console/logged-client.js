// The client of a phone, which writes each request into the phone's log.

import { Chattrix, ChattrixError } from "./chattrix.js";

export class LoggedClient extends Chattrix {
  #log;

  /**
   * @param {import("./chattrix.js").Options} options
   * @param {import("./log-panel.js").LogPanel} log
   */
  constructor(options, log) {
    super(options);
    this.#log = log;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, options) {
    const started = performance.now();
    const title = `${method} ${path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, (id) => `…${id.slice(-6)}`)}`;
    const note = () => `${Math.round(performance.now() - started)} ms`;
    try {
      const data = await super.request(method, path, options);
      this.#log.add("sent", title, { note: note(), content: data });
      return data;
    } catch (error) {
      if (error instanceof ChattrixError) {
        const { code, status, details, requestId } = error;
        const content = { code, message: error.message, details, requestId };
        this.#log.add("sent", title, {
          note: `${status || ""} ${code}`,
          isFault: true,
          content,
        });
      }
      throw error;
    }
  }
}
