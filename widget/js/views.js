// What a visitor sees, as lit-html templates. `chat` is the one object of chat.js: its state, and what can be done.

import { classMap, html, live, nothing, ref, repeat, svg } from "../vendor/lit-html.js";
import { forgetting } from "./forgetting.js";
import { ended, firstFresh, questions, reached } from "./store.js";
import { _, dayOf, ngettext, timeOf } from "./words.js";

const drawing = (path) => svg`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path}></path></svg>`;
const PICTURES = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3.500-6.500zM11.500 13.500L20 4",
  down: "M12 5v14M6 13l6 6 6-6",
  clip: "M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8.500 8.500a1.800 1.800 0 0 1-2.500-2.500L15 7",
  voice: "M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zM6 12a6 6 0 0 0 12 0M12 18v3",
};

export function screen(chat) {
  const { view } = chat;
  return html`
    ${head(chat)}${bar(chat)}
    ${view === "home" ? home(chat) : html`${talk(chat)}${foot(chat)}`}
    ${view === "forget" ? forgetting(chat) : nothing}
    ${view === "mail" && chat.mailing ? chat.mailing(chat, { html, nothing, ref }, _) : nothing}
    <div class="away" role="status">${chat.voice}</div>
    <div class="away" role="alert">${chat.alarm}</div>
  `;
}

function head(chat) {
  const { state, config } = chat;
  return html`<header>
    <div class="title">
      <h1><bdi>${config.name || _("Chat")}</bdi></h1>
      <p>${standing(state)}</p>
    </div>
    <button class="icon" type="button" aria-expanded=${chat.menu} aria-controls="menu" aria-label=${_("Menu")}
      @click=${() => chat.toggleMenu()}>${drawing(PICTURES.menu)}</button>
    <button class="icon" type="button" aria-label=${_("Close the chat")} @click=${() => chat.close()}>
      ${drawing(PICTURES.close)}</button>
    <div id="menu" ?hidden=${!chat.menu}>${chat.menu ? menu(chat) : nothing}</div>
  </header>`;
}

function standing(state) {
  if (!state.ready) return nothing;
  if (ended(state)) return _("This chat has ended");
  if (state.ticket?.agent) return _("You are talking with {0}", state.ticket.agent);
  return state.closed ? _("Leave us a message") : _("We are here");
}

function menu(chat) {
  const { state } = chat;
  const item = (text, act) => html`<li><button type="button" @click=${() => chat.choose(act)}>${text}</button></li>`;
  return html`<ul>
    ${chat.hasHome ? item(_("All ways to reach us"), "home") : nothing}
    ${state.ticket && !ended(state) ? item(_("End the chat"), "end") : nothing}
    ${state.ticket ? item(_("Start a new chat"), "anew") : nothing}
    ${mails(chat) ? item(_("E-mail me this conversation"), "mail") : nothing}
    ${item(chat.sound ? _("Turn sounds off") : _("Turn sounds on"), "sound")}
    ${item(_("Forget me on this device"), "forget")}
  </ul>`;
}

const mails = ({ config, state }) => config.mails && state.ticket;

function bar({ state, trouble, refusal }) {
  if (refusal) return html`<p class="bar" role="status">${refusal}</p>`;
  if (!trouble) return nothing;
  const waiting = state.outbox.some((item) => item.state === "sending");
  return html`<p class="bar" role="status">
    ${waiting ? _("Connecting… What you wrote goes out when the line is back.") : _("Connecting…")}
  </p>`;
}

function home(chat) {
  return html`<div class="home">
    <p class="hello">${_("How can we help?")}</p>
    <button class="way" type="button" @click=${() => chat.choose("chat")}>
      <strong>${_("Chat")}</strong><span>${chat.state.closed ? _("Leave us a message") : _("Write with us now")}</span>
    </button>
    <a class="way" href=${chat.config.form} target="_blank" rel="noopener">
      <strong>${_("Send a message")}</strong><span>${_("Leave us a message")}</span>
    </a>
  </div>`;
}

// --- what was said ---------------------------------------------------------------------------------------------------

