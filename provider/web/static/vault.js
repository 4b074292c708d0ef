// Vault is the page's end of the worker that holds a key: it fetches the program once, makes a worker for each opening, and
// ends it after the signature, after five minutes and whenever the page is told to. Nothing of the key is kept here.

// Refused is an outcome with a code that the person is told. keep says that the key may stay open.
export class Refused extends Error {
  constructor(code, values, keep = false) {
    super(code);
    Object.assign(this, { code, values, keep });
  }
}

// What the worker calls by names of its own.
const codes = {
  FORMAT_UNSUPPORTED: 'KEY_UNSUPPORTED', ISSUER_FOREIGN: 'INTERNAL', CHALLENGE_MALFORMED: 'INTERNAL',
  RANDOM_UNAVAILABLE: 'INTERNAL',
};
const openLife = 5 * 60 * 1000;
const answerLife = 30 * 1000;

// The one policy of this page: it makes the address of the worker and no other.
const policy = (address) => {
  const rule = { createScriptURL(url) { if (url !== address) throw new TypeError('not the worker'); return url; } };
  return window.trustedTypes ? window.trustedTypes.createPolicy('brama-worker', rule) : rule;
};

export class Vault {
  #worker = null;
  #module = null; // the compiled program
  #waiting = new Map();
  #next = 1;
  #timer = 0;
  #policy;
  isReady = false;
  isOpen = false;

  constructor(data, timeUp) {
    this.data = data;
    this.timeUp = timeUp;
    this.#policy = policy(data.worker);
  }

  // start makes a worker with the program in it.
  async start() {
    if (this.isReady) return;
    this.#module ??= await this.#load();
    this.close();
    const worker = new Worker(this.#policy.createScriptURL(this.data.worker));
    this.#worker = worker;
    worker.onmessage = (event) => {
      const waiting = this.#waiting.get(event.data?.id);
      this.#waiting.delete(event.data?.id);
      waiting?.(event.data);
    };
    worker.onerror = () => { if (this.#worker === worker) this.#drop('INTERNAL'); };
    await this.#call({ cmd: 'start', module: this.#module, exec: this.data.exec });
    this.isReady = true;
  }

  // #load fetches the program; the browser compares it with the digest that the page holds.
  async #load() {
    const response = await fetch(this.data.wasm, { integrity: this.data.integrity, credentials: 'same-origin' });
    if (!response.ok) throw new Error('program');
    return WebAssembly.compileStreaming(response);
  }

  // open opens a container. Both arrays are given away.
  async open(data, password) {
    this.#timer = setTimeout(() => this.timeUp(), openLife);
    this.isReady = false; // one worker, one opening
    const answer = await this.#call({ cmd: 'open', data, password }, [data.buffer, password.buffer]);
    this.isOpen = true;
    return answer;
  }

  // add gives the worker certificates; null if none of them fits would be no help, so that is a refusal.
  async add(certificates) {
    const { keys, certificates: list, suggested } = await this.#call({ cmd: 'addCertificates', data: certificates });
    return { keys, certificates: list, suggested };
  }

  // sign returns the signature over the bytes of challenge.
  async sign(certificate, challenge) {
    const answer = await this.#call({ cmd: 'sign', certificate, challenge: new TextEncoder().encode(challenge) });
    return new Uint8Array(answer.signature);
  }

  // close ends the worker: the key is closed.
  close() { this.#drop('KEY_TIMEOUT'); }

  #drop(code) {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = null;
    this.isReady = this.isOpen = false;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    waiting.forEach((done) => done({ ok: false, code }));
  }

  #call(message, transfer = []) {
    const worker = this.#worker;
    if (!worker) return Promise.reject(new Refused('INTERNAL'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => { if (this.#worker === worker) this.#drop('KEY_TIMEOUT'); }, answerLife);
      this.#waiting.set(id, (answer) => {
        clearTimeout(late);
        if (answer.ok) resolve(answer);
        else reject(new Refused(codes[answer.code] ?? answer.code, answer.kind ? { kind: answer.kind } : undefined));
      });
      worker.postMessage({ id, ...message }, transfer);
    });
  }
}
