// What a site loads: one line, this one file. It draws the launcher, makes the frame when somebody opens it, and keeps
// for the frame what has to last, for inside a frame of another site a browser may keep nothing. The frame decides;
// this only relays. hub.web.widget_files puts the inbox in the place of __CONFIG__.
(() => {
  const W = window;
  const D = document;
  const early = W.Parley;
  if (early?.version) return;
  const C = __CONFIG__;
  if (W.origin === "null") return console.warn("Parley: a page from a file or a sandbox has no chat. Open it over http.");

  const hub = new URL(C.base).origin;
  const K = `parley:${C.token}:`;
  const me = D.currentScript;
  const events = new EventTarget();
  const memory = {};
  const look = {};
  const [label, name, unreadLabel] = C.words;
  const side = `inset-inline-${C.side || "end"}:max(20px,env(safe-area-inset-right))`;
  const bottom = "max(20px,env(safe-area-inset-bottom))";
  let host, button, badge, voice, panel, frame, port, leader, resign, bus, marked;
  let isOpen = false;
  let unread = 0;

  // Sites may forbid storage: then it lasts as long as the page.
  const keep = ([key, value]) => {
    try {
      if (value == null) localStorage.removeItem(K + key);
      else localStorage[K + key] = value;
    } catch {
      memory[key] = value;
    }
  };
  const kept = () => {
    const all = { ...memory };
    try {
      for (const key in localStorage) if (key.startsWith(K)) all[key.slice(K.length)] = localStorage[key];
    } catch {}
    return all;
  };
  const wasOpen = (value) => {
    try {
      return value == null ? sessionStorage[K] > 0 : (sessionStorage[K] = value);
    } catch {}
  };

  const lang = () => look.lang || me?.dataset.lang || C.lang || D.documentElement.lang || navigator.language;
  const plain = () => D.title.replace(/^\(\d+\+?\) /, "");
  const place = () => ({ page: location.href, title: plain(), referrer: D.referrer });
  const narrow = () => W.matchMedia("(max-width:480px)").matches;
  const send = (t, d) => port?.postMessage({ t, d });
  const tell = (what) => bus?.postMessage(what);
  const emit = ([type, detail]) => {
    events.dispatchEvent(new CustomEvent(type, { detail }));
    W.dispatchEvent(new CustomEvent(`parley:${type}`, { detail }));
  };

  const sheet = `:host{all:initial!important;--c:${C.colour};--on:${C.on}}
:host([hidden]){display:none!important}
button{all:unset;box-sizing:border-box;position:fixed;z-index:2147483000;inset-block-end:${bottom};${side};inline-size:60px;block-size:60px;border-radius:50%;background:var(--c);color:var(--on);display:grid;place-items:center;cursor:pointer;box-shadow:0 3px 14px #0005;border:1px solid #0000}
button:focus-visible{outline:3px solid var(--c);outline-offset:3px;box-shadow:0 0 0 3px #fff}
svg{inline-size:28px;fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
b{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;border-radius:11px;background:#b3261e;color:#fff;font:700 13px/22px system-ui;text-align:center}
[aria-expanded=true] b{display:none}
p{position:fixed;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
div{position:fixed;z-index:2147483001;inset-block-end:calc(${bottom} + 74px);${side};inline-size:min(400px,100vw - 40px);block-size:min(640px,100dvh - 114px);border-radius:14px;overflow:hidden;box-shadow:0 6px 36px #0005}
[hidden]{display:none}
iframe{border:0;inline-size:100%;block-size:100%;color-scheme:normal}
@media(max-width:480px){div{inset:0;inline-size:auto;block-size:auto;border-radius:0}[aria-expanded=true]{visibility:hidden}}
@media print{:host{display:none!important}}`;

  const make = (tag, attributes, ...inside) => {
    const kind = tag === "svg" || tag === "path" ? "2000/svg" : "1999/xhtml";
    const element = D.createElementNS("http://www.w3.org/" + kind, tag);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    element.append(...inside);
    return element;
  };

  const count = (number) => {
    const words = number ? unreadLabel.replace("{0}", number) : "";
    if (number > unread && !isOpen) voice.textContent = words;
    unread = number;
    badge.textContent = number > 9 ? "9+" : number || "";
    badge.hidden = !number;
    button.setAttribute("aria-label", number ? `${label}, ${words}` : label);
    mark();
  };
  const mark = () => {
    if ((unread || marked) && C.prefix !== false) D.title = unread ? `(${badge.textContent}) ${plain()}` : plain();
    marked = unread;
  };

  // --- the frame -----------------------------------------------------------------------------------------------------

  const ensureFrame = () => {
    if (frame) return;
    frame = make("iframe", {
      title: name,
      allow: "autoplay; microphone",
      referrerpolicy: "strict-origin-when-cross-origin",
      src: `${C.base}/frame?lang=${encodeURIComponent(lang())}#${encodeURIComponent(location.origin)}`,
    });
    if (hub !== location.origin) frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads");
    panel = make("div", { role: "dialog", "aria-label": name, hidden: "" }, frame);
    host.shadowRoot.append(panel);
    const take = () => {
      if (!frame) return;
      send("awake", (leader = true));
      return new Promise((done) => (resign = done));
    };
    // One tab of the site holds the line while none is open, and rings.
    if (navigator.locks) navigator.locks.request(K, take);
    else take();
  };

  const greet = ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== hub || data !== "parley:hello") return;
    const begin = (done) => {
      const { port1, port2 } = new MessageChannel();
      port = port1;
      port.onmessage = ({ data: { t, d } }) => {
        heard[t]?.(d);
        if (t === "live") done();
      };
      setTimeout(done, 9e3);
      source.postMessage({ parley: 1, kept: kept(), place: place(), open: isOpen, leader, look }, hub, [port2]);
    };
    // Two tabs that open for the first time at once are still one visitor.
    if (kept().token || !navigator.locks) begin(() => {});
    else navigator.locks.request(K + 1, () => new Promise(begin));
  };

  const heard = {
    keep,
    tell,
    emit,
    token: () => send("tab", { token: kept().token }),
    unread(number) {
      count(number);
      tell({ unread: number });
      emit(["unread", number]);
    },
    close: () => toggle(false),
    forget: () => api.shutdown(),
  };

  // `quiet`: as it was before a reload; the page keeps its focus.
  const toggle = (open = !isOpen, quiet) => {
    if (open === isOpen) return;
    look.quiet = quiet;
    isOpen = open;
    ensureFrame();
    panel.hidden = !open;
    button.setAttribute("aria-expanded", open);
    wasOpen(+open);
    D.documentElement.style.overflow = open && narrow() ? "hidden" : "";
    send("open", open);
    if (!quiet) (open ? frame : button).focus();
    emit([open ? "open" : "close"]);
  };

  const leave = () => {
    toggle(false);
    port?.close();
    panel?.remove();
    resign?.();
    for (const key in kept()) keep([key]);
    frame = panel = port = leader = resign = look.jwt = undefined;
    count(0);
  };

  // --- what a page may ask for ---------------------------------------------------------------------------------------

  const update = (more) => send("look", Object.assign(look, more));
  let isReady;
  const ready = new Promise((done) => (isReady = done));
  const api = {
    __proto__: null,
    open: () => toggle(true),
    close: () => toggle(false),
    toggle: () => toggle(),
    show: () => (host.hidden = false),
    hide: () => (host.hidden = true),
    identify: ({ jwt }) => update({ jwt }),
    prefill: (prefill) => update({ prefill }),
    update,
    on(type, then) {
      const listener = ({ detail }) => then(detail);
      events.addEventListener(type, listener);
      return () => events.removeEventListener(type, listener);
    },
    ready: () => ready,
    shutdown() {
      tell({ gone: 1 });
      leave();
    },
  };
  const call = (method, ...values) =>
    api[method] ? api[method](...values) : console.warn(`Parley: there is no "${method}".`);
  const push = (asked) => ready.then(() => call(...asked));
  W.Parley = Object.assign((...asked) => push(asked), { version: 1, q: { push } });
  for (const method in api) W.Parley[method] = (...values) => ready.then(() => api[method](...values));
  W.Parley.on = api.on;
  early?.q?.forEach(push);

  const begin = async () => {
    host = make("parley-chat");
    const style = new CSSStyleSheet();
    style.replaceSync(sheet);
    host.attachShadow({ mode: "open" }).adoptedStyleSheets = [style];
    badge = make("b", { "aria-hidden": true });
    voice = make("p", { role: "status" });
    const bubble = make("path", { d: "M20 11.5a7.5 7.5 0 0 1-11 6.600L4 20l1.600-4.500A7.500 7.500 0 1 1 20 11.500z" });
    const picture = make("svg", { viewBox: "0 0 24 24", "aria-hidden": true }, bubble);
    button = make("button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": false }, picture, badge);
    button.onclick = () => toggle();
    host.shadowRoot.append(button, voice);
    D.body.append(host);
    count(0);
    W.addEventListener("message", greet);
    D.addEventListener("click", ({ target }) => target.closest?.("[data-parley-open]") && toggle(true));
    host.addEventListener("keydown", ({ key }) => key === "Escape" && toggle(false));
    const moved = () => {
      send("page", place());
      mark();
    };
    (W.navigation || W).addEventListener(W.navigation ? "navigatesuccess" : "popstate", moved);
    bus = W.BroadcastChannel && new BroadcastChannel(K);
    if (bus) {
      bus.onmessage = ({ data }) => {
        if (data.token) keep(["token", data.token]); // what storage shows of another tab's may be a while behind
        if (data.gone) leave();
        else if (!(data.unread >= 0)) send("tab", data);
        else if (!isOpen) count(data.unread);
      };
    }
    isReady();
    const all = kept();
    if (wasOpen() && !narrow()) toggle(true, true);
    else if (all.going && Date.now() - all.active < 18e5) ensureFrame();
    else if (all.going) {
      // Some while ago: is there an answer? Where the site lets us ask nothing, the frame does.
      try {
        const answer = await fetch(C.base + "/state", { headers: { Authorization: "Bearer " + all.token } });
        count((await answer.json()).unread);
      } catch {
        ensureFrame();
      }
    }
  };
  const start = () => (W.requestIdleCallback || setTimeout)(begin, { timeout: 3e3 });
  D.body ? start() : D.addEventListener("DOMContentLoaded", start);
})();
