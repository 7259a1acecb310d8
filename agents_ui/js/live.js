// The line to the desk: the only WebSocket, or long polling where none gets through. It keeps the cursor, so that
// nothing is missed however often the line breaks. docs/protocol.md tells what goes over it. For desk.js.

const FIRST = 1_000, LONGEST = 30_000, SILENCE = 20_000, DEAD = 45_000;
const RETRY_SOCKET = 5 * 60_000; // after which one that polls tries a WebSocket again

export class Live {
  #socket = null; #stopped = false; #tries = 0; #broken = 0; #timer = 0; #beat = 0; #heard = 0; #told = 0;
  #poll = null; #polled = 0;

  /**
   * @param {object} with_
   * @param {string} with_.url of the WebSocket
   * @param {(path: string, body: object, options?: object) => Promise<any>} with_.post
   * @param {() => number|null} with_.cursor
   * @param {(frame: object) => void} with_.onframe
   * @param {(state: 'connecting'|'live'|'offline', problem?: Error) => void} with_.onstate
   */
  constructor({ url, post, cursor, onframe, onstate, WebSocket = globalThis.WebSocket, clock = Date.now }) {
    Object.assign(this, { url, post, cursor, onframe, onstate, WebSocket, clock });
  }

  start() {
    this.#stopped = false;
    this.#beat = setInterval(() => this.#pulse(), 5_000);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#beat);
    this.#drop();
  }

  /** Now, not when the pause is over: the network or the window has come back. */
  nudge() {
    if (this.#stopped || this.#socket || this.#poll) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** A passing signal; where there is no line it is lost, as it may be. */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#tell(frame);
    else if (this.#poll) this.#poll.out.push(frame);
  }

  // --- coming in ----------------------------------------------------------------------------------------------------

  async #connect() {
    this.onstate('connecting');
    let ticket;
    try {
      ({ ticket } = await this.post('/api/v1/live/tickets', {}));
    } catch (problem) {
      this.onstate('offline', problem);
      this.#again();
      return;
    }
    if (this.#stopped) return;
    const hello = { type: 'hello', ticket, cursor: this.cursor(), present: true };
    if (this.#broken >= 2 && this.clock() - this.#polled < RETRY_SOCKET) this.#longPoll(hello);
    else this.#open(hello);
  }

  #open(hello) {
    let welcomed = false;
    const socket = (this.#socket = new this.WebSocket(this.url));
    this.#heard = this.clock();
    socket.onopen = () => this.#tell(hello);
    socket.onmessage = ({ data }) => {
      welcomed = true;
      this.#broken = 0;
      this.#hear(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (!welcomed && code === 1006 && ++this.#broken >= 2) this.#polled = this.clock();
      this.onstate('offline');
      this.#again();
    };
  }

  #again() {
    if (this.#stopped) return;
    const pause = Math.min(LONGEST, FIRST * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#poll?.stop.abort();
    this.#poll = null;
  }

  // --- hearing and telling ------------------------------------------------------------------------------------------

  #hear(frame) {
    this.#heard = this.clock();
    switch (frame.type) {
      case 'ping': this.send({ type: 'pong' }); break;
      case 'pong': break;
      case 'snapshot_required': this.send({ type: 'snapshot' }); break;
      case 'live': this.#tries = 0; this.onframe(frame); this.onstate('live'); break;
      default: this.onframe(frame);
    }
  }

  #tell(frame) {
    this.#told = this.clock();
    this.#socket.send(JSON.stringify(frame));
  }

  #pulse() {
    if (!this.#socket) return;
    const now = this.clock();
    if (now - this.#heard > DEAD) {
      this.#drop();
      this.onstate('offline');
      this.#again();
    } else if (this.#socket.readyState === 1 && now - Math.max(this.#heard, this.#told) > SILENCE) {
      this.#tell({ type: 'ping' });
    }
  }

  // --- long polling -------------------------------------------------------------------------------------------------

  async #longPoll(hello) {
    const poll = (this.#poll = { out: [], stop: new AbortController() });
    try {
      let answer = await this.post('/live/poll', { frames: [hello] });
      const path = `/live/poll/${answer.poll}`;
      while (this.#poll === poll) {
        for (const frame of answer.frames) this.#hear(frame);
        const frames = poll.out.splice(0);
        const wait = this.clock() - this.#polled < RETRY_SOCKET ? 25 : 0;
        answer = await this.post(path, { after: answer.after, frames, wait }, { signal: poll.stop.signal, timeout: 40_000 });
        if (!wait) break;
      }
      if (this.#poll === poll) this.#broken = 0;
    } catch (problem) {
      if (this.#poll !== poll) return;
      this.onstate('offline', problem);
    }
    if (this.#poll === poll) this.#poll = null;
    this.#again();
  }
}
