// The chat inside its frame: takes what the loader and the desk say, holds the state, draws it (views.js).
// The loader keeps what has to outlive the page, for in here the browser may keep nothing.

import { render } from "../vendor/lit-html.js";
import { Line } from "./line.js";
import { Outbox } from "./outbox.js";
import { Sight } from "./sight.js";
import { chime } from "./sound.js";
import { EMPTY, apply, ended, unread } from "./store.js";
import { screen } from "./views.js";
import { Whoever } from "./whoever.js";
import { _, ngettext, useCatalogue } from "./words.js";
import { TYPING, silent } from "./writing.js";

const PATIENCE = 2000; // before a broken line is spoken of
const RING = 400; // within which another tab can say that somebody is looking

const read = (id) => JSON.parse(document.getElementById(id).textContent);

class Chat extends Whoever {
  constructor(port, init, site, Way) {
    super();
    const { kept, look, place, leader, open } = init;
    this.config = read("config");
    useCatalogue(read("catalogue"));
    Object.assign(this, { port, site, place, leader, token: kept.token, jwt: look.jwt });
    this.state = EMPTY;
    this.given = {};
    this.wrong = {};
    this.draft = this.voice = this.alarm = this.refusal = "";
    this.menu = this.trouble = this.below = this.rerate = this.isOpen = false;
    this.sound = this.config.sound !== false && !kept.mute;
    this.stuck = true; // to the end of what was said
    this.hasHome = Boolean(this.config.form);
    this.view = this.hasHome && !kept.going ? "home" : "chat";
    this.now = Date.now();
    this.records = Boolean(window.MediaRecorder && navigator.mediaDevices?.getUserMedia);
    this.parts(Way);
    this.outbox.restore(kept);
    this.look(look);
    if (open) this.opened(look.quiet);
    else if (leader) this.line.start();
  }

