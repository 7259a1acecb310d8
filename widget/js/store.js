// What a chat is: `apply(state, frame)` gives the state after a frame of the live protocol or a local happening.
// Pure, so tried in Node; chat.js holds the one state and draws what comes out. Happenings of our own start with "my.".

export const EMPTY = Object.freeze({
  cursor: null,
  ready: false, // a snapshot has come
  live: false,
  ticket: null, // {number, status, agent, position, expected_wait, can_rate, rating, …}
  messages: [], // {id, number, by, author, text, client_id, at, edited_at, deleted, files}, oldest first
  older: false, // there are older ones
  outbox: [], // {client_id, text, at, files, state: "sending" | "failed", why}
  online: true,
  closed: false, // a form that asks for an address, instead of a chat
  opensAt: null, // when somebody is here again
  longWait: false, // waiting takes so long that nobody should have to
  ways: [], // what to offer to whoever waits too long: "message", to leave an address and be answered there
  ask: [], // what is to be asked before a new ticket, with a star where it is necessary
  consent: null, // the words of a box that has to be ticked first
  mustSignIn: false,
  verified: false, // the site has signed who this is
  asksRating: false,
  takesFiles: false,
  name: null,
  typing: null, // {name}
  readTo: 0, // the newest of their messages that was read here
  fresh: null, // {from, to}: what came while nobody looked; the line "New messages" stands before it
});

export function apply(state, frame) {
  return Object.hasOwn(CHANGES, frame.type) ? CHANGES[frame.type](state, frame) : state;
}

const CHANGES = {
  snapshot: (state, { cursor, state: shown }) => ({
    ...state,
    ...taken(state, shown),
    cursor,
    ready: true,
    outbox: without(state.outbox, shown.messages ?? []),
  }),
  standing: (state, { state: shown }) => ({ ...state, ...taken(state, { ...state, ...shown }) }),
  live: (state, { cursor }) => ({ ...moved(state, cursor), live: true }),
  cursor: (state, { cursor }) => moved(state, cursor),
  event: (state, frame) => (frame.id <= state.cursor ? state : moved(happened(state, frame), frame.id)),
  typing: (state, { on, by }) => ({ ...state, typing: on ? { name: by?.name ?? null } : null }),
  position: (state, { position, expected_wait, long_wait }) => ({
    ...state,
    longWait: long_wait ?? false,
    ticket: state.ticket && { ...state.ticket, position, expected_wait },
  }),
  read: (state, { number, message_id: id }) => ({
    ...state,
    messages: state.messages.map((one) =>
      one.by === "visitor" && one.number === number && one.id <= id && !one.read ? { ...one, read: true } : one),
  }),
  snapshot_required: (state) => ({ ...state, cursor: null, live: false }),

  "my.state": (state, { state: shown }) => ({
    ...state,
    ...taken(state, shown),
    outbox: without(state.outbox, shown.messages ?? []),
  }),
  "my.older": (state, { messages, older }) => ({ ...state, older, messages: [...messages, ...state.messages] }),
  "my.lost": (state) => ({ ...state, live: false, typing: null }),
  "my.said": (state, { item }) => ({ ...state, outbox: [...state.outbox, { ...item, state: "sending", why: "" }] }),
  // The event may have come before the answer, or will after it: one message either way.
  "my.sent": (state, { client_id, answer }) => {
    const item = state.outbox.find((one) => one.client_id === client_id);
    if (!item) return state;
    const { message_id: id, number, at } = answer;
    const message = { id, number, at, client_id, by: "visitor", author: null, text: item.text, files: item.files, deleted: false };
    return put({ ...state, ticket: state.ticket ?? { number, status: "open", agent: null } }, message);
  },
  "my.failed": (state, { client_id, why }) => marked(state, client_id, { state: "failed", why }),
  "my.again": (state, { client_id }) => marked(state, client_id, { state: "sending", why: "" }),
  "my.dropped": (state, { client_id }) => ({
    ...state,
    outbox: state.outbox.filter((one) => one.client_id !== client_id),
  }),
  "my.read": (state, { id }) => ({ ...state, readTo: Math.max(state.readTo, id) }),
  "my.opened": (state) => (unread(state) ? { ...state, fresh: { from: state.readTo, to: last(state) } } : state),
  "my.closed": (state) => ({ ...state, fresh: null }),
  "my.forgotten": () => EMPTY,
};

