// The page S2: a person chooses a key file and its password, the worker opens it, signs the challenge and is ended, and
// only the signature is posted. The file and the password go to the worker and nowhere else; see worker.js for the words
// spoken with it.
//
// Elements by id, for tests: issuer, issuer-search, keyfile (the input behind «Обрати»), choose, key-name, remove, password,
// show, read («Зчитати»), certificate (added by hand), searchall, again, use-issuer, keys with one radio of the name "key"
// each and use-key (S7), status (progress), problem with data-code.

import { Messages, swapLanguage } from './messages.js';
import { Server, Offline } from './server.js';
import { Vault, Refused } from './vault.js';

const $ = (id) => document.getElementById(id);
const root = $('filekey');
const maxKey = 1 << 20;

const messages = new Messages(root, $('texts'));
const server = new Server(root.dataset, () => messages.problem({ code: 'OFFLINE' }), () => messages.clear());
const vault = new Vault(root.dataset, () => timeUp());

const issuers = [...$('issuer').options].map((o) => ({ id: o.value, name: o.text, names: [o.text, ...(o.dataset.names ?? '').split('\n')] }));
let file = null; // the chosen key file; the browser reads it when «Зчитати» is pressed
let byHand = null; // a certificate file
let opened = null; // what the worker found
let busy = false;
const found = new Map(); // certificates of earlier searches, by key ids and issuer

prepare();

async function prepare() {
  ready(false);
  progress(true, 'file.loading');
  try {
    await vault.start();
    progress(false, 'file.ready');
    ready(true);
  } catch {
    progress(false);
    messages.problem({ code: navigator.onLine ? 'KEY_PROGRAM_FAILED' : 'OFFLINE' });
  }
}

function ready(yes) { $('read').disabled = !yes || busy; }

function progress(on, word) {
  $('progress').hidden = !on;
  $('status').textContent = word ? messages.word(word) : '';
}

// --- what the person chooses ---

$('choose').addEventListener('click', () => $('keyfile').click());
$('keyfile').addEventListener('change', () => { if ($('keyfile').files.length) choose($('keyfile').files[0]); });
$('remove').addEventListener('click', () => { choose(null); $('choose').focus(); });

function choose(one) {
  file = one;
  if (!one) $('keyfile').value = '';
  $('key-name').textContent = one ? one.name : messages.word('file.none');
  $('remove').hidden = !one;
  if (vault.isOpen) reopen(); // the key of the file before
  messages.clear('keyfile');
}

for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // a file dropped beside the zone must not be opened by the browser
    $('drop').classList.toggle('over', (kind === 'dragenter' || kind === 'dragover') && $('drop').contains(event.target));
    if (kind === 'drop' && event.dataTransfer?.files.length) choose(event.dataTransfer.files[0]);
  });
}

$('show').addEventListener('click', () => {
  const shown = $('password').type === 'password';
  $('password').type = shown ? 'text' : 'password';
  $('show').setAttribute('aria-pressed', String(shown));
  $('show').textContent = messages.word(shown ? 'file.hide' : 'file.show');
  $('password-state').textContent = messages.word(shown ? 'file.shown' : 'file.hidden');
});

for (const kind of ['keydown', 'keyup']) {
  $('password').addEventListener(kind, (event) => {
    if (!event.getModifierState) return;
    messages.put($('password-caps'), event.getModifierState('CapsLock') ? messages.word('file.caps') : '');
    if (kind === 'keydown' && event.key === 'Enter' && !$('read').disabled) read();
  });
}
$('password').addEventListener('input', () => {
  messages.put($('password-layout'), /[\u0400-\u04ff]/.test($('password').value) ? messages.text('KEY_LAYOUT_HINT') : '');
  messages.clear('password');
});

$('issuer-search').addEventListener('input', () => {
  const wanted = $('issuer-search').value.trim().toLocaleLowerCase();
  const chosen = $('issuer').value;
  const fits = issuers.filter((i) => i.id && (i.name + '\n' + i.names.join('\n')).toLocaleLowerCase().includes(wanted));
  const list = wanted ? fits : issuers;
  $('issuer').replaceChildren(...list.map((i) => new Option(i.id ? i.name : automatic(), i.id)));
  $('issuer').value = list.some((i) => i.id === chosen) ? chosen : list[0]?.id ?? '';
  $('issuer-none').hidden = list.length > 0;
  if (!list.length) $('issuer').replaceChildren(new Option(automatic(), ''));
  remember();
});
$('issuer').addEventListener('change', () => { remember(); messages.clear('issuer'); });
$('forget').addEventListener('click', () => { setIssuer(''); $('issuer').focus(); });