  parts(Way) {
    const room = new ResizeObserver(() => this.sink());
    this.logFound = (element) => {
      this.log = element;
      if (element) room.observe(element);
    };
    this.writerFound = (element) => (this.writer = element);
    this.cancelFound = (element) => element && setTimeout(() => element.focus()); // when it is in the page
    this.line = new Way({
      hello: () => this.hello(),
      heard: (frame) => this.heard(frame),
      changed: (state) => this.lineChanged(state),
    });
    this.outbox = new Outbox({
      line: this.line,
      act: (frame) => this.act(frame),
      items: () => this.state.outbox,
      keep: (pair) => this.tell("keep", pair),
      refused: (...why) => this.refused(...why),
    });
    this.sight = new Sight({
      isLooking: () => this.isLooking(),
      readTo: () => this.state.readTo,
      read: (id) => this.line.command("read", { message_id: id }).then(() => this.wasRead(id), silent),
    });
    this.watch = this.sight.watch;
    document.addEventListener("keydown", (event) => this.escape(event));
    document.addEventListener("dragover", (event) => event.preventDefault()); // else the browser would open what is dropped
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.brought(event, event.dataTransfer);
    });
  }

  wasRead(id) {
    this.act({ type: "my.read", id });
    this.tell("tell", { read: id });
  }

  // --- the loader ----------------------------------------------------------------------------------------------------

  tell(t, d) {
    this.port.postMessage({ t, d });
  }

  emit(name, detail) {
    this.tell("emit", [name, detail]);
  }

  told({ t, d }) {
    if (t === "open" && d) this.opened();
    else if (t === "open") this.closed();
    else if (t === "awake") this.lead();
    else if (t === "page") this.moved(d);
    else if (t === "look") this.look(d);
    else if (t === "tab") this.fromTab(d);
  }

  opened(quiet = false) {
    this.isOpen = true;
    this.line.start();
    this.act({ type: "my.opened" });
    this.toEnd();
    if (!quiet) this.focus();
    this.sight.look();
  }

  closed() {
    this.isOpen = this.menu = false;
    this.act({ type: "my.closed" });
    if (!this.leader) this.line.rest();
  }

  lead() {
    this.leader = true;
    this.line.start();
  }

  close() {
    this.tell("close");
  }

  moved(place) {
    this.place = place;
    this.line.command("page_view", { page: place.page, title: place.title }).catch(silent);
  }

  // How it is to look, what is written already, who it is: the site may say so at any time.
  look({ theme, prefill, jwt }) {
    document.documentElement.dataset.theme = theme || this.config.theme || "auto";
    document.documentElement.style.setProperty("--brand", this.config.colour);
    document.documentElement.style.setProperty("--on-brand", this.config.on);
    if (prefill && prefill !== this.prefilled) this.draft = this.prefilled = prefill;
    if (jwt !== this.jwt) this.identify(jwt);
    this.draw();
  }

  fromTab({ seen, mute, read, token }) {
    this.becomes(token);
    if (read) this.act({ type: "my.read", id: read });
    if (seen) this.seen = Math.max(this.seen ?? 0, seen);
    if (mute != null) this.sound = !mute;
    this.draw();
  }

  // --- the desk ------------------------------------------------------------------------------------------------------

  hello() {
    const { config, site, token, state, jwt, place } = this;
    this.introduced = jwt;
    return {
      inbox: config.token,
      visitor: token || null,
      site,
      cursor: state.ready && token ? state.cursor : null,
      page: place.page,
      referrer: place.referrer || null,
      language: document.documentElement.lang,
      jwt: jwt || null,
    };
  }

  heard(frame) {
    if (frame.type === "welcome") {
      this.refusal = "";
      if (frame.visitor) this.keepToken(frame.visitor);
    }
    const { verified } = this.state;
    this.act(frame);
    if (frame.type === "standing" && this.state.verified && !verified) this.line.send({ type: "snapshot" }); // more is theirs
    if (frame.type === "event") this.happened(frame);
    if (frame.type === "live") {
      if (this.isOpen) this.act({ type: "my.opened" });
      this.tell("live");
      this.acknowledge();
    }
    if (frame.type === "typing") this.expireTyping();
    if (frame.type === "error") {
      this.emit("error", frame.problem?.detail);
      if (!this.state.ready) this.refusal = _("The chat cannot be reached just now.");
      if (frame.problem?.status === 410) this.outbox.giveUp(frame.problem);
      this.draw();
    }
  }

  happened({ name, message }) {
    if (name === "message.sent") {
      this.acknowledge();
      this.arrived(message);
    }
    if (name === "message.received") this.emit("message", { direction: "sent" });
    if (name === "ticket.resolved") this.emit("ended");
    if (name.startsWith("ticket.")) this.emit("status", this.state.ticket?.status);
  }

  // Everything up to the cursor has been delivered.
  acknowledge() {
    this.line.send({ type: "seen", cursor: this.state.cursor });
  }

  arrived(message) {
    this.emit("message", { direction: "received" });
    if (this.isLooking()) this.tell("tell", { seen: message.id });
    else if (this.leader && this.sound) setTimeout(() => message.id > (this.seen ?? 0) && chime(), RING);
    this.unspoken = [...(this.unspoken ?? []), message];
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => this.speak(), 300);
  }

  speak() {
    const news = this.unspoken;
    this.unspoken = [];
    if (!this.isOpen) return;
    this.voice =
      news.length > 3
        ? ngettext("{0} new message", "{0} new messages", news.length)
        : news.map(({ author, text }) => _("{0} says: {1}", author || _("Support"), text || _("File"))).join("\n");
    this.draw();
  }

  lineChanged(state) {
    if (state === "connecting") this.tell("token"); // another tab may have got a new one
    if (state === "live" || state === "resting") {
      clearTimeout(this.patience);
      this.patience = 0;
      this.trouble = false;
    } else {
      this.patience ||= setTimeout(() => {
        this.trouble = true;
        this.draw();
      }, PATIENCE);
    }
    if (state === "live" && this.jwt !== this.introduced) this.identify(this.jwt); // said while the line came up
    if (state === "live") this.outbox.flush();
    else this.act({ type: "my.lost" });
    this.draw();
  }

  expireTyping() {
    clearTimeout(this.expiry);
    this.expiry = setTimeout(() => this.act({ type: "typing", on: false }), 2 * TYPING);
  }

  // --- the state -----------------------------------------------------------------------------------------------------

  act(frame) {
    const was = this.state;
    const state = (this.state = apply(was, frame));
    if (state === was) return;
    this.outbox.changed(was.outbox, state.outbox);
    if (unread(state) !== unread(was)) this.tell("unread", unread(state));
    this.remember(state);
    this.draw();
    if (state.outbox.length > was.outbox.length) this.toEnd();
    else if (!this.stuck && state.messages.at(-1)?.id > (was.messages.at(-1)?.id ?? 0)) this.below = true;
  }

  // Whether the next page is to come back here by itself, and until when.
  remember(state) {
    const going = state.outbox.length > 0 || Boolean(state.ticket && !ended(state));
    if (going !== this.going && (going || state.ready)) this.tell("keep", ["going", going ? 1 : null]);
    if (going) this.tell("keep", ["active", state.messages.at(-1)?.at || Date.now()]);
    this.going = going;
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      this.now = Date.now();
      const { writer } = this;
      const wasIn = writer && document.activeElement === writer;
      render(screen(this), document.getElementById("chat"));
      this.sink();
      if (wasIn && this.writer !== writer) this.focus(); // another form stands in the place of the one that was
    });
  }
}

// The page that embeds us names itself in the address; the desk has told the browser which ones may (frame-ancestors).
const site = decodeURIComponent(location.hash.slice(1));
if (site && parent !== window) {
  addEventListener("message", async function hear(event) {
    if (event.source !== parent || event.origin !== site || event.data?.parley !== 1 || !event.ports[0]) return;
    removeEventListener("message", hear);
    const port = event.ports[0];
    // Where somebody only looks how it would be, no line leads to the desk.
    const Way = read("config").rehearsal ? (await import("./rehearsal.js")).Rehearsal : Line;
    const chat = new Chat(port, event.data, site, Way);
    port.onmessage = ({ data }) => chat.told(data);
    chat.emit("ready");
  });
  parent.postMessage("parley:hello", site);
}