function taken(state, shown) {
  const same = shown.ticket?.number === state.ticket?.number;
  return {
    ticket: shown.ticket ?? null,
    messages: [...(shown.messages ?? [])].sort((a, b) => a.id - b.id),
    older: shown.older ?? false,
    online: shown.online ?? true,
    closed: shown.closed ?? false,
    opensAt: shown.opens_at ?? null,
    longWait: shown.long_wait ?? false,
    ways: shown.ways ?? [],
    ask: shown.ask ?? [],
    consent: shown.consent ?? null,
    mustSignIn: shown.must_sign_in ?? false,
    verified: shown.verified ?? false,
    asksRating: shown.rating ?? false,
    takesFiles: shown.files ?? false,
    name: shown.name ?? null,
    typing: null,
    readTo: Math.max(shown.read_to ?? 0, same ? state.readTo : 0),
  };
}

function happened(state, { name, ticket, message }) {
  // An answer that says a new one begins may have overtaken the event that the last one ended.
  const late = !state.ticket && ticket?.status === "resolved";
  let next = ticket && !late ? { ...state, ticket: { ...state.ticket, ...ticket } } : state;
  if (message) next = put(next, message);
  return name === "message.sent" ? { ...next, typing: null } : next;
}

// A message in its place by id; the newest form of it wins, and what was known of it only here is kept.
function put(state, message) {
  const known = state.messages.find((one) => one.id === message.id);
  const whole = known ? { ...known, ...message } : message;
  const messages = known
    ? state.messages.map((one) => (one === known ? whole : one))
    : [...state.messages, whole].sort((a, b) => a.id - b.id);
  return { ...state, messages, outbox: without(state.outbox, [message]) };
}

function without(outbox, messages) {
  const arrived = new Set(messages.map((one) => one.client_id));
  const left = outbox.filter((one) => !arrived.has(one.client_id));
  return left.length === outbox.length ? outbox : left;
}

function marked(state, client_id, values) {
  return { ...state, outbox: state.outbox.map((one) => (one.client_id === client_id ? { ...one, ...values } : one)) };
}

function moved(state, cursor) {
  return cursor > (state.cursor ?? -1) ? { ...state, cursor } : state;
}

const last = (state) => state.messages.at(-1)?.id ?? 0;
const theirs = (message) => message.by !== "visitor" && !message.deleted;

export const unread = (state) => state.messages.filter((one) => theirs(one) && one.id > state.readTo).length;

// How far one of my messages has come: the desk has it ("sent"), somebody has taken the chat ("delivered"), somebody has
// read it or answered ("read"). That can be told from what is there, so it is the same after a reload.
export function reached({ ticket, messages }, message) {
  if (message.read || messages.findLast((one) => one.by === "agent")?.id > message.id) return "read";
  return ticket?.agent && ticket.number === message.number ? "delivered" : "sent";
}

// The first message that came while nobody looked.
export function firstFresh(state) {
  const { from, to } = state.fresh ?? {};
  return state.fresh ? state.messages.find((one) => theirs(one) && one.id > from && one.id <= to)?.id : undefined;
}

export const ended = (state) => state.ticket?.status === "resolved";

// What is to be asked before the first message: fields, and the box. Null: nothing.
export function questions(state) {
  const asked = new Map(state.ask.map((field) => [field.replace("*", ""), field.endsWith("*")]));
  if (state.closed) asked.set("email", true);
  if (!asked.size && !state.consent) return null;
  const fields = ["name", "email", "phone", "subject"].filter((name) => asked.has(name));
  return { fields: fields.map((name) => ({ name, required: asked.get(name) })), consent: state.consent };
}
