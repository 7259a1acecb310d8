// Beside the look of a chat: the questions as one list, which the preview reads, and a picker for each colour.

const form = document.querySelector('form[data-preview]');
const list = form.elements['settings.ask'];
const asked = [...form.querySelectorAll('select[name^="ask."]')];

function gather() {
  list.value = asked.filter(({ value }) => value !== 'no')
    .map(({ name, value }) => name.slice(4) + (value === 'must' ? '*' : '')).join(',');
}

for (const select of asked) select.addEventListener('change', gather, true);
gather();

for (const picker of form.querySelectorAll('input[data-picks]')) {
  const text = form.elements[picker.dataset.picks];
  picker.hidden = false;
  const follow = () => { if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value; };
  follow();
  text.addEventListener('input', follow);
  picker.addEventListener('input', () => {
    text.value = picker.value;
    text.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

for (const button of document.querySelectorAll('[data-scene-of]')) {
  button.addEventListener('click', () => {
    for (const one of document.querySelectorAll('[data-scene-of]')) one.setAttribute('aria-pressed', String(one === button));
    form.dataset.scene = button.dataset.sceneOf;
    form.dispatchEvent(new Event('change'));
  });
}
