// What a visitor does with what they write: the composer, the form before the first message, what was refused.
// The first part of Chat (chat.js), which has the state, the line and the outbox.

import { html, nothing, svg } from "../vendor/lit-html.js";
import { _ } from "./words.js";

export const TYPING = 3000; // at most one "is writing" in so long; forgotten after twice that
export const silent = () => {};
const ASKED = ["name", "email", "phone", "subject", "consent"];

const MISSING = {
  name: () => _("Please add your name."),
  email: () => _("Please add your e-mail address, like anna@example.org."),
  phone: () => _("Please add your phone number, with the country's code."),
  subject: () => _("Please say what it is about."),
  consent: () => _("Please tick the box."),
  text: () => _("Please write a message."),
};

export class Writing {
  wrote(event) {
    this.draft = event.target.value;
    const now = Date.now();
    if (this.draft && now - (this.wroteAt ?? 0) > TYPING) {
      this.wroteAt = now;
      if (this.line.state === "live") this.line.send({ type: "typing", on: true });
    } else if (!this.draft) this.stopTyping();
    this.draw();
  }

  stopTyping() {
    if (this.wroteAt && this.line.state === "live") this.line.send({ type: "typing", on: false });
    this.wroteAt = 0;
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    this.submit(event);
  }

  submit(event) {
    event?.preventDefault();
    const text = this.draft.trim();
    const files = this.files?.items.length ? this.files.take(() => this.submit(null)) : [];
    if (files && (text || files.length)) this.say(text, undefined, files);
    this.writer?.focus();
  }

  // Files and voice notes come as a module of their own, with the first of them.
  withFiles(use) {
    this.bringing ??= import("./files.js").then(({ attach }) => (this.files = attach(this, { html, nothing, svg, _ })));
    this.bringing.then(use).then(() => this.draw(), silent);
  }

  attached(event) {
    const blobs = [...event.target.files];
    event.target.value = "";
    this.withFiles((files) => files.add(blobs));
  }

  // Pasted into the field, or dropped anywhere on the chat.
  brought(event, data) {
    if (!this.state.takesFiles || !data?.files.length) return;
    event.preventDefault();
    const blobs = [...data.files];
    this.withFiles((files) => files.add(blobs));
  }

  say(text, details, files) {
    this.stopTyping();
    this.mustAsk = false;
    this.draft = "";
    this.outbox.add(text, details, files?.length ? files : undefined);
  }

  // The first message, along with what is asked before it.
  begin(event) {
    event?.preventDefault();
    const form = event?.target ?? document.querySelector(".before");
    this.wrong = {};
    for (const { name, value, required, validity } of form.querySelectorAll("input, textarea")) {
      if (!validity.valid || (required && !value.trim())) this.wrong[name] = MISSING[name]();
    }
    this.draw();
    if (Object.keys(this.wrong).length) return this.toWrong();
    const files = this.files?.items.length ? this.files.take(() => this.begin(null)) : [];
    if (!files) return;
    const { name, email, phone, subject } = this.given;
    this.say(this.draft.trim(), { name, email, phone, subject, consent: Boolean(form.elements.consent?.checked) }, files);
    setTimeout(() => this.writer?.focus());
  }

  toWrong() {
    setTimeout(() => document.querySelector("[aria-invalid=true]")?.focus());
  }

  gave(name, event) {
    this.given[name] = event.target.value;
    this.draw();
  }

  refused(problem, client_id, text) {
    const fields = (problem.errors ?? []).map(({ path = "" }) => path.split(".").at(-1));
    const asked = fields.filter((name) => ASKED.includes(name));
    if (asked.length) {
      this.mustAsk = true;
      this.wrong = Object.fromEntries(asked.map((name) => [name, MISSING[name]()]));
      this.draft = this.draft || text;
      this.act({ type: "my.dropped", client_id });
      this.line.command("state").then((state) => this.act({ type: "my.state", state }), silent);
      return this.toWrong();
    }
    this.act({ type: "my.failed", client_id, why: problem.detail ?? "" });
    this.warn(_("Not sent. Try again"));
    this.emit("error", problem.detail);
  }

  warn(alarm) {
    this.alarm = alarm;
    this.draw();
  }

  again(item) {
    this.alarm = "";
    this.outbox.again(item);
  }

  drop({ client_id, text }) {
    this.act({ type: "my.dropped", client_id });
    this.draft = this.draft || text;
    this.draw();
  }
}
