// On the made-up shop of a preview (hub/web/preview.py), before the chat loads: whether it is open at first. Not a module,
// because those run too late. The loader takes it for a page that was loaded anew, and leaves the focus where it is.

try {
  const { scene } = document.currentScript.dataset;
  sessionStorage['parley:preview:'] = scene === 'closed' ? 0 : 1;
} catch {
  // No storage: the launcher has to be pressed.
}
// Whoever shows the page is told when there is something to see.
addEventListener('parley:ready', () => parent.postMessage('preview:ready', location.origin));
addEventListener('load', () => setTimeout(() => parent.postMessage('preview:ready', location.origin), 600));
