// The far side of chattrix.js as a test has it: sockets that say and lose what they are told to, and answers to
// requests. Timers are the test's, too (Playwright's clock).

// Bodies that are being read: in tasks of the browser's, which no clock holds.
let reading = 0;
const { text } = Response.prototype;
Response.prototype.text = async function () {
  reading++;
  try {
    return await text.call(this);
  } finally {
    reading--;
  }
};

// Until what follows from the last step has happened.
globalThis.settle = async () => {
  for (let task = 0; task < 20; task = reading ? 0 : task + 1)
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
};

globalThis.sockets = [];
globalThis.asked = [];
globalThis.answers = [];

globalThis.answer = (status, body, headers = {}) =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });

globalThis.refusal = (status, code, headers = {}) =>
  answer(status, { success: false, error: { code, message: code }, requestId: "r" }, headers);

// The next of `answers`, or a ticket.
globalThis.fetch = async (url, init) => {
  asked.push({ at: Date.now(), url: String(url), method: init.method, headers: init.headers });
  const next = answers.shift();
  if (next === "hang")
    return new Promise((_, reject) =>
      init.signal.addEventListener("abort", () => reject(new DOMException("aborted"))),
    );
  if (next === "lost") throw new TypeError("Failed to fetch");
  if (next === "cut")
    return new Response(
      new ReadableStream({
        start(stream) {
          stream.enqueue(new TextEncoder().encode('{"success":true,"da'));
          stream.error(new TypeError("network error"));
        },
      }),
    );
  return next ?? answer(200, { success: true, data: { ticket: `ticket-${asked.length}` } });
};

globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 1;
  sent = [];
  at = Date.now();

  constructor(url, protocols) {
    this.url = new URL(url);
    this.protocols = protocols;
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  say(type, data = {}, id = undefined) {
    this.onmessage({ data: JSON.stringify({ id, type, data, timestamp: "" }) });
  }

  greet(lastEventId = "0", others = {}) {
    this.say("connected", { userId: "u", heartbeatSeconds: 25, lastEventId, ...others });
  }

  cut(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
};

const { Chattrix, ChattrixError } = await import("/console/chattrix.js");
globalThis.Chattrix = Chattrix;
globalThis.states = [];
globalThis.frames = [];
globalThis.reasons = [];

globalThis.start = (options = {}) => {
  globalThis.client = new Chattrix({
    deviceId: "device",
    getToken: (reason) => {
      reasons.push(reason);
      return reason === "start" ? "first" : null;
    },
    ...options,
  });
  client.on("state", ({ state, retryAt, closeCode }) =>
    states.push([state, retryAt && retryAt - Date.now(), closeCode]),
  );
  client.on("frame", ({ id, type, replayed }) => frames.push([id ?? null, type, replayed]));
  client.connect();
};

// What becomes of a request, without waiting for it: the timers are the test's.
globalThis.outcomes = [];
globalThis.watch = (promise) => {
  const index = outcomes.push(null) - 1;
  promise.then(
    (value) => {
      outcomes[index] = { value };
    },
    (error) => {
      const { code, status, retryAfter } = error;
      outcomes[index] = { isOurs: error instanceof ChattrixError, code, status, retryAfter };
    },
  );
};
