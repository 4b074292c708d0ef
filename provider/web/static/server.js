// Server posts what leaves this page: key ids for a search, the wish for a challenge, the signature. Every form carries the
// revision and the code of its step, which each answer renews.

import { Refused } from './vault.js';

export class Offline extends Error {}

export class Server {
  constructor(data, offline, online) {
    this.data = data;
    this.offline = offline;
    this.online = online;
    this.revision = data.revision;
    this.mac = data.mac;
  }

  // search returns certificates for keys as bytes.
  async search(issuer, ids) {
    if (!this.data.search) throw new Refused('KEY_CERT_NOT_FOUND');
    const answer = await this.#post(this.data.search, { issuer, key_ids: ids.join(',') });
    return (answer.certificates ?? []).map(bytes);
  }

  // ask returns the text to sign.
  async ask() { return (await this.#post(this.data.ask, {})).challenge; }

  // submit hands in the signature and returns the address of the next step.
  async submit(signature) { return (await this.#post(this.data.action, { signature: base64(signature) })).url; }

  async #post(address, fields) {
    for (;;) {
      let response;
      try {
        response = await fetch(address, {
          method: 'POST', credentials: 'same-origin', cache: 'no-store', redirect: 'error',
          headers: { Accept: 'application/json' },
          body: new URLSearchParams({ ...fields, revision: this.revision, mac: this.mac }),
        });
      } catch {
        // Nothing is lost while there is no network: it goes on by itself.
        if (navigator.onLine) throw new Offline();
        this.offline();
        await new Promise((resolve) => addEventListener('online', resolve, { once: true }));
        this.online();
        continue;
      }
      const answer = await response.json().catch(() => ({}));
      if (answer.revision) {
        this.revision = answer.revision;
        this.mac = answer.mac;
      }
      if (answer.problem) {
        const refused = new Refused(answer.problem.code);
        throw Object.assign(refused, { message: answer.problem.message, next: answer.problem.next, event: answer.event });
      }
      if (response.status === 429) throw new Refused('RATE_LIMITED');
      if (!response.ok) throw new Refused('INTERNAL');
      // The login has moved on by another window: this page follows it.
      if (answer.url && address !== this.data.action) location.assign(answer.url);
      return answer;
    }
  }
}

function bytes(text) {
  const raw = atob(text);
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

function base64(data) {
  let raw = '';
  for (const octet of data) raw += String.fromCharCode(octet);
  return btoa(raw);
}
