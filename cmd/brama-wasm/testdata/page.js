// The page of chromium_test.go: every container is opened by a worker of its own, as the page S2 does it; then one signs.
"use strict";

const bytes = (hex) => new Uint8Array((hex.match(/../g) ?? []).map((h) => parseInt(h, 16)));

function vault(module) {
  const worker = new Worker("/static/worker.js");
  const waiting = new Map();
  let next = 0;
  worker.onmessage = ({ data }) => waiting.get(data.id)(data);
  const call = (message, transfer = []) => new Promise((resolve) => {
    const id = next++;
    waiting.set(id, resolve);
    worker.postMessage({ ...message, id }, transfer);
  });
  return { call, end: () => worker.terminate(), start: () => call({ cmd: "start", module, exec: "/static/wasm_exec.js" }) };
}

async function main() {
  const { containers, own, foreign } = await (await fetch("/task")).json();
  const module = await WebAssembly.compileStreaming(fetch("/static/brama.wasm"));
  const answers = [];
  for (const c of containers) {
    const v = vault(module);
    const started = await v.start();
    const data = bytes(c.data).buffer, password = new TextEncoder().encode(c.password).buffer;
    const begin = performance.now();
    const opened = started.ok ? await v.call({ cmd: "open", data, password }, [data, password]) : started;
    opened.ms = performance.now() - begin;
    if (opened.ok && opened.suggested !== null) {
      const sign = (challenge) => v.call({ cmd: "sign", certificate: opened.suggested, challenge: bytes(challenge) });
      const refused = await sign(foreign);
      const signed = await sign(own);
      opened.refused = refused.code;
      opened.signed = signed.ok ? { hex: Array.from(new Uint8Array(signed.signature), (o) => o.toString(16).padStart(2, "0")).join("") } : { hex: "" };
    }
    v.end();
    answers.push(opened);
  }
  return answers;
}

main().then((answers) => ({ answers }), (error) => ({ error: String(error) }))
  .then((result) => fetch("/result", { method: "POST", body: JSON.stringify(result) }));
