// The line to the desk: a WebSocket, or long polling where none comes through; docs/protocol.md says what goes over it.
// It keeps trying by itself. Whoever makes one is told of frames (`heard`) and of "connecting", "live" and "lost".

const SILENCE = 20_000; // after which something is said
const DEAD = 45_000; // after which the line is given up
const GREETING = 10_000; // within which a welcome has to come
// By how it ended. 4401: another tab, in which they have signed in or out, is to have its answer before we ask who we are.
const PAUSES = { 1012: 5000, 4401: 4000 };
const SOCKET_AGAIN = 300_000; // after which a WebSocket is tried once more

export class Line {
  constructor({ hello, heard, changed }) {
    Object.assign(this, { hello, heard, changed });
    this.tries = 0;
    this.failures = 0; // WebSockets in a row that never said anything
    this.asked = new Map(); // command id → {resolve, reject}
    this.count = 0;
    this.wanted = false;
    this.way = null; // {send, close} of the connection there is
    this.state = "resting";
    addEventListener("online", () => this.hurry());
    addEventListener("pageshow", (event) => event.persisted && this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  start() {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  // The same from the beginning, as somebody else.
  anew() {
    clearTimeout(this.retry);
    this.drop();
    if (this.wanted) this.connect();
  }

  rest() {
    this.wanted = false;
    clearTimeout(this.retry);
    this.drop();
    this.become("resting");
  }

  // Now instead of after the pause; and where the line has been silent, a look whether it still lives.
  hurry() {
    if (!this.wanted) return;
    if (!this.way) {
      clearTimeout(this.retry);
      this.connect();
    } else if (this.state === "live" && Date.now() - this.last > SILENCE / 2) {
      this.ask({ type: "ping" }, 5000);
    }
  }

  send(frame) {
    this.way?.send(frame);
    this.beat();
  }

  // → the answer. Rejected with the problem, or with null when the line broke before one came.
  command(name, request = {}, client_id = undefined) {
    if (this.state !== "live") return Promise.reject(null);
    const id = `c${++this.count}`;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.send({ type: "command", id, name, request, client_id });
    });
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.changed(state);
  }

  connect() {
    if (this.way) return;
    this.become("connecting");
    const poll = this.failures >= 2 && Date.now() < this.pollUntil;
    if (!poll) this.failures = Math.min(1, this.failures);
    const way = (this.way = poll ? poller() : socket());
    this.greeted = false;
    way.opened = () => this.way === way && way.send({ type: "hello", ...this.hello() });
    way.quiet = () => this.way === way && this.expect(DEAD);
    way.came = (frame) => this.way === way && this.came(frame);
    way.over = (code) => this.way === way && this.over(code);
    this.expect(GREETING);
    way.start();
  }

  came(frame) {
    this.expect(DEAD);
    const { type } = frame;
    if (type === "ping") this.send({ type: "pong" });
    if (type === "ping" || type === "pong") return;
    if (type === "welcome") {
      this.greeted = true;
      if (this.way.isSocket) this.failures = 0;
    }
    if (type === "closing") return this.over(frame.code);
    const waiting = this.asked.get(frame.id);
    if (waiting && (type === "answer" || type === "error")) {
      this.asked.delete(frame.id);
      return type === "answer" ? waiting.resolve(frame.answer) : waiting.reject(frame.problem);
    }
    this.heard(frame);
    if (type === "snapshot_required") this.send({ type: "snapshot" });
    if (type === "live") {
      this.tries = 0;
      this.become("live");
      this.beat();
    }
  }

  over(code) {
    const { isSocket } = this.way ?? {};
    let pause = PAUSES[code] ?? Math.min(30, 2 ** this.tries++) * 1000;
    pause *= code === 1012 ? Math.random() : 0.5 + Math.random() / 2;
    if (!this.greeted && isSocket && ++this.failures >= 2) {
      this.pollUntil = Date.now() + SOCKET_AGAIN;
      pause = 0;
    } else if (!this.greeted && !isSocket) {
      this.failures = 1; // nothing at all comes through: begin with a WebSocket when something does again
    }
    this.drop();
    this.become("lost");
    if (code !== 4403 && this.wanted) this.retry = setTimeout(() => this.connect(), pause);
  }

  drop() {
    clearTimeout(this.patience);
    clearTimeout(this.pulse);
    const way = this.way;
    this.way = null;
    way?.close();
    for (const { reject } of this.asked.values()) reject(null);
    this.asked.clear();
  }

  ask(frame, within) {
    this.send(frame);
    this.expect(within);
  }

  expect(within) {
    this.last = Date.now();
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.over(), within);
  }

  beat() {
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => this.send({ type: "ping" }), SILENCE);
  }
}

function socket() {
  let it;
  const way = {
    isSocket: true,
    start() {
      try {
        it = new WebSocket(`${location.origin.replace("http", "ws")}/live`);
      } catch {
        return setTimeout(() => way.over());
      }
      it.onopen = () => way.opened();
      it.onmessage = ({ data }) => way.came(JSON.parse(data));
      it.onclose = ({ code }) => way.over(code);
    },
    send: (frame) => it.readyState === 1 && it.send(JSON.stringify(frame)),
    close: () => it?.close(),
  };
  return way;
}

function poller() {
  const stop = new AbortController();
  let address = "/live/poll";
  let after = 0;
  let waiting = []; // frames to go
  let soon = false;
  async function fetched(body) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    if (!answer.ok) throw answer.status;
    return answer.json();
  }
  async function round() {
    const opening = address === "/live/poll";
    const frames = waiting;
    waiting = [];
    try {
      const got = await fetched(opening ? { frames } : { frames, after, wait: 20 });
      if (got.poll) address += `/${got.poll}`;
      const fresh = got.frames.slice(Math.max(0, after - (got.after - got.frames.length)));
      after = Math.max(after, got.after);
      way.quiet();
      for (const frame of fresh) way.came(frame);
      return true;
    } catch {
      if (!stop.signal.aborted) way.over();
      return false;
    }
  }
  // One poll waits; each thing to say goes with a newer one, and the older ends empty.
  async function listen() {
    const mine = (way.turn = (way.turn ?? 0) + 1);
    while ((await round()) && way.turn === mine && !stop.signal.aborted);
  }
  const way = {
    start: () => way.opened(),
    send(frame) {
      if (frame.type === "ping" || frame.type === "pong") return;
      waiting.push(frame);
      if (soon) return;
      soon = true;
      setTimeout(() => {
        soon = false;
        if (!stop.signal.aborted) listen();
      }, 10);
    },
    close: () => stop.abort(),
  };
  return way;
}