function automatic() { return messages.word('file.issuer.auto'); }

function setIssuer(id) {
  $('issuer-search').value = '';
  $('issuer').replaceChildren(...issuers.map((i) => new Option(i.id ? i.name : automatic(), i.id)));
  $('issuer').value = id;
  remember();
}

// remember keeps the issuer for the next time, and nothing of the person.
function remember() {
  try {
    if ($('issuer').value) localStorage.setItem('brama.issuer', $('issuer').value);
    else localStorage.removeItem('brama.issuer');
  } catch { /* no storage: nothing is kept */ }
  $('forget').hidden = !$('issuer').value;
}

try {
  const last = localStorage.getItem('brama.issuer');
  if (last && issuers.some((i) => i.id === last)) setIssuer(last);
} catch { /* no storage */ }

$('certificate').addEventListener('change', () => { byHand = $('certificate').files[0] ?? null; messages.clear(); });

// --- «Зчитати» ---

$('read').addEventListener('click', read);
$('searchall').addEventListener('click', () => step(async () => {
  setIssuer(''); // the person no longer says who issued the key
  await search('');
  await proceed();
}));
$('use-issuer').addEventListener('click', () => { setIssuer($('use-issuer').dataset.issuer); step(proceed); });
$('again').addEventListener('click', () => { messages.clear(); hideButtons(); $('password').focus(); });
$('use-key').addEventListener('click', () => {
  const radio = document.querySelector('input[name="key"]:checked');
  if (radio) step(() => sign(Number(radio.value)));
});
$('keys-back').addEventListener('click', () => { reopen(); $('choose').focus(); });

function read() {
  messages.clear();
  hideButtons();
  if (vault.isOpen) return step(certificates); // after a choice of another issuer or certificate
  if (!file) return messages.problem({ code: 'KEY_FILE_MISSING' }, 'choose');
  if (file.size > maxKey) return messages.problem({ code: 'KEY_TOO_BIG' }, 'choose');
  return step(async () => {
    progress(true, 'file.opening');
    let data;
    try {
      data = new Uint8Array(await file.arrayBuffer());
    } catch {
      throw new Refused('KEY_DAMAGED'); // moved or unreadable since it was chosen
    }
    const password = new TextEncoder().encode($('password').value);
    $('password').value = '';
    $('password').dispatchEvent(new Event('input'));
    opened = await vault.open(data, password);
    await certificates();
  });
}

// certificates finds what the container does not hold: a certificate added by hand, else one of the search.
async function certificates() {
  if (byHand) {
    opened = { ...opened, ...await vault.add([new Uint8Array(await byHand.arrayBuffer())]) };
  } else if (opened.suggested === null && !usable().length) {
    await search($('issuer').value);
  }
  await proceed();
}

const usable = () => opened.certificates.filter((c) => c.usable);

// search asks the server for the certificates of the keys that can sign: it is told key ids and nothing else.
async function search(issuer) {
  progress(true, 'file.searching');
  const ids = opened.keys.filter((k) => k.usage !== 'agreement').flatMap((k) => [k.keyId, k.keyIdKupyna]).filter(Boolean);
  if (!ids.length) throw new Refused('KEY_CERT_NOT_FOUND');
  const key = issuer + '|' + ids.join(',');
  try {
    if (!found.has(key)) found.set(key, await server.search(issuer, ids));
    opened = { ...opened, ...await vault.add(found.get(key)) };
  } catch (error) {
    if (error instanceof Refused && error.code === 'KEY_CERT_NOT_FOUND') {
      $('searchall').hidden = !issuer;
      $('certificate-box').open = true;
    }
    throw error;
  }
}

// proceed decides what to sign with: one certificate at once, several by S7.
async function proceed() {
  progress(false);
  const choices = usable();
  if (opened.suggested === null && choices.length > 1) return choice(choices);
  const index = opened.suggested ?? choices[0]?.index;
  if (index === undefined) throw new Refused('KEY_CERT_NOT_FOUND');
  return sign(index);
}

async function sign(index) {
  const certificate = opened.certificates.find((c) => c.index === index);
  checkIssuer(certificate);
  $('keys').hidden = true;
  progress(true, 'file.signing');
  const challenge = await server.ask();
  const signature = await vault.sign(index, challenge);
  close(); // the key is closed before the signature leaves
  progress(true, 'file.verifying');
  const next = await server.submit(signature);
  progress(false, 'file.done');
  location.assign(next);
  await new Promise(() => {}); // the page goes away; «Зчитати» stays dead until then
}

