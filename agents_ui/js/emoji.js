// The emoji that people use with customers, with words to find them by, and the picker. Loaded when the first one is wanted.

import { _ } from './base.js';
import { Part, bring } from './parts.js';
import { html, live } from './vendor/lit.js';

const LINES = `
😀 grinning happy smile|😃 smiley happy|😄 smile happy laugh|😁 beaming grin|😅 sweat relief phew|😂 joy tears laugh|🤣 rofl laugh|🙂 slight smile|😉 wink|😊 blush warm smile
😇 halo angel|🥰 hearts love|😍 eyes love|🤩 star wow|😘 kiss|😋 yum tasty|😎 cool sunglasses|🤗 hug|🤔 thinking hmm|🤨 brow doubt|😐 neutral|😶 silent|🙄 rolling eyes|😬 grimace awkward
😌 relieved calm|😔 sad pensive|😴 sleep tired|🤒 ill sick|🤯 mind blown|😕 confused|😟 worried|🙁 frown sad|😮 open wow|😳 flushed|🥺 pleading please|😢 cry sad|😭 sob cry|😤 huff|😠 angry|😡 rage angry|🥳 party celebrate|🥴 woozy|😷 mask|🤓 nerd
👋 wave hello bye|✋ hand stop|👌 ok|🤏 pinch little|✌️ victory peace|🤞 fingers crossed luck|👈 left|👉 right|👆 up|👇 down|☝️ point one|👍 thumbs up yes good +1|👎 thumbs down no bad -1|👏 clap bravo|🙌 raised hooray|🤝 handshake deal|🙏 thanks please pray folded|💪 strong muscle|✍️ writing|👀 eyes look|🧠 brain|🤷 shrug|🤦 facepalm|🙋 raise hand me|🙇 bow sorry
❤️ heart love red|🧡 orange heart|💛 yellow heart|💚 green heart|💙 blue heart|💜 purple heart|🖤 black heart|🤍 white heart|💔 broken heart|💯 hundred perfect|✨ sparkles|⭐ star|🌟 glow star|🔥 fire hot|🎉 tada party|🎊 confetti|🎁 gift present|🎂 cake birthday|🎈 balloon|🏆 trophy win|🥇 medal first
✅ check done yes|☑️ ticked|✔️ tick|❌ cross no wrong|❎ crossed|⚠️ warning|⛔ stop forbidden|🚫 no forbidden|❗ exclamation|❓ question|ℹ️ info|🆗 ok|🆕 new|🔴 red|🟠 orange|🟡 yellow|🟢 green|🔵 blue|⏰ alarm clock|⏳ hourglass wait|⌛ hourglass over|🕐 clock time|📅 calendar date|📆 calendar tear
📦 package parcel box|🚚 truck delivery|✈️ plane|🚲 bike|🛵 scooter|🚢 ship|🏠 house home|🏢 office|🏬 store shop|🛒 cart shopping|🛍️ bags shopping|💳 card payment|💶 euro money|💵 dollar money|💰 money|🧾 receipt invoice|🏷️ label price|📈 up chart|📉 down chart|📊 chart|🔖 bookmark
📞 phone call|📱 mobile phone|💻 laptop computer|🖥️ desktop|🖨️ printer|📷 camera photo|🎥 video|📧 mail email|✉️ letter envelope|📨 incoming mail|📩 mail|📝 memo note|📄 page document|📎 paperclip attachment|📌 pin|📍 place location|🔗 link|🔑 key|🔒 lock|🔓 unlock|🔍 search|🔧 wrench repair|🛠️ tools|⚙️ gear settings|🔋 battery|🔌 plug|💡 idea bulb|🔔 bell|🔕 mute|📣 megaphone|💬 speech chat|💭 thought|🗑️ trash|♻️ recycle|🌐 globe web|🔄 refresh again
☀️ sun|⛅ cloud sun|🌧️ rain|❄️ snow|🌈 rainbow|🌸 blossom|🌹 rose|🌻 sunflower|🌱 seedling|🌳 tree|🍀 clover luck|☕ coffee|🍵 tea|🍺 beer|🥂 cheers|🍕 pizza|🍔 burger|🍎 apple|🍰 cake|🍪 cookie|🐶 dog|🐱 cat|🐝 bee|🐘 elephant|🦄 unicorn|🚀 rocket launch|🎯 target|🎵 music|⚽ football|🎮 game
`;

