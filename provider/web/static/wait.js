// A page that waits for a telephone: it asks every two seconds while it is seen, at once when it comes to the front, and
// stops half a minute after the request is over. The server is the clock.

const wait = document.getElementById('wait');
const clock = document.getElementById('clock');
const spoken = document.getElementById('spoken');
const progress = document.getElementById('progress');
const focused = document.getElementById('request');

let { revision, mac } = wait.dataset;
let seconds = Number(wait.dataset.seconds);
let since = performance.now();
const stop = since + Number(wait.dataset.pollSeconds) * 1000;
let timer;
let busy = false;

// What a request came to is told where the next press is.
if (focused && document.getElementById('problem')) focused.focus();

// On a telephone the application is here: its link comes first, and the code for another device is a press away.
const code = document.getElementById('qr-box');
if (code && matchMedia('(max-width: 600px)').matches) code.open = false;

const copy = document.getElementById('copy');
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById('open-app').href);
      put(document.getElementById('copied'), copy.dataset.done);
    } catch { copy.hidden = true; } // the browser forbids it: the link itself is beside
  });
}

const left = () => Math.max(0, Math.round(seconds - (performance.now() - since) / 1000));

// put changes a text only if it is another one, so that a screen reader says nothing twice.
function put(element, text) { if (element && element.textContent !== text) element.textContent = text; }

function tick() {
  if (!clock) return;
  const n = left();
  put(clock, `${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`);
  for (const at of [60, 30, 10]) {
    if (n <= at && n > at - 5) put(spoken, spoken.dataset[at]);
  }
}

function follow(url) {
  if (url === location.pathname) location.reload();
  else location.replace(url);
}

async function ask() {
  clearTimeout(timer);
  if (busy || document.visibilityState !== 'visible') return;
  busy = true;
  try {
    const response = await fetch(wait.dataset.poll, {
      method: 'POST', credentials: 'same-origin', cache: 'no-store', redirect: 'error', headers: { Accept: 'application/json' },
      body: new URLSearchParams({ revision, mac }),
    });
    const answer = await response.json();
    if (answer.problem) return location.reload();
    if (answer.url) {
      put(progress, progress?.dataset.verifying ?? '');
      return follow(answer.url);
    }
    ({ revision, mac } = answer);
    seconds = answer.seconds ?? 0;
    since = performance.now();
    put(progress, progress?.dataset.waiting ?? '');
    if (answer.phase !== wait.dataset.phase) return location.reload();
  } catch {
    put(progress, progress?.dataset.offline ?? ''); // nothing is lost: it goes on by itself
  } finally {
    busy = false;
  }
  if (performance.now() < stop) timer = setTimeout(ask, Number(wait.dataset.every));
}

setInterval(tick, 1000);
addEventListener('pageshow', ask);
addEventListener('online', ask);
document.addEventListener('visibilitychange', ask);
ask();
