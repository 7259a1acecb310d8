// On every settings page: copies secrets, tells times by the reader's clock, keeps a form from being lost or sent twice.
// All of it is extra: the pages work without.

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.done;
  });
}

const lang = document.documentElement.lang;
if (Intl.DateTimeFormat.supportedLocalesOf([lang]).length) {
  const told = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });
  for (const time of document.querySelectorAll('time[data-local]')) {
    time.title = time.textContent;
    time.textContent = told.format(new Date(time.dateTime));
  }
}

document.querySelector('[data-focus]')?.focus();

const keeps = [...document.querySelectorAll('form[data-keep]')];
const typed = new Set();
let sending = false;
for (const form of keeps) form.addEventListener('input', () => typed.add(form));
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  if (sending) {
    event.preventDefault();
    return;
  }
  sending = true;
});
window.addEventListener('pageshow', () => { sending = false; });
window.addEventListener('beforeunload', (event) => {
  if (typed.size && !sending) event.preventDefault();
});
