// What was written here and is not with the desk yet. Each message keeps its id however often it is sent; the loader
// keeps them through a reload. They go one after the other, so that they stand there as they were written.

import { ulid } from "./ids.js";

const ANSWERED = 30_000; // within which the desk has to answer, or the line is no good
const MOST = 20; // that are kept through a reload
const TRIES = 5;
const BUSY = new Set([429, 500, 502, 503, 504]);

export class Outbox {
  constructor({ line, act, items, keep, refused }) {
    Object.assign(this, { line, act, items, keep, refused });
    this.details = new Map(); // client id → what was asked for along with the text
    this.tries = 0;
  }

  // What the last page had not sent.
  restore(kept) {
    for (const key of Object.keys(kept).filter((name) => name.startsWith("say:")).sort()) {
      try {
        const { client_id, text, at, details, files } = JSON.parse(kept[key]);
        if (details) this.details.set(client_id, details);
        this.act({ type: "my.said", item: { client_id, text, at, files } });
      } catch {
        this.keep([key]);
      }
    }
  }

  add(text, details, files) {
    const client_id = ulid();
    if (details) this.details.set(client_id, details);
    this.act({ type: "my.said", item: { client_id, text, at: Date.now(), files } });
    this.flush();
  }

  // Called after every change of the state.
  changed(before, after) {
    if (before === after) return;
    const left = new Set(after.map((item) => item.client_id));
    for (const { client_id } of before) if (!left.has(client_id)) this.keep([`say:${client_id}`]);
    const known = new Set(before.map((item) => item.client_id));
    for (const { client_id, text, at, files } of after.slice(0, MOST)) {
      const details = this.details.get(client_id);
      if (!known.has(client_id)) this.keep([`say:${client_id}`, JSON.stringify({ client_id, text, at, details, files })]);
    }
  }

  again({ client_id }) {
    this.act({ type: "my.again", client_id });
    this.flush();
  }

  // The desk will take nothing from here any more.
  giveUp(problem) {
    for (const { client_id, text, state } of this.items()) if (state === "sending") this.refused(problem, client_id, text);
  }

  async flush() {
    if (this.flushing) return;
    this.flushing = true;
    let item;
    while (this.line.state === "live" && (item = this.items().find((one) => one.state === "sending"))) {
      if (!(await this.send(item))) break;
    }
    this.flushing = false;
  }

  async send({ client_id, text, files }) {
    const details = this.details.get(client_id);
    const timer = setTimeout(() => this.line.over(), ANSWERED);
    try {
      const answer = await this.line.command("say", { client_id, text, details, files: files?.map(({ id }) => id) });
      this.act({ type: "my.sent", client_id, answer });
      if (details) this.act({ type: "my.state", ...(await this.line.command("state").then((state) => ({ state }))) });
      this.tries = 0;
    } catch (problem) {
      if (!problem) return false; // the line broke: once more when it is back
      if (BUSY.has(problem.status) && ++this.tries <= TRIES) {
        await new Promise((done) => setTimeout(done, 1000 * 2 ** this.tries * Math.random()));
      } else {
        this.tries = 0;
        this.refused(problem, client_id, text);
      }
    } finally {
      clearTimeout(timer);
    }
    return true;
  }
}
