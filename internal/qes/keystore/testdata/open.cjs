// Opens a container with npm's jkurwa, for interop_test.go. Arguments: file, password. Prints the private keys that it
// found, one a line: m of the curve and d, hexadecimal, big-endian.
const fs = require("fs");
const jk = require("jkurwa");
const gost89 = require("gost89");

const [file, password] = process.argv.slice(2);
const box = new jk.Box({ algo: gost89.compat.algos() });
box.load({ keyBuffers: [fs.readFileSync(file)], password });
for (const { priv } of box.keys) {
  if (priv) console.log(priv.curve.m, Buffer.from(priv.d.buf8()).toString("hex").replace(/^0+/, ""));
}