function talk(chat) {
  const { state } = chat;
  return html`<div class="log" role="log" aria-live="off" aria-label=${_("Conversation")} tabindex="0"
      ${ref(chat.logFound)} @scroll=${() => chat.scrolled()}>
      ${state.older ? html`<button class="more" type="button" @click=${() => chat.earlier()}>
        ${_("Show earlier messages")}</button>` : nothing}
      ${welcome(chat)}
      <ol>${repeat(lines(chat), (line) => line.key, (line) => line.draw())}</ol>
      ${queue(chat)}${after(chat)}
      <p class="typing" aria-live="off">${typing(state)}</p>
    </div>
    ${chat.below ? html`<button class="down" type="button" @click=${() => chat.toEnd()}>
      ${drawing(PICTURES.down)}${_("New messages")}</button>` : nothing}`;
}

function welcome({ state, config }) {
  if (!state.ready || state.messages.length || state.outbox.length) return nothing;
  const said = state.closed
    ? _("Nobody is here right now. Leave us a message: our answer will be here when you come back.")
    : config.greeting || _("Hello! What can we do for you?");
  return html`<p class="welcome" dir="auto">${said}</p>${opening(state)}`;
}

function opening({ closed, opensAt }) {
  if (!closed || !opensAt || opensAt <= Date.now()) return nothing;
  const today = new Date(opensAt).toDateString() === new Date().toDateString();
  const when = today ? timeOf(opensAt) : `${dayOf(opensAt, Date.now())}, ${timeOf(opensAt)}`;
  return html`<p class="queue">${_("We are here again: {0}", when)}</p>`;
}

function typing({ typing: who }) {
  if (!who) return nothing;
  return who.name ? _("{0} is writing…", who.name) : _("Somebody is writing…");
}

// Messages with the lines between them: days, another matter, what is new.
function lines(chat) {
  const { state } = chat;
  const fresh = firstFresh(state);
  const found = [];
  let day = null;
  let number = null;
  for (const message of state.messages) {
    const today = dayOf(message.at, chat.now);
    if (today !== day) found.push(between(`day ${message.id}`, today));
    if (number !== null && number !== message.number) found.push(between(`matter ${message.id}`, _("A new chat")));
    if (message.id === fresh) found.push(between("fresh", _("New messages"), "fresh"));
    day = today;
    number = message.number;
    found.push({ key: message.id, draw: () => bubble(chat, message) });
  }
  for (const item of state.outbox) found.push({ key: item.client_id, draw: () => pending(chat, item) });
  return found;
}

const between = (key, text, kind = "day") => ({ key, draw: () => html`<li class=${kind}><span>${text}</span></li>` });

function bubble(chat, message) {
  const mine = message.by === "visitor";
  const author = mine ? _("You") : message.author || (message.by === "bot" ? _("Assistant") : _("Support"));
  return html`<li class=${classMap({ message: true, mine, gone: message.deleted })} data-id=${message.id}
    ${mine ? nothing : ref(chat.watch)}>
    <p class="who"><bdi class=${mine ? "away" : ""}>${author}</bdi></p>
    ${message.deleted || message.text ? html`<div class="text" dir="auto">${message.deleted ? _("This message was withdrawn.") : linked(message.text)}</div>` : nothing}
    ${message.deleted ? nothing : attachments(chat, message.files)}
    <p class="note">${message.edited_at && !message.deleted ? `${_("edited")} · ` : nothing}<time
      datetime=${new Date(message.at).toISOString()}>${timeOf(message.at)}</time>${
      mine ? html` · <span class="mark">${MARKS[reached(chat.state, message)]()}</span>` : nothing}</p>
  </li>`;
}

function attachments(chat, files) {
  if (!files?.length) return nothing;
  if (chat.files) return chat.files.shown(files);
  chat.withFiles(() => {});
  return nothing;
}

const MARKS = { sent: () => _("Sent"), delivered: () => _("Delivered"), read: () => _("Read") };

function pending(chat, item) {
  const failed = item.state === "failed";
  return html`<li class=${classMap({ message: true, mine: true, waiting: !failed, failed })}>
    <p class="who"><bdi class="away">${_("You")}</bdi></p>
    ${item.text ? html`<div class="text" dir="auto">${linked(item.text)}</div>` : nothing}${attachments(chat, item.files)}
    <p class="note">${failed
      ? html`<span class="wrong">${_("Not sent.")}</span>
          <button class="again" type="button" @click=${() => chat.again(item)}>${_("Try again")}</button>
          <button class="again" type="button" @click=${() => chat.drop(item)}>${_("Remove")}</button>`
      : html`<span class="mark">${_("Sending…")}</span>`}</p>
  </li>`;
}