// checkIssuer says that the key is another issuer's than the one chosen, where both are known.
function checkIssuer(certificate) {
  const chosen = issuers.find((i) => i.id && i.id === $('issuer').value);
  const own = issuers.find((i) => i.id && i.names.includes(certificate?.issuer));
  if (!chosen || !own || chosen === own) return;
  $('use-issuer').hidden = false;
  $('use-issuer').dataset.issuer = own.id;
  $('use-issuer').textContent = messages.word('file.useissuer').replace('{issuer}', own.name);
  throw new Refused('KEY_ISSUER_MISMATCH', { issuer: own.name, other: chosen.name }, true);
}

// choice shows S7. All texts of a certificate are its own: text nodes only.
function choice(choices) {
  const line = (c) => {
    const role = [c.title, c.organization].filter(Boolean).join(', ') || messages.word('keys.person');
    return `${c.commonName} – ${role}; ${messages.word('keys.issuer')} ${c.issuer}; ${messages.word('keys.until')} ${date(c.notAfter)}`;
  };
  const rows = choices.map((c, i) => {
    const label = document.createElement('label');
    label.className = 'choice';
    const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'key', value: String(c.index), checked: i === 0 });
    const text = document.createElement('span');
    text.textContent = line(c);
    text.translate = false;
    label.append(radio, text);
    return label;
  });
  const rest = opened.certificates.filter((c) => !c.usable);
  if (rest.length) {
    const title = document.createElement('h3');
    title.textContent = messages.word('keys.unusable');
    const list = document.createElement('ul');
    for (const c of rest) {
      const item = document.createElement('li');
      item.textContent = `${line(c)} – ${messages.word(reasons[c.reason] ?? 'keys.unsupported')}`;
      list.append(item);
    }
    rows.push(title, list);
  }
  $('keys-list').replaceChildren(...rows);
  $('keys').hidden = false;
  $('read-line').hidden = true;
  $('keys-title').focus();
}

const reasons = {
  CERT_USAGE: 'keys.encryption', CERT_SEAL: 'keys.seal', CERT_EXPIRED: 'keys.expired', CERT_NOT_YET_VALID: 'keys.notyet',
};

function date(ms) {
  const d = new Date(ms);
  const two = (n) => String(n).padStart(2, '0');
  return `${two(d.getDate())}.${two(d.getMonth() + 1)}.${d.getFullYear()}`;
}

// --- one thing at a time, and its end ---

// step runs what a press began. What fails is shown, the file and the issuer stay, the key is closed.
async function step(work) {
  if (busy) return;
  busy = true;
  ready(false);
  let open = false; // the key stays open only where the person is asked something that needs it
  try {
    await work();
    open = !$('keys').hidden;
  } catch (error) {
    progress(false);
    const refused = error instanceof Refused ? error : new Refused(error instanceof Offline ? 'OFFLINE' : 'INTERNAL');
    open = vault.isOpen && (refused.keep || !$('searchall').hidden);
    $('again').hidden = refused.code !== 'CHALLENGE_EXPIRED';
    if (!open) close();
    messages.problem(refused, refused.code.startsWith('KEY_PASSWORD') ? 'password' : refused.field);
  } finally {
    busy = false;
  }
  if (vault.isOpen) ready(true);
  else prepareQuietly();
}

// prepareQuietly makes the next worker without a word on the page: the person reads the problem.
async function prepareQuietly() {
  ready(false);
  try {
    await vault.start();
  } catch {
    messages.problem({ code: 'KEY_PROGRAM_FAILED' });
  }
  ready(vault.isReady);
}

// close ends the worker and with it the key.
function close() {
  vault.close();
  opened = null;
  $('keys').hidden = true;
  $('keys-list').replaceChildren();
  $('read-line').hidden = false;
}

function timeUp() {
  const asked = opened !== null;
  close();
  hideButtons();
  progress(false);
  if (asked) messages.problem({ code: 'KEY_TIMEOUT' }, 'password');
  if (!busy) prepareQuietly();
}

// reopen closes the key and makes ready for another.
function reopen() {
  close();
  hideButtons();
  if (!busy) prepareQuietly();
}

function hideButtons() {
  for (const id of ['searchall', 'again', 'use-issuer']) $(id).hidden = true;
}

addEventListener('pagehide', close);

swapLanguage(root, messages, () => {
  $('key-name').textContent = file ? file.name : messages.word('file.none');
  $('show').textContent = messages.word($('password').type === 'text' ? 'file.hide' : 'file.show');
  issuers[0].name = automatic();
  $('issuer').querySelector('option[value=""]')?.replaceChildren(automatic());
});
