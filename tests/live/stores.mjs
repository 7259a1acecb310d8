// The clients' own stores for tests/live/test_state.py: a line {"store", "frames"} in, the state after them out.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const read = (path) => import(`data:text/javascript,${encodeURIComponent(readFileSync(path, 'utf8'))}`);
const [agents, visitors] = await Promise.all(process.argv.slice(2).map(read));
const STORES = { agent: [agents.apply, agents.empty()], visitor: [visitors.apply, visitors.EMPTY] };

for await (const line of createInterface({ input: process.stdin })) {
  const { store, frames } = JSON.parse(line);
  const [apply, empty] = STORES[store];
  process.stdout.write(`${JSON.stringify(frames.reduce(apply, empty))}\n`);
}
