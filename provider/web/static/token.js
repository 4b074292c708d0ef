// The page S3: brama-agent, a program on this computer, has a hardware token sign the challenge. The page gives it the
// challenge and gets the signature; medium, certificate and PIN are the business of the agent's own window. What the agent
// is told is nothing secret: a stranger in its place would learn a challenge.
//
// Elements by id, for tests: state with data-state (idle, looking, found, missing, …) and the version, probe («Перевірити
// ще раз»), permission (the note before the browser asks), issuer, read («Зчитати»), cancel, again, install, status
// (progress), problem with data-code.

import { Messages, swapLanguage } from './messages.js';
import { Server, Offline } from './server.js';
import { Refused } from './vault.js';

const $ = (id) => document.getElementById(id);
const root = $('token');
const probeLimit = 3000;
const loginLimit = 10 * 60 * 1000; // a person may have to look for the token

const messages = new Messages(root, $('texts'));
const server = new Server(root.dataset, () => messages.problem({ code: 'OFFLINE' }), () => messages.clear());

let version = ''; // of the agent that was found
let busy = false;
let stop = null; // ends the agent's window

// --- the agent ---

// permission is what the browser says of programs on this computer: granted, denied, prompt, or '' where it does not say.
async function permission() {
  for (const name of ['loopback-network', 'local-network-access']) {
    try {
      return (await navigator.permissions.query({ name })).state;
    } catch { /* a browser without that name */ }
  }
  return '';
}

function onPhone() {
  return navigator.userAgentData?.mobile || /Android|iPhone|iPad|iPod|Mobile/.test(navigator.userAgent);
}

// call speaks one verb. A refusal of the agent becomes a Refused with its code.
async function call(verb, body, limit, signal) {
  const timer = AbortSignal.timeout(limit);
  const request = {
    mode: 'cors', credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
    signal: signal ? AbortSignal.any([signal, timer]) : timer,
  };
  if (body) Object.assign(request, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const response = await fetch(`${root.dataset.agent}/v1/${verb}`, request);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(known(answer.code), values(answer));
  return answer;
}

// known lets no code through that has no text here.
function known(code) {
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) && messages.text(code) ? code : 'AGENT_FAILED';
}

// values fills the texts: the token tells whether one attempt is left, and no other number.
function values({ code, values: given }) {
  if (code === 'PIN_WRONG') return given?.attempts === 'last' ? { n: '1' } : {};
  return typeof given?.module === 'string' ? { module: given.module.slice(0, 80) } : {};
}

// probe looks for the agent and says what it found.
async function probe() {
  if (onPhone()) return missing('AGENT_MOBILE');
  state('looking');
  let answer;
  try {
    answer = await call('version', null, probeLimit);
  } catch (error) {
    if (error instanceof Refused) return missing(error.code);
    return missing(await whyNot());
  }
  version = String(answer.version ?? '').slice(0, 20);
  if (!(answer.protocol >= Number(root.dataset.protocol))) return missing('AGENT_OLD', { v: version });
  messages.clear();
  state('found');
  return true;
}

// whyNot tells a browser that forbids from an agent that does not know this site, and from no agent at all.
async function whyNot() {
  if (await permission() === 'denied') return 'AGENT_PERMISSION';
  try {
    await fetch(`${root.dataset.agent}/v1/version`, { mode: 'no-cors', credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(probeLimit) });
    return 'AGENT_SITE'; // somebody answers, and not to us
  } catch {
    return 'AGENT_MISSING';
  }
}

function missing(code, values) {
  state(code === 'AGENT_MISSING' || code === 'AGENT_OLD' ? 'missing' : 'refused');
  messages.problem({ code, values });
  return false;
}

// state shows how it stands with the agent.
function state(name) {
  $('state').dataset.state = name;
  messages.put($('state'), messages.word(`token.state.${name}`).replace('{v}', version));
  $('install').hidden = name !== 'missing';
  $('probe').disabled = name === 'looking';
  $('read').disabled = busy || name === 'looking' || $('state').dataset.state === 'refused' && onPhone();
}

