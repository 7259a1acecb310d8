// In the place of line.js where somebody only looks how the chat would be (hub/web/preview.py): it says what the desk
// would, and an agent after a moment. Nothing leaves the page. Served by itself, so that no visitor loads it.

const THINKS = 700;
const WRITES = 1600;
const MINUTE = 60_000;

export class Rehearsal {
  constructor({ heard, changed }) {
    Object.assign(this, { heard, changed, state: "resting", count: 0, messages: [], ticket: null });
    this.part = JSON.parse(document.getElementById("config").textContent).rehearsal;
    if (this.part.scene !== "talk") return;
    const at = Date.now() - 2 * MINUTE;
    this.say("visitor", this.part.question, at);
    this.say("agent", this.part.answer, at + MINUTE);
  }

  start() {
    if (this.state === "live") return;
    this.state = "live";
    setTimeout(() => {
      this.heard({ type: "snapshot", cursor: 0, state: this.snapshot() });
      this.heard({ type: "live", cursor: 0 });
      this.changed("live");
    });
  }

  rest() {
    this.state = "resting";
    this.hush();
  }

  hush() {
    clearTimeout(this.thinking);
    clearTimeout(this.writing);
  }

  say(by, text, at, client_id = null) {
    const { agent } = this.part;
    const message = { id: ++this.count, number: 1, by, author: by === "agent" ? agent : null, text, client_id, at, deleted: false };
    this.messages.push(message);
    this.ticket = { number: 1, status: "open", agent: by === "agent" || this.ticket?.agent ? agent : null, position: null, can_rate: false, rating: null };
    return message;
  }

  snapshot() {
    const begun = this.ticket ? { closed: false, ask: [], consent: null } : {};
    return { ...this.part.state, ...begun, rating: true, ticket: this.ticket, messages: [...this.messages], read_to: this.count };
  }

  command(name, request) {
    if (name === "say") return Promise.resolve(this.answered(request));
    if (name === "end" || name === "rate") {
      this.hush();
      const rating = name === "rate" ? { score: request.score, text: request.text } : null;
      this.ticket = { ...this.ticket, status: "resolved", can_rate: true, rating };
    } else if (name === "start_anew") {
      this.ticket = null;
      this.messages = [];
    }
    return Promise.resolve(name === "state" ? this.snapshot() : { state: this.snapshot() });
  }

  answered({ client_id, text }) {
    const { id, at } = this.say("visitor", text, Date.now(), client_id);
    this.hush();
    this.thinking = setTimeout(() => this.heard({ type: "typing", on: true, by: { name: this.part.agent } }), THINKS);
    this.writing = setTimeout(() => {
      const message = this.say("agent", this.part.echo, Date.now());
      this.heard({ type: "event", id: message.id, name: "message.sent", ticket: this.ticket, message });
    }, WRITES);
    return { message_id: id, number: 1, at };
  }

  send() {}

  hurry() {}

  over() {}
}
