// Where the visitor is: looking at all, at the end of what was said, in which field. The third part of Chat (chat.js).

import { Choices } from "./choices.js";

export class Whereabouts extends Choices {
  isLooking() {
    return this.isOpen && !document.hidden;
  }

  // Who is at the end stays there, whatever comes and however the room for it changes.
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.stuck = scrollHeight - scrollTop - clientHeight < 60;
    if (!this.below || !this.stuck) return;
    this.below = false;
    this.draw();
  }

  toEnd() {
    this.stuck = true;
    this.below = false;
    this.draw();
  }

  // A greeting alone is read from its beginning.
  sink() {
    const { messages, outbox } = this.state;
    if (this.stuck && this.log) this.log.scrollTop = messages.length + outbox.length ? this.log.scrollHeight : 0;
  }

  // To where one begins. The loader's word overtakes the browser's own that the frame is back on the page, and till then
  // nothing in here is drawn and so nothing takes the focus: an animation frame comes when it is.
  focus() {
    requestAnimationFrame(() => {
      const first = document.querySelector(".before input:not([type=checkbox]), .way");
      if (this.isOpen) (this.draft ? this.writer : (first ?? this.writer))?.focus({ preventScroll: true });
    });
  }
}
