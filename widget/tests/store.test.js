import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, apply, ended, firstFresh, questions, reached, unread } from "../js/store.js";

const freeze = (value) => {
  if (value && typeof value === "object" && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
};
const run = (...frames) => frames.reduce((state, frame) => freeze(apply(state, freeze(frame))), EMPTY);
const said = (id, more = {}) => ({ id, number: 1, by: "agent", author: "Anna", text: `t${id}`, client_id: null, at: id, deleted: false, ...more });
const mine = (id, client_id, more = {}) => said(id, { by: "visitor", author: null, client_id, ...more });
const ticket = (more = {}) => ({ number: 1, status: "open", agent: null, position: null, can_rate: false, rating: null, ...more });
const snapshot = (cursor, state = {}) => ({ type: "snapshot", cursor, state: { ticket: null, messages: [], ask: [], read_to: 0, ...state } });
const event = (id, name, more) => ({ type: "event", id, name, at: id, by: { kind: "agent" }, ...more });
const write = (client_id, text = client_id) => ({ type: "my.said", item: { client_id, text, at: 1 } });

test("what is told later stands where its id says, once", () => {
  const state = run(
    snapshot(5, { messages: [said(2), said(1)] }),
    event(6, "message.sent", { message: said(4) }),
    event(7, "message.sent", { message: said(3) }),
    event(7, "message.sent", { message: said(9) }),
    event(8, "message.edited", { message: said(3, { text: "new", edited_at: 8 }) }),
  );
  assert.deepEqual(state.messages.map((one) => [one.id, one.text]), [[1, "t1"], [2, "t2"], [3, "new"], [4, "t4"]]);
  assert.equal(state.cursor, 8);
});

test("every order of event, answer and snapshot makes one message out of mine", () => {
  const answer = { type: "my.sent", client_id: "c", answer: { message_id: 1, number: 1, at: 3 } };
  const heard = event(6, "message.received", { message: mine(1, "c", { text: "c" }) });
  const anew = snapshot(7, { messages: [mine(1, "c", { text: "c" })], ticket: ticket() });
  for (const frames of [[answer, heard], [heard, answer], [anew, answer], [answer, anew], [heard, anew, answer], [answer]]) {
    const state = run(snapshot(5), write("c"), ...frames);
    assert.deepEqual(state.outbox, [], frames.map((one) => one.type).join());
    assert.deepEqual(state.messages.map((one) => [one.id, one.text, one.by]), [[1, "c", "visitor"]]);
  }
});

test("state and its events are the fresh state", () => {
  const before = { ticket: ticket({ position: 1 }), messages: [mine(1, "a")] };
  const after = { ticket: ticket({ agent: "Anna" }), messages: [mine(1, "a"), said(2)] };
  const told = run(
    snapshot(5, before),
    event(6, "ticket.assigned", { ticket: ticket({ agent: "Anna" }) }),
    event(7, "message.sent", { message: said(2) }),
  );
  assert.deepEqual(told, run(snapshot(7, after)));
});

test("a message that failed can be sent again, and one that is in the outbox outlives a snapshot", () => {
  let state = run(write("a"), write("b"), { type: "my.failed", client_id: "a", why: "no" }, snapshot(5));
  assert.deepEqual(state.outbox.map((one) => [one.client_id, one.state]), [["a", "failed"], ["b", "sending"]]);
  state = apply(state, { type: "my.again", client_id: "a" });
  assert.deepEqual(state.outbox.map((one) => one.state), ["sending", "sending"]);
  assert.deepEqual(apply(state, { type: "my.dropped", client_id: "a" }).outbox.map((one) => one.client_id), ["b"]);
});

test("unread are theirs after the last that was read, and the line stands before the first of them", () => {
  const state = run(
    snapshot(5, { messages: [said(1), mine(2, "a"), said(3), said(4, { deleted: true })], read_to: 1, ticket: ticket() }),
    { type: "my.opened" },
    event(6, "message.sent", { message: said(5) }),
  );
  assert.equal(unread(state), 2);
  assert.equal(firstFresh(state), 3);
  const seen = apply(state, { type: "my.read", id: 5 });
  assert.equal(unread(seen), 0);
  assert.equal(firstFresh(seen), 3, "it stays while the chat is open");
  assert.equal(firstFresh(apply(seen, { type: "my.closed" })), undefined);
  assert.equal(unread(apply(seen, { type: "my.read", id: 2 })), 0, "what was read stays read");
});

test("a message of mine is read as soon as somebody has read it, also before an answer", () => {
  const state = run(snapshot(1, { messages: [mine(2, "a"), mine(4, "b")], ticket: ticket() }), { type: "read", number: 1, message_id: 3 });
  const own = state.messages.filter((one) => one.by === "visitor");
  assert.deepEqual(own.map((one) => one.read ?? false), [true, false]);
  assert.equal(reached(state, own[0]), "read");
  assert.notEqual(reached({ ...state, messages: [own[1]] }, own[1]), "read");
});

test("a message of mine is sent, delivered when somebody takes the chat, read when it is answered", () => {
  const all = (state) => state.messages.filter((one) => one.by === "visitor").map((one) => reached(state, one));
  const sent = run(snapshot(5, { messages: [mine(1, "a")], ticket: ticket() }));
  assert.deepEqual(all(sent), ["sent"]);
  const taken = apply(sent, event(6, "ticket.assigned", { ticket: ticket({ agent: "Anna" }) }));
  assert.deepEqual(all(taken), ["delivered"]);
  const answered = apply(taken, event(7, "message.sent", { message: said(2) }));
  assert.deepEqual(all(apply(answered, event(8, "message.received", { message: mine(3, "b") }))), ["read", "delivered"]);
  const by = apply(taken, event(7, "message.sent", { message: said(2, { by: "bot" }) }));
  assert.deepEqual(all(by), ["delivered"], "a bot reads nothing");
});

test("what is asked before the first message", () => {
  assert.equal(questions(run(snapshot(1))), null);
  assert.deepEqual(questions(run(snapshot(1, { ask: ["email", "name*"], consent: "Yes" }))), {
    fields: [{ name: "name", required: true }, { name: "email", required: false }],
    consent: "Yes",
  });
  assert.deepEqual(questions(run(snapshot(1, { closed: true }))).fields, [{ name: "email", required: true }]);
});

test("typing ends with the message, with the line, and when it is said", () => {
  const typing = { type: "typing", on: true, by: { kind: "agent", name: "Anna" } };
  const state = run(snapshot(5), typing);
  assert.deepEqual(state.typing, { name: "Anna" });
  for (const frame of [event(6, "message.sent", { message: said(1) }), { type: "my.lost" }, { type: "typing", on: false }]) {
    assert.equal(apply(state, frame).typing, null);
  }
});

test("what is not known is passed over", () => {
  const state = run(snapshot(5));
  for (const frame of [{ type: "new" }, { type: "toString" }, { type: "pong" }]) assert.equal(apply(state, frame), state);
  assert.equal(apply(state, event(9, "thing.happened", {})).cursor, 9);
  assert.equal(ended(run(snapshot(5, { ticket: ticket({ status: "resolved" }) }))), true);
});

test("how things stand takes the place of what was held, and leaves what was said", () => {
  const before = run(snapshot(5, { ticket: ticket(), messages: [said(1)], older: true, read_to: 1, ask: ["name*"] }), write("c"));
  const state = freeze(apply(before, freeze({ type: "standing", state: { ticket: null, read_to: 1, ask: [], verified: true } })));
  assert.equal(state.ticket, null);
  assert.deepEqual([state.ask, state.older, state.readTo, state.cursor], [[], true, 1, 5]);
  assert.deepEqual(state.messages, before.messages);
  assert.deepEqual(state.outbox, before.outbox);
  const after = apply(state, event(6, "ticket.resolved", { ticket: ticket({ status: "resolved" }) }));
  assert.equal(after.ticket, null, "what was ended before it began anew stays behind");
});