/** @type {[string, string][]} the sign and the words for it, best first */
export const EMOJI = LINES.trim().split(/[|\n]/).map((one) => {
  const at = one.indexOf(' ');
  return [one.slice(0, at), one.slice(at + 1)];
});

let chosen = null;

/** @param {(sign: string) => void} pick */
export async function pickEmoji(anchor, pick) {
  await bring({ name: 'emoji.css', load: () => Promise.resolve(), css: 'emoji.css' });
  let part = document.querySelector('p-emoji');
  if (!part) document.body.append((part = document.createElement('p-emoji')));
  chosen = pick;
  await part.updateComplete;
  part.open(anchor);
}

class Emoji extends Part {
  #query = ''; #at = 0;

  open(anchor) {
    const box = this.querySelector('[popover]'), rect = anchor.getBoundingClientRect(), turned = document.documentElement.dir === 'rtl';
    this.#query = '';
    this.#at = 0;
    this.requestUpdate();
    box.showPopover();
    const start = turned ? innerWidth - rect.right : rect.left;
    box.style.insetInlineStart = `${Math.max(8, Math.min(start, innerWidth - box.offsetWidth - 8))}px`;
    box.style.insetBlockStart = `${Math.max(8, rect.top - box.offsetHeight - 6)}px`;
    this.querySelector('input').focus();
  }

  get #found() {
    const words = this.#query.toLowerCase().split(/\s+/).filter(Boolean);
    return EMOJI.filter(([, told]) => words.every((word) => told.includes(word)));
  }

  render() {
    const found = this.#found;
    return html`<div popover class="emoji" role="dialog" aria-label=${_('Emoji')} @keydown=${this.#key}>
      <input type="text" role="combobox" autocomplete="off" aria-expanded="true" aria-controls="emoji-all" aria-label=${_('Find an emoji')} placeholder=${_('Find an emoji')}
        aria-activedescendant=${`emoji${this.#at}`} .value=${live(this.#query)} @input=${this.#typed}>
      <div id="emoji-all" class="emoji__all" role="listbox" aria-label=${_('Emoji')}>${found.map(([sign, told], at) => html`<span role="option" id=${`emoji${at}`} aria-selected=${at === this.#at ? 'true' : 'false'}
        aria-label=${told} title=${told.split(' ')[0]} class=${at === this.#at ? 'emoji__one emoji__one--at' : 'emoji__one'} @click=${() => this.#pick(sign)}>${sign}</span>`)}</div>
    </div>`;
  }

  #typed = (event) => {
    this.#query = event.target.value;
    this.#at = 0;
    this.requestUpdate();
  };

  #key = (event) => {
    const found = this.#found, wide = Math.max(1, Math.floor(this.querySelector('.emoji__all').clientWidth / 40));
    const ahead = document.documentElement.dir === 'rtl' ? -1 : 1;
    const step = { ArrowRight: ahead, ArrowLeft: -ahead, ArrowDown: wide, ArrowUp: -wide }[event.key];
    if (step) this.#at = Math.max(0, Math.min(found.length - 1, this.#at + step));
    else if (event.key === 'Enter' && !event.isComposing && found[this.#at]) this.#pick(found[this.#at][0]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.requestUpdate();
    this.updateComplete.then(() => this.querySelector('.emoji__one--at')?.scrollIntoView({ block: 'nearest' }));
  };

  #pick(sign) {
    this.querySelector('[popover]').hidePopover();
    chosen(sign);
    document.querySelector('p-composer textarea')?.focus();
  }
}

customElements.define('p-emoji', Emoji);
