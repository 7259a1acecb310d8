// "E-mail me this conversation": an address, and the code that was mailed there where nobody knows yet that it is theirs.
// Loaded when it is asked for (choices.js).

export function mailing(chat, { html, nothing, ref }, _) {
  const it = (chat.mail ??= { step: "address", email: chat.given.email ?? "", wrong: "" });
  const done = it.step === "sent";
  const send = (event) => {
    event.preventDefault();
    const value = event.target.elements.value.value.trim();
    if (it.step === "address") it.email = value;
    ask(chat, it, it.step === "address" ? ["mail_me", { email: value }] : ["confirm_address", { code: value }], _);
  };
  const field = it.step === "address"
    ? html`<label for="value">${_("E-mail")}</label><input id="value" name="value" type="email" autocomplete="email" dir="ltr" required maxlength="254"
        .value=${it.email} aria-invalid=${!!it.wrong} aria-describedby="value-wrong" ${ref(chat.cancelFound)}>`
    : html`<label for="value">${_("The code from the mail")}</label><input id="value" name="value" inputmode="numeric" autocomplete="one-time-code" dir="ltr" required
        maxlength="12" aria-invalid=${!!it.wrong} aria-describedby="value-wrong" ${ref(chat.cancelFound)}>`;
  return html`<div class="veil"><form class="card" role="dialog" aria-modal="true" aria-labelledby="mail-h" novalidate
    @submit=${send} @keydown=${(event) => chat.trap(event)}>
    <h2 id="mail-h">${_("E-mail me this conversation")}</h2>
    ${done ? html`<p role="status">${_("It is on its way to {0}.", it.email)}</p>`
      : html`<p>${it.step === "address" ? _("We send what was written here to your address.") : _("To see that {0} is yours, we have sent a code there.", it.email)}</p>
        ${field}<p class="wrong" id="value-wrong" role="alert">${it.wrong || nothing}</p>`}
    <p class="choice">${done ? nothing : html`<button class="main" ?disabled=${it.busy}>${it.step === "address" ? _("Send") : _("Confirm")}</button>`}
      <button class=${done ? "main" : "plain"} type="button" @click=${() => leave(chat)}>${done ? _("Close") : _("Cancel")}</button></p>
  </form></div>`;
}

async function ask(chat, it, [name, request], _) {
  it.busy = true;
  it.wrong = "";
  chat.draw();
  try {
    const { state } = await chat.line.command(name, request);
    if (state === "wrong") it.wrong = _("That is not the code. Look once more.");
    else if (state === "over") Object.assign(it, { step: "address", wrong: _("This code is over. Ask for a new one.") });
    else it.step = state;
  } catch (problem) {
    const field = problem?.errors?.length;
    it.wrong = field ? _("This is not an e-mail address.") : problem?.status === 429 ? _("That was asked for too often. Try again in an hour.") : _("That did not work. Please try again.");
  }
  it.busy = false;
  chat.draw();
}

function leave(chat) {
  chat.mail = null;
  chat.choose("chat");
}
