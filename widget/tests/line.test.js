import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

// What a browser has and Node has not, with the network in our hands.
const sockets = [];
const fetched = [];
let answer = () => new Promise(() => {});
globalThis.addEventListener = () => {};
globalThis.document = { addEventListener() {}, hidden: false };
globalThis.location = { origin: "https://desk.example" };
globalThis.WebSocket = class {
  constructor(url) {
    Object.assign(this, { url, readyState: 0, sent: [] });
    sockets.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  tell(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
  }
  close() {
    this.readyState = 3;
  }
};
globalThis.fetch = (url, options) => {
  fetched.push([url, JSON.parse(options.body)]);
  return answer(url, JSON.parse(options.body));
};
const { Line } = await import("../js/line.js");

const WELCOME = [{ type: "welcome" }, { type: "live", cursor: 1 }];
let line;
let heard;
let states;
beforeEach(() => {
  sockets.length = fetched.length = 0;
  [heard, states] = [[], []];
  line = new Line({ hello: () => ({ inbox: "x" }), heard: (frame) => heard.push(frame.type), changed: (state) => states.push(state) });
});

test("says hello, is live, answers pings, and gives each command its answer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  line.start();
  sockets[0].open();
  assert.equal(sockets[0].url, "wss://desk.example/live");
  assert.deepEqual(sockets[0].sent, [{ type: "hello", inbox: "x" }]);
  await assert.rejects(line.command("say"), (why) => why === null, "not before it is live");
  sockets[0].tell(...WELCOME, { type: "ping" });
  assert.deepEqual(states, ["connecting", "live"]);
  const [one, two] = [line.command("say", { text: "a" }, "id"), line.command("end")];
  sockets[0].tell({ type: "error", id: "c2", problem: { status: 409 } }, { type: "answer", id: "c1", answer: { ok: 1 } });
  assert.deepEqual(await one, { ok: 1 });
  await assert.rejects(two, { status: 409 });
  assert.deepEqual(sockets[0].sent[1], { type: "pong" });
  assert.deepEqual(heard, ["welcome", "live"]);
  line.rest();
});

test("a line that breaks gives back what was asked, and comes back with a pause that grows", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  line.start();
  sockets[0].open();
  sockets[0].tell(...WELCOME);
  const asked = line.command("say");
  sockets[0].onclose({ code: 1006 });
  await assert.rejects(asked, (why) => why === null);
  assert.equal(sockets.length, 1);
  t.mock.timers.tick(1000);
  assert.equal(sockets.length, 2);
  assert.equal(states.at(-1), "connecting");
  line.rest();
  t.mock.timers.tick(100_000);
  assert.equal(sockets.length, 2, "who rests does not come back");
});

test("silence of 45 seconds is the end of a line; a word before that is asked for after 20", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  line.start();
  sockets[0].open();
  sockets[0].tell(...WELCOME);
  t.mock.timers.tick(20_000);
  assert.deepEqual(sockets[0].sent.at(-1), { type: "ping" });
  t.mock.timers.tick(24_999);
  assert.equal(states.at(-1), "live");
  t.mock.timers.tick(1);
  assert.equal(states.at(-1), "lost");
  line.rest();
});

test("4403 is for good", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  line.start();
  sockets[0].open();
  sockets[0].onclose({ code: 4403 });
  t.mock.timers.tick(100_000);
  assert.equal(sockets.length, 1);
});

test("where no socket says anything twice it polls, takes each frame once, and sends along what it has to say", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const settle = () => new Promise((done) => setImmediate(done));
  const answers = [];
  answer = () => new Promise((done) => answers.push((frames, after) => done({ ok: true, json: async () => ({ poll: "p", frames, after }) })));
  line.start();
  sockets[0].onclose({ code: 1006 });
  t.mock.timers.tick(1000);
  sockets[1].onclose({ code: 1006 });
  t.mock.timers.tick(0);
  t.mock.timers.tick(10);
  assert.deepEqual(fetched[0], ["/live/poll", { frames: [{ type: "hello", inbox: "x" }] }]);
  answers[0]([...WELCOME], 2);
  await settle();
  assert.equal(states.at(-1), "live");
  assert.deepEqual(fetched[1], ["/live/poll/p", { frames: [], after: 2, wait: 20 }]);
  const asked = line.command("say", { text: "a" });
  t.mock.timers.tick(10);
  assert.equal(fetched[2][1].frames[0].name, "say");
  answers[1]([{ type: "typing", on: true }], 3); // the older ends with what it had
  answers[2]([{ type: "typing", on: true }, { type: "answer", id: "c1", answer: 7 }], 4);
  assert.equal(await asked, 7);
  await settle();
  assert.equal(heard.filter((type) => type === "typing").length, 1, "told by both, heard once");
  line.rest();
});
