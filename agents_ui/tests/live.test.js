import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Live } from '../js/base.js';

class Socket {
  static made = [];
  sent = [];
  readyState = 0;

  constructor(url) {
    this.url = url;
    Socket.made.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  hear(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const settle = async () => { for (let i = 0; i < 20; i++) await Promise.resolve(); };

function line(t, post = async () => ({ ticket: 'T' })) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  Socket.made = [];
  const told = { frames: [], states: [], cursor: null };
  const live = new Live({
    url: 'ws://desk/live', post, cursor: () => told.cursor, WebSocket: Socket, clock: Date.now,
    onframe: (frame) => told.frames.push(frame), onstate: (state) => told.states.push(state),
  });
  t.after(() => {
    live.stop();
    mock.timers.reset();
  });
  live.start();
  return [live, told];
}

test('it says hello with a ticket and the cursor, and comes back with the cursor it has reached', async (t) => {
  const [, told] = line(t);
  await settle();
  Socket.made[0].open();
  assert.deepEqual(Socket.made[0].sent[0], { type: 'hello', ticket: 'T', cursor: null, present: true });
  Socket.made[0].hear({ type: 'live', cursor: 7 });
  told.cursor = 7;
  Socket.made[0].close();
  mock.timers.tick(1_000);
  await settle();
  Socket.made[1].open();
  assert.equal(Socket.made[1].sent[0].cursor, 7);
  assert.deepEqual(told.states, ['connecting', 'live', 'offline', 'connecting']);
});

test('pauses grow up to half a minute', async (t) => {
  const post = mock.fn(async () => { throw new Error('down'); });
  line(t, post);
  await settle();
  for (let i = 0; i < 10; i++) {
    mock.timers.tick(30_000);
    await settle();
  }
  assert.equal(post.mock.callCount(), 11);
});

test('a ping is answered, silence is ended, and a demand for a snapshot is met', async (t) => {
  const [, told] = line(t);
  await settle();
  const socket = Socket.made[0];
  socket.open();
  socket.hear({ type: 'ping' });
  assert.deepEqual(socket.sent.at(-1), { type: 'pong' });
  socket.hear({ type: 'snapshot_required', why: 'too_old' });
  assert.deepEqual(socket.sent.at(-1), { type: 'snapshot' });
  mock.timers.tick(25_000);
  assert.deepEqual(socket.sent.at(-1), { type: 'ping' });
  mock.timers.tick(25_000);
  assert.equal(told.states.at(-1), 'offline');
});

test('where two WebSockets come to nothing it polls', async (t) => {
  const asked = [];
  const post = (path, body) => {
    asked.push([path, body]);
    if (path === '/api/v1/live/tickets') return Promise.resolve({ ticket: 'T' });
    if (path === '/live/poll') return Promise.resolve({ poll: 'p1', frames: [{ type: 'live', cursor: 3 }], after: 2 });
    return new Promise(() => {});
  };
  const [live, told] = line(t, post);
  for (let i = 0; i < 2; i++) {
    await settle();
    Socket.made[i].close(1006);
    mock.timers.tick(2_000);
  }
  await settle();
  assert.equal(Socket.made.length, 2);
  assert.deepEqual(told.frames, [{ type: 'live', cursor: 3 }]);
  const [path, body] = asked.at(-1);
  assert.equal(path, '/live/poll/p1');
  assert.deepEqual(body, { after: 2, frames: [], wait: 25 });
  live.send({ type: 'viewing', number: 1 });
});
