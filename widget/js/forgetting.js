// What is asked before a visitor is forgotten on this device.

import { html, ref } from "../vendor/lit-html.js";
import { _ } from "./words.js";

export function forgetting(chat) {
  return html`<div class="veil"><div class="card" role="alertdialog" aria-modal="true" aria-labelledby="forget-h"
    aria-describedby="forget-p" @keydown=${(event) => chat.trap(event)}>
    <h2 id="forget-h">${_("Forget me on this device?")}</h2>
    <p id="forget-p">${_("This chat will no longer be shown here. What you wrote to us stays with us.")}</p>
    <p class="choice"><button class="main" type="button" @click=${() => chat.forget()}>${_("Forget me")}</button>
    <button class="plain" type="button" ${ref(chat.cancelFound)} @click=${() => chat.choose("chat")}>${_("Cancel")}</button></p>
  </div></div>`;
}