const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/g;

// Addresses become links; everything is put in as text.
function linked(text) {
  return text.split(ADDRESS).map((part, index) =>
    index % 2 ? html`<a href=${part} dir="ltr" target="_blank" rel="noopener noreferrer nofollow">${part}</a>` : part,
  );
}

function queue(chat) {
  const { state } = chat, { ticket } = state;
  if (ended(state) || state.closed || ticket?.agent || !(ticket?.position >= 0)) return nothing;
  const minutes = Math.ceil((ticket.expected_wait ?? 0) / 60_000);
  const place = ticket.position
    ? ngettext("{0} person is before you.", "{0} people are before you.", ticket.position)
    : _("You are next.");
  const wait = minutes ? ngettext("About {0} minute.", "About {0} minutes.", minutes) : nothing;
  const long = state.longWait
    ? _("It takes longer than usual. You need not wait here: our answer will be here when you come back.")
    : nothing;
  return html`<p class="queue" role="status">${place} ${wait} ${long}</p>${address(chat)}`;
}

const AGREES = () => _("You may answer me at this address.");

// Whoever waits too long may leave an address and go.
function address(chat) {
  const { state, left, wrongAddress: wrong } = chat;
  if (left) return html`<p class="queue" role="status">${_("Thank you. We can answer you at {0} as well.", left)}</p>`;
  if (!state.longWait || !state.ways.includes("message")) return nothing;
  return html`<form class="rating" novalidate @submit=${(event) => chat.leaveAddress(event, AGREES())}>
    <label for="leave-email">${_("Or leave your e-mail address, and we answer you there")}</label>
    <input id="leave-email" name="email" type="email" dir="ltr" autocomplete="email" maxlength="200" aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? "leave-wrong" : nothing}>
    <label class="box"><input type="checkbox" name="agrees" aria-describedby=${wrong ? "leave-wrong" : nothing}><span>${AGREES()}</span></label>
    ${wrong ? html`<p class="wrong" role="alert" id="leave-wrong">${wrong}</p>` : nothing}
    <button class="main">${_("Leave my address")}</button>
  </form>`;
}

function after(chat) {
  const { state } = chat;
  const { ticket } = state;
  if (!ticket) return nothing;
  if (ticket.rating && ticket.can_rate) return rating(chat);
  if (!ended(state)) {
    return state.closed && !ticket.agent
      ? html`<p class="queue" role="status">${_("Thank you. Your number is {0}. Our answer will be here when you come back.", "#" + ticket.number)}</p>`
      : nothing;
  }
  return html`<p class="queue" role="status">${_("This chat has ended. Write again if something is still open.")}</p>
    ${mails(chat) ? html`<button class="again" type="button" @click=${() => chat.choose("mail")}>${_("E-mail me this conversation")}</button>` : nothing}
    ${state.asksRating && ticket.can_rate ? rating(chat) : nothing}`;
}

const SCORES = [() => _("Very bad"), () => _("Bad"), () => _("Fair"), () => _("Good"), () => _("Very good")];

function rating(chat) {
  const given = chat.state.ticket.rating;
  if (given && !chat.rerate) {
    return html`<p class="queue rated" role="status">${_("Thank you. You said: {0}.", SCORES[given.score - 1]())}
      <button class="again" type="button" @click=${() => chat.rateAnew()}>${_("Change it")}</button></p>`;
  }
  return html`<form class="rating" @submit=${(event) => chat.rate(event)}>
    <fieldset><legend>${_("How was it?")}</legend>
      <div class="scores">${SCORES.map((name, index) => html`<label><input type="radio" name="score" required
        value=${index + 1} ?checked=${given?.score === index + 1}><span>${name()}</span></label>`)}</div>
    </fieldset>
    <label for="comment">${_("Anything you would like to add?")}</label>
    <textarea id="comment" name="text" rows="2" maxlength="5000" dir="auto" .value=${given?.text ?? ""}></textarea>
    <button class="main">${_("Send")}</button>
  </form>`;
}

