// Runs provider/web/static/worker.js under node as a browser's worker would, for browser_test.go.
// Arguments: worker.js, wasm_exec.js, the program, origin. Standard input: one message a line, JSON; bytes are {hex}.
// Standard output: one answer a line in the same form, with ms, the time that it took.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";

const [workerPath, execPath, wasmPath, origin] = process.argv.slice(2);
const waiting = new Map();
globalThis.self = globalThis;
globalThis.location = { origin, href: origin + "/static/worker.js" };
globalThis.importScripts = (href) => {
  if (href !== origin + "/static/wasm_exec.js") throw new Error("importScripts of " + href);
  runInThisContext(readFileSync(execPath, "utf8"), { filename: execPath });
};
globalThis.postMessage = (answer) => waiting.get(answer.id)(answer);
runInThisContext(readFileSync(workerPath, "utf8"), { filename: workerPath });

const decode = (v) => {
  if (v === null || typeof v !== "object") return v;
  if (typeof v.hex === "string") return new Uint8Array(Buffer.from(v.hex, "hex")).buffer;
  if (Array.isArray(v)) return v.map(decode);
  return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, decode(w)]));
};
const encode = (_, v) => (v instanceof ArrayBuffer ? { hex: Buffer.from(v).toString("hex") } : v);

let next = 0;
const send = (message) => new Promise((resolve) => {
  const id = next++;
  waiting.set(id, resolve);
  self.onmessage({ data: { ...message, id } });
});
const zero = (buffer) => buffer instanceof ArrayBuffer && new Uint8Array(buffer).every((o) => o === 0);

for await (const line of createInterface({ input: process.stdin })) {
  const message = decode(JSON.parse(line));
  if (message.cmd === "start") {
    message.module = new WebAssembly.Module(readFileSync(wasmPath));
    message.exec = "wasm_exec.js";
  }
  if (message.breakRandom) {
    crypto.getRandomValues = () => { throw new Error("no entropy"); };
  }
  const begin = performance.now();
  const answer = await send(message);
  answer.ms = Math.round((performance.now() - begin) * 10) / 10;
  if (message.cmd === "open") answer.wiped = zero(message.data) && zero(message.password);
  process.stdout.write(JSON.stringify(answer, encode) + "\n");
}
process.exit(0);
