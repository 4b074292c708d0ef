// Messages shows what went wrong and what to do, in the words that the server put into the page.

const fields = { KEY_FILE_MISSING: 'choose', KEY_TOO_BIG: 'choose', KEY_NOT_A_KEY: 'choose', KEY_DAMAGED: 'choose',
  KEY_UNSUPPORTED: 'choose', KEY_PASSWORD_MISSING: 'password', KEY_PASSWORD_WRONG: 'password', KEY_ISSUER_MISMATCH: 'issuer',
  KEY_CERT_NOT_FOUND: 'issuer' };

export class Messages {
  #field = null;
  #title = document.title;

  constructor(root, texts) {
    this.root = root;
    this.texts = texts;
  }

  word(key) { return this.texts.querySelector(`[data-word="${key}"]`)?.textContent ?? ''; }

  // put changes a text only if it is another one, so that a screen reader says nothing twice.
  put(element, text) { if (element.textContent !== text) element.textContent = text; }

  // text returns the sentence of a code with its values; a text whose values are not known has a plain variant.
  text(code, values = {}) {
    const entry = this.texts.querySelector(`[data-code="${code}"]`);
    if (!entry) return '';
    let text = entry.textContent;
    for (const [name, value] of Object.entries(values)) {
      if (value) text = text.replace(`{${name}}`, (name === 'kind' && this.word(`kind.${value}`)) || value);
    }
    return text.includes('{') || values.kind === 'other' ? entry.dataset.plain || text : text;
  }

  // problem shows the error summary and moves the focus to it. What the server said is said as it is.
  problem({ code, values, message, next, event }, field = fields[code]) {
    this.clear();
    let known = code;
    let text = next !== undefined ? message : this.text(code, values);
    if (!text) {
      known = 'INTERNAL';
      text = this.text(known);
    }
    const entry = this.texts.querySelector(`[data-code="${known}"]`);
    const box = document.createElement('section');
    box.id = 'problem';
    box.className = 'problem';
    box.tabIndex = -1;
    box.dataset.code = known;
    box.setAttribute('role', 'alert');
    box.setAttribute('aria-labelledby', 'problem-title');
    const line = (tag, id, content) => {
      const element = document.createElement(tag);
      element.id = id;
      element.append(content);
      return element;
    };
    const target = field && document.getElementById(field);
    let sentence = text;
    if (target) {
      sentence = document.createElement('a');
      sentence.href = `#${field}`;
      sentence.textContent = text;
      sentence.addEventListener('click', (click) => { click.preventDefault(); target.focus(); });
      target.setAttribute('aria-invalid', 'true');
      target.setAttribute('aria-describedby', `problem-text ${target.getAttribute('aria-describedby') ?? ''}`.trim());
      this.#field = target;
    }
    box.append(line('h2', 'problem-title', this.word('problem')), line('p', 'problem-text', sentence),
      line('p', 'problem-next', next ?? entry?.dataset.next ?? ''));
    document.querySelector('h1').after(box);
    if (event) document.getElementById('event').textContent = event;
    document.getElementById('code').textContent = known;
    document.getElementById('code-line').hidden = false;
    document.title = this.word('title.error') + this.#title;
    box.focus();
  }

  // clear takes the summary away; with a field, only if it was about that one.
  clear(field) {
    if (field && this.#field?.id !== (field === 'keyfile' ? 'choose' : field)) return;
    document.getElementById('problem')?.remove();
    document.getElementById('code-line').hidden = true;
    const prefix = this.word('title.error');
    document.title = this.#title = document.title.startsWith(prefix) ? document.title.slice(prefix.length) : document.title;
    if (!this.#field) return;
    this.#field.removeAttribute('aria-invalid');
    const described = (this.#field.getAttribute('aria-describedby') ?? '').replace('problem-text', '').trim();
    if (described) this.#field.setAttribute('aria-describedby', described);
    else this.#field.removeAttribute('aria-describedby');
    this.#field = null;
  }
}

// swapLanguage switches the language without leaving the page, for the chosen file would be lost: the same page is fetched
// in the other language and its texts are put in place of these. If that fails, the link does what a link does.
export function swapLanguage(root, messages, done) {
  document.querySelector('.langs')?.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-lang]');
    if (!link) return;
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open('GET', link.href);
    request.responseType = 'document';
    request.onerror = () => location.assign(link.href);
    request.onload = () => {
      const other = request.response;
      const fresh = other?.getElementById(root.id);
      if (request.status !== 200 || !fresh) return location.assign(link.href);
      messages.clear();
      document.documentElement.lang = other.documentElement.lang;
      document.title = other.title;
      copyTexts(document.body, other.body);
      done();
      document.querySelector('.langs a')?.focus();
    };
    request.send();
  });
}

// kept are elements whose content is not the template's but this page's.
const kept = new Set(['issuer', 'key-name', 'keys-list', 'status', 'show', 'password-caps', 'password-layout', 'password-state',
  'use-issuer', 'state', 'event', 'code', 'problem']);

// copyTexts walks two trees of the same template and takes over texts and the attributes that are texts.
function copyTexts(to, from) {
  for (const name of ['aria-label', 'title', 'data-next', 'data-plain', 'lang', 'href', 'hreflang']) {
    if (from.hasAttribute?.(name)) to.setAttribute(name, from.getAttribute(name));
  }
  const mine = [...to.childNodes].filter((n) => n.id !== 'problem');
  const theirs = [...from.childNodes].filter((n) => n.id !== 'problem');
  if (to.classList?.contains('langs')) {
    to.replaceChildren(...theirs.map((n) => document.adoptNode(n)));
    return;
  }
  mine.forEach((node, i) => {
    const other = theirs[i];
    if (!other || node.nodeType !== other.nodeType || kept.has(node.id)) return;
    if (node.nodeType === Node.TEXT_NODE) node.data = other.data;
    else if (node.nodeType === Node.ELEMENT_NODE && node.tagName === other.tagName) copyTexts(node, other);
  });
}
