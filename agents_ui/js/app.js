// Where the console starts: reads what the page carries, fetches the language, wires keyboard and address, draws p-app.

import { get } from './api.js';
import './components/p-app.js';
import * as desk from './desk.js';
import { use } from './i18n.js';
import { listen, route } from './router.js';
import { effect } from './vendor/signals-core.js';

const boot = JSON.parse(document.getElementById('boot').textContent);

await get(boot.catalogue).then(use, () => {}); // English is better than nothing
listen();
document.getElementById('console').replaceChildren(document.createElement('p-app'));
desk.start(boot);
effect(() => {
  void route.value;
  queueMicrotask(desk.look);
});
