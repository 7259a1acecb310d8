// On the page of the first administrator: another language shows at once, as long as nothing else has been typed.

const language = document.getElementById('language');
language?.addEventListener('change', () => {
  const typed = [...language.form.querySelectorAll('input')].some((field) => field.value);
  if (!typed) location.search = `?lang=${encodeURIComponent(language.value)}`;
});