$('probe').addEventListener('click', () => { if (!busy) probe(); });

// --- «Зчитати» ---

$('read').addEventListener('click', () => step(read));
$('again').addEventListener('click', () => step(read));
$('cancel').addEventListener('click', () => stop?.abort());
addEventListener('pagehide', () => stop?.abort());

async function read() {
  if ($('state').dataset.state !== 'found' && !await probe()) return;
  progress('token.asking');
  const challenge = base64(new TextEncoder().encode(await server.ask()));
  stop = new AbortController();
  $('cancel').hidden = false;
  progress('token.window');
  let answer = await agent('login', { challenge, language: document.documentElement.lang === 'en' ? 'en' : 'uk' });
  if (answer.search) answer = await find(answer.search);
  $('cancel').hidden = true;
  if (typeof answer.signature !== 'string') throw new Refused('AGENT_FAILED');
  progress('token.verifying');
  const next = await server.submit(bytes(answer.signature));
  progress('token.done');
  location.assign(next);
  await new Promise(() => {}); // the page goes away; «Зчитати» stays dead until then
}

// find looks for certificates that are not on the token; the agent chooses and shows them.
async function find({ id, key_ids: ids }) {
  progress('token.searching');
  let certificates = [];
  let failed = null;
  try {
    if (!Array.isArray(ids) || !ids.every((i) => /^[0-9a-f]{40,64}$/.test(i))) throw new Refused('AGENT_FAILED');
    certificates = await server.search($('issuer').value, ids);
  } catch (error) {
    failed = error; // the agent is told that there are none, so that its window closes
  }
  progress('token.window');
  const answer = agent('certificate', { search: id, certificates: certificates.map(base64) });
  if (!failed) return answer;
  await answer.catch(() => {});
  throw failed;
}

// agent speaks a verb that waits for the person.
async function agent(verb, body) {
  try {
    return await call(verb, body, loginLimit, stop.signal);
  } catch (error) {
    if (error instanceof Refused) throw error;
    if (stop.signal.aborted) throw new Refused('AGENT_CANCELLED');
    version = '';
    state('missing');
    throw new Refused('AGENT_GONE');
  }
}

// --- one thing at a time, and its end ---

async function step(work) {
  if (busy) return;
  busy = true;
  messages.clear();
  $('again').hidden = true;
  $('read').disabled = true;
  try {
    await work();
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused(error instanceof Offline ? 'OFFLINE' : 'INTERNAL');
    $('again').hidden = refused.code !== 'CHALLENGE_EXPIRED';
    messages.problem(refused, refused.code === 'KEY_CERT_NOT_FOUND' ? 'issuer' : undefined);
  } finally {
    busy = false;
    stop = null;
    $('cancel').hidden = true;
    progress('');
    $('read').disabled = false;
  }
}

function progress(word) {
  $('progress').hidden = !word || word === 'token.done';
  messages.put($('status'), word ? messages.word(word) : '');
}

function bytes(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function base64(data) {
  let raw = '';
  for (const octet of data) raw += String.fromCharCode(octet);
  return btoa(raw);
}

// --- the issuer, remembered as on S2 ---

$('issuer').addEventListener('change', () => {
  try {
    if ($('issuer').value) localStorage.setItem('brama.issuer', $('issuer').value);
    else localStorage.removeItem('brama.issuer');
  } catch { /* no storage: nothing is kept */ }
});
try {
  const last = localStorage.getItem('brama.issuer');
  if (last && [...$('issuer').options].some((o) => o.value === last)) $('issuer').value = last;
} catch { /* no storage */ }

// --- the first look ---

// Where the browser will ask the person first, the page says so and waits for a press.
async function first() {
  if (onPhone()) return missing('AGENT_MOBILE');
  const allowed = await permission();
  $('permission').hidden = allowed !== 'prompt';
  if (allowed === 'denied') return missing('AGENT_PERMISSION');
  if (allowed === 'prompt') return state('idle');
  return probe();
}
first();

swapLanguage(root, messages, () => state($('state').dataset.state));