// --- what can be written ---------------------------------------------------------------------------------------------

function foot(chat) {
  const { state } = chat;
  if (state.mustSignIn) return html`<p class="queue">${_("Please sign in on this site first; then you can write to us here.")}</p>`;
  const asked = state.ready && !state.outbox.length && (chat.mustAsk || !state.ticket) ? questions(state) : null;
  return asked ? firstMessage(chat, asked) : composer(chat);
}

// An empty field runs like the page, for "auto" would take it for English.
const way = (text) => (text ? "auto" : document.documentElement.dir);

function composer(chat) {
  const { takesFiles } = chat.state;
  const items = chat.files?.items.length;
  return html`${chat.files?.tray() ?? nothing}<form class="composer" @submit=${(event) => chat.submit(event)}>
    ${clip(chat)}
    <label class="away" for="text">${_("Your message")}</label>
    <textarea id="text" rows="1" maxlength="10000" dir=${way(chat.draft)} enterkeyhint="send" placeholder=${_("Write a message…")}
      .value=${live(chat.draft)} ${ref(chat.writerFound)} @input=${(event) => chat.wrote(event)}
      @keydown=${(event) => chat.key(event)} @paste=${(event) => chat.brought(event, event.clipboardData)}></textarea>
    ${takesFiles && chat.records && !chat.draft.trim() && !items ? html`<button class="icon" type="button" aria-label=${_("Record a voice note")}
      @click=${() => chat.withFiles((files) => files.record())}>${drawing(PICTURES.voice)}</button>` : nothing}
    <button class="icon send" aria-label=${_("Send")} ?disabled=${!chat.draft.trim() && !items}>${drawing(PICTURES.send)}</button>
  </form>`;
}

function clip(chat) {
  if (!chat.state.takesFiles) return nothing;
  return html`<label class="icon clip" title=${_("Attach files")}><span class="away">${_("Attach files")}</span>
    <input class="away" type="file" multiple accept="image/*,*/*" @change=${(event) => chat.attached(event)}>${drawing(PICTURES.clip)}</label>`;
}

const FIELDS = {
  name: { label: () => _("Your name"), type: "text", complete: "name" },
  email: { label: () => _("E-mail"), type: "email", complete: "email" },
  phone: { label: () => _("Phone"), type: "tel", complete: "tel" },
  subject: { label: () => _("What is it about?"), type: "text", complete: "off" },
};

function firstMessage(chat, { fields, consent }) {
  return html`<form class="before" novalidate @submit=${(event) => chat.begin(event)}>
    ${fields.map(({ name, required }) => field(chat, name, required))}
    <label for="text">${_("Your message")}</label>
    <textarea id="text" name="text" rows="3" maxlength="10000" dir=${way(chat.draft)} required aria-describedby="text-wrong"
      aria-invalid=${!!chat.wrong.text} .value=${live(chat.draft)} ${ref(chat.writerFound)}
      @input=${(event) => chat.wrote(event)} @paste=${(event) => chat.brought(event, event.clipboardData)}></textarea>${wrong(chat, "text")}
    ${consent ? html`<label class="box"><input type="checkbox" name="consent" required
      aria-describedby="consent-wrong" aria-invalid=${!!chat.wrong.consent}><bdi>${consent}</bdi></label>
      ${wrong(chat, "consent")}` : nothing}
    ${clip(chat)}${chat.files?.tray() ?? nothing}
    <button class="main">${chat.state.closed ? _("Send the message") : _("Start the chat")}</button>
  </form>`;
}

function field(chat, name, required) {
  const { label, type, complete } = FIELDS[name];
  return html`<label for=${name}>${label()}${required ? nothing : html` <small>${_("if you like")}</small>`}</label>
    <input id=${name} name=${name} type=${type} autocomplete=${complete} ?required=${required} maxlength="300"
      dir=${type === "text" ? way(chat.given[name]) : "ltr"} aria-describedby="${name}-wrong" aria-invalid=${!!chat.wrong[name]}
      .value=${live(chat.given[name] ?? "")} @input=${(event) => chat.gave(name, event)}>${wrong(chat, name)}`;
}

const wrong = (chat, name) => html`<p class="wrong" id="${name}-wrong">${chat.wrong[name] || nothing}</p>`;
