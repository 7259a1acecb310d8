// Who sits here: known by a token that the loader keeps, signed in by the site, in all tabs the same. The fourth part of
// Chat (chat.js).

import { Whereabouts } from "./whereabouts.js";

export class Whoever extends Whereabouts {
  identify(jwt) {
    this.jwt = jwt;
    if (!jwt) return;
    if (this.line.state === "live") this.introduced = jwt;
    this.line.command("identify", { jwt }).then(
      ({ visitor, state }) => {
        if (visitor && visitor !== this.token) {
          this.another(); // a snapshot follows
          this.keepToken(visitor);
          this.tell("tell", { token: visitor });
        }
        this.act({ type: "my.state", state });
      },
      (problem) => problem && this.emit("error", problem.detail),
    );
  }

  // Somebody else sits here now: what the one before said, wrote and had not sent yet is not theirs.
  another() {
    this.act({ type: "my.forgotten" });
    this.draft = "";
    this.given = {};
  }

  // They have signed in in another tab, so what our page has signed is old.
  becomes(token) {
    if (!token || !this.token || token === this.token) return;
    this.another();
    this.token = token;
    this.jwt = null;
    this.line.anew();
  }

  keepToken(token) {
    this.token = token;
    this.tell("keep", ["token", token]);
  }
}
