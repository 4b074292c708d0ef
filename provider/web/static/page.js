// What every page does: no service worker lives here, a page from the back-forward cache reloads itself, focus goes to the
// error summary, tabs obey the arrow keys, and the button that signs a person in is dead for the first half second.

if (navigator.serviceWorker) {
  navigator.serviceWorker.getRegistrations().then((all) => all.forEach((one) => one.unregister()), () => {});
}

addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

document.getElementById('problem')?.focus();

tabs(document.getElementById('methods'));
delay(document.getElementById('confirm'));
once();
longer(document.getElementById('longer'));
providers(document.getElementById('providers'));

// tabs gives the list of links the roles of tabs. Arrows, Home and End move the focus; Enter or Space opens, because
// opening costs work.
function tabs(list) {
  const all = list ? [...list.querySelectorAll('a')] : [];
  if (all.length < 2) return;
  list.setAttribute('role', 'tablist');
  const panel = document.getElementById('panel');
  panel.setAttribute('role', 'tabpanel');
  for (const tab of all) {
    const active = tab.getAttribute('aria-current') === 'page';
    tab.removeAttribute('aria-current');
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-selected', String(active));
    tab.tabIndex = active ? 0 : -1;
    if (active) {
      tab.setAttribute('aria-controls', 'panel');
      panel.setAttribute('aria-labelledby', tab.id);
    }
  }
  list.addEventListener('keydown', (event) => {
    const at = all.indexOf(document.activeElement);
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1,
    }[event.key];
    if (event.key === ' ' && at >= 0) {
      event.preventDefault();
      all[at].click();
    }
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    all.forEach((tab) => { tab.tabIndex = tab === next ? 0 : -1; });
    next.focus();
  });
}

// providers puts one field in place of the list of cloud providers: the chosen one is below it. Which one it is travels in
// the fragment of the form's address, so that an error comes back to it.
function providers(list) {
  const all = list ? [...list.querySelectorAll('.provider')] : [];
  if (all.length < 2) return;
  const label = document.createElement('label');
  label.htmlFor = 'provider';
  label.textContent = list.dataset.label;
  const select = document.createElement('select');
  select.id = 'provider';
  select.translate = false;
  for (const one of all) {
    const { provider, name } = one.dataset;
    select.append(new Option(name, provider));
    one.querySelector('.which strong').hidden = true;
    one.querySelector('.which .muted').hidden = true;
    if (one.action) one.action = `${one.getAttribute('action')}#provider=${provider}`;
  }
  const field = document.createElement('div');
  field.className = 'field';
  field.append(label, select);
  list.prepend(field);
  const show = () => all.forEach((one) => { one.hidden = one.dataset.provider !== select.value; });
  const chosen = new URLSearchParams(location.hash.slice(1)).get('provider');
  if (all.some((one) => one.dataset.provider === chosen)) select.value = chosen;
  select.addEventListener('change', show);
  show();
}

// delay keeps the button dead until the page was visible for 500 ms, and again when the window comes to the front: the
// second click of a double click on something else must not sign anybody in.
function delay(button) {
  if (!button) return;
  let timer;
  const arm = () => {
    button.disabled = true;
    clearTimeout(timer);
    if (document.visibilityState === 'visible') timer = setTimeout(() => { button.disabled = false; }, 500);
  };
  arm();
  addEventListener('focus', arm);
  document.addEventListener('visibilitychange', arm);
}

// once stops a second press of the same form while the first is on its way.
function once() {
  for (const form of document.forms) {
    let sent = false;
    form.addEventListener('submit', (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
  }
}

// longer offers more time two minutes before the login ends; one press is enough.
function longer(box) {
  if (!box) return;
  let timer;
  const wait = (seconds) => {
    box.hidden = true;
    clearTimeout(timer);
    timer = setTimeout(() => { box.hidden = false; }, Math.max(0, seconds - 120) * 1000);
  };
  wait(Number(box.dataset.seconds));
  document.getElementById('longer-press').addEventListener('click', async () => {
    try {
      const response = await fetch(box.dataset.action, {
        method: 'POST', headers: { Accept: 'application/json' },
        body: new URLSearchParams({ revision: '0', mac: box.dataset.mac }),
      });
      const { seconds } = await response.json();
      if (seconds) wait(seconds);
      else location.reload();
      document.getElementById('main').focus();
    } catch { /* no network: the box stays, and so does the button */ }
  });
}
