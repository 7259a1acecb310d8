// What a visitor can choose: the menu, ending, rating, being forgotten. The second part of Chat (chat.js).

import { chime } from "./sound.js";
import { _ } from "./words.js";
import { Writing, silent } from "./writing.js";

export class Choices extends Writing {
  toggleMenu() {
    this.menu = !this.menu;
    this.draw();
  }

  choose(what) {
    this.menu = false;
    this.alarm = "";
    if (what === "end") this.change("end");
    else if (what === "anew") this.change("start_anew");
    else if (what === "sound") this.mute(this.sound);
    else this.view = what;
    this.draw();
    if (what === "mail") this.fetchMailing();
    else if (what !== "forget") this.focus();
  }

  async fetchMailing() {
    try {
      this.mailing ??= (await import("./mail.js")).mailing;
    } catch {
      this.view = "chat";
      this.warn(_("That did not work. Please try again."));
    }
    this.draw();
  }

  mute(mute) {
    this.sound = !mute;
    this.tell("keep", ["mute", mute ? 1 : null]);
    this.tell("tell", { mute });
    if (!mute) chime();
  }

  async change(name, request) {
    try {
      const { state } = await this.line.command(name, request);
      this.act({ type: "my.state", state: state ?? (await this.line.command("state")) });
      return true;
    } catch {
      this.warn(_("That did not work. Please try again."));
      return false;
    }
  }

  forget() {
    const gone = () => {
      this.line.rest();
      this.tell("forget");
    };
    this.line.command("forget").then(gone, gone);
  }

  async leaveAddress(event, words) {
    event.preventDefault();
    const { email, agrees } = event.target.elements, typed = email.value.trim();
    this.wrongAddress = !/^\S+@\S+$/.test(typed) ? _("Write an address like name@example.org.")
      : agrees.checked ? "" : _("Tick the box first: then we may write to you.");
    this.draw();
    if (this.wrongAddress) {
      (agrees.checked || !typed ? email : agrees).focus();
      return;
    }
    try {
      const { state } = await this.line.command("leave_details", { email: typed, answer_me: words });
      this.left = typed;
      this.act({ type: "my.state", state });
    } catch (problem) {
      this.wrongAddress = problem?.status === 422 ? _("This address does not seem to be right.") : _("That did not work. Please try again.");
    }
    this.draw();
  }

  rateAnew() {
    this.rerate = true;
    this.draw();
  }

  async rate(event) {
    event.preventDefault();
    const { score, text } = event.target.elements;
    const given = { score: Number(score.value), text: text.value.trim() };
    if (!(await this.change("rate", given))) return;
    this.rerate = false;
    this.emit("rated", given.score);
    this.draw();
  }

  earlier() {
    const before = this.state.messages[0]?.id;
    this.line.command("state", { before }).then(({ messages, older }) => this.act({ type: "my.older", messages, older }), silent);
  }

  escape(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.menu) {
      this.toggleMenu();
      document.querySelector("[aria-controls=menu]").focus();
    } else if (this.view === "forget" || this.view === "mail") this.choose("chat");
    else this.close();
  }

  // Tab stays within the question.
  trap(event) {
    if (event.key !== "Tab") return;
    const buttons = [...event.currentTarget.querySelectorAll("button, input")];
    const [from, to] = event.shiftKey ? [buttons[0], buttons.at(-1)] : [buttons.at(-1), buttons[0]];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  }
}
