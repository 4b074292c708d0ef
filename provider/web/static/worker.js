// The worker that holds a person's key: it starts the browser program (cmd/brama-wasm, Go) and passes messages to it.
//
// One worker per opening of a key: the page makes it when it needs one and ends it by worker.terminate() after the
// signature, on pagehide and after five minutes. The key and the password are here and nowhere else.
//
// This file is served with a policy of its own: default-src 'none'; script-src 'self' 'wasm-unsafe-eval';
// connect-src 'none'. The worker can therefore load nothing but wasm_exec.js and talk to nobody but the page; the page
// fetches and compiles the program and passes the WebAssembly.Module in.
//
// PROTOCOL. Every message of the page has {id, cmd, …}; id is any value of the page's choice. Exactly one answer follows,
// {id, ok: true, …} or {id, ok: false, code, kind?}. Commands are worked off one at a time, in order. Bytes are
// ArrayBuffers or Uint8Arrays; pass those of key and password in the transfer list of postMessage, so that the page keeps
// no copy. The program overwrites what it was given with zeros when it is done. Numbers in a certificate or key are plain
// numbers, times are milliseconds since 1970, ids are lower-case hexadecimal.
//
// {cmd: "start", module, exec}
//     First of all. module: the compiled WebAssembly.Module. exec: the URL of wasm_exec.js, same origin.
//     → {version: 1}   «Зчитати» stays dead until this answer (T36).
//
// {cmd: "open", data, password}
//     data: the bytes of the file the person chose. password: its UTF-8 bytes (TextEncoder), may be empty.
//     → {format, keys, certificates, suggested}
//       format: "key-6.dat" | "pkcs12" | "jks" | "pkcs8" | "pkcs8-encrypted"
//       keys: [{index, alias, algorithm: "DSTU4145" | "ECDSA" | "RSA" | OID, curve, usage: "signing" | "agreement" | "",
//               keyId, keyIdKupyna}]
//               keyId and keyIdKupyna are what the search of certificates is asked for: GOST 34.311 and Kupyna-256 of the
//               public key for DSTU4145, SHA-1 and "" for the others.
//       certificates: as below, in the order found; [] if the container has none, then search and send addCertificates.
//       suggested: index of the certificate to sign with if there is nothing to choose, else null: with several usable
//               ones S7 asks, with none for any key there is KEY_CERT_NOT_FOUND to show. If no certificate is usable but
//               one belongs to a signing key, it is suggested all the same: the server's verdict is the one that counts.
//
// {cmd: "addCertificates", data: [bytes, …]}
//     Each is a certificate (DER, PEM or the base64 of it) or a PKCS#7 bundle of them (.p7b, .p7s), from the search or
//     from a file of the person. What fits no key of the container is left out.
//     → {keys, certificates, suggested} as after open, the whole list anew.
//
//     A certificate: {index, keyIndex, commonName, organization, title, serialNumber, issuer, issuerOrganization,
//               serial, notBefore, notAfter, kind: "person" | "employee" | "seal" | "encryption" | "other", usable,
//               reason}. reason is "" or why it cannot sign in: "CERT_USAGE", "CERT_SEAL", "CERT_EXPIRED",
//               "CERT_NOT_YET_VALID" (the last two by this device's clock). All texts are the certificate's own: put them
//               into textContent only.
//
// {cmd: "close"}
//     → {}   Forgets the key. Ending the worker does more.
//
// {cmd: "sign", certificate, challenge}
//     certificate: an index of the last list. challenge: the exact bytes from the server.
//     → {signature}  an ArrayBuffer: CMS SignedData, CAdES-BES, with the signed attribute purpose = login.
//     Before anything is signed the challenge is read strictly, its issuer must be of this worker's own origin (T4), and
//     the public key computed from the private one must be the certificate's (T39). What is returned was verified.
//
// CODES: KEY_PASSWORD_WRONG; KEY_PASSWORD_MISSING (the container wants one); KEY_DAMAGED; KEY_TOO_BIG; KEY_NOT_A_KEY with
// kind "certificate" | "signed" | "archive" | "other"; FORMAT_UNSUPPORTED (encryption or key that is not taken);
// KEY_CERT_NOT_FOUND (addCertificates: none fits); CERT_USAGE (sign: certificate not for signing); ISSUER_FOREIGN (sign:
// challenge of another origin: show INTERNAL, it is an attack or a bug); CHALLENGE_MALFORMED (the same);
// KEY_CERT_MISMATCH (the same); RANDOM_UNAVAILABLE (the same); INTERNAL (anything else, also if the program died: make a
// new worker).
"use strict";

(() => {
  let program = null; // the Go program's handler, once started
  let queue = Promise.resolve();
  let died;
  const death = new Promise((_, reject) => { died = () => { program = null; reject(new Error("died")); }; });
  death.catch(() => {}); // whoever waits for an answer hears of it

  const fail = (id, code) => self.postMessage({ id, ok: false, code });

  async function start(message) {
    if (program) return { version: 1 };
    const exec = new URL(message.exec, self.location.href);
    if (exec.origin !== self.location.origin || !(message.module instanceof WebAssembly.Module)) throw new Error("start");
    importScripts(exec.href);
    const go = new self.Go();
    const instance = await WebAssembly.instantiate(message.module, go.importObject);
    // The program hands over its handler by calling bramaReady before run gives control back for the first time.
    const ready = new Promise((resolve) => { self.bramaReady = resolve; });
    go.run(instance).finally(died);
    program = await Promise.race([ready, death]);
    delete self.bramaReady;
    return { version: 1 };
  }

  async function handle(message) {
    const id = message.id;
    try {
      if (message.cmd === "start") {
        self.postMessage({ id, ok: true, ...(await start(message)) });
        return;
      }
      if (!program) return fail(id, "INTERNAL");
      // The origin is this worker's own, never a word of the page's.
      const question = { ...message, origin: self.location.origin };
      const answer = await Promise.race([new Promise((resolve) => program(question, resolve)), death]);
      answer.id = id;
      self.postMessage(answer, answer.signature ? [answer.signature] : []);
    } catch {
      // No detail leaves the worker: an exception's text might quote what was being worked on.
      fail(id, "INTERNAL");
    }
  }

  self.onerror = () => { died(); return true; };
  self.onunhandledrejection = (event) => { event.preventDefault(); died(); };
  self.onmessage = (event) => {
    const message = event.data;
    if (!message || typeof message !== "object") return;
    queue = queue.then(() => handle(message));
  };
})();
