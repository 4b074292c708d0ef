// Usage: node cms.js verify MESSAGE [CONTENT]          exit 0 if the signature verifies, 1 if not
//        node cms.js sign KEY CERT CONTENT OUT attached|detached   KEY is PKCS#8, all files DER
const fs = require("fs");
const jk = require("jkurwa");
const algo = require("gost89").compat.algos();

const { Message } = jk.models;
const [verb, ...args] = process.argv.slice(2);

if (verb === "verify") {
  const message = new Message(fs.readFileSync(args[0]));
  if (args[1]) {
    message.info.contentInfo.content = fs.readFileSync(args[1]);
  }
  const ok = message.verify(algo.hash, () => null, []);
  console.log(ok ? "verified" : "not verified");
  process.exit(ok ? 0 : 1);
}
if (verb === "sign") {
  const [key, cert, content, out, mode] = args;
  const data = fs.readFileSync(content);
  const message = new Message({
    type: "signedData",
    cert: jk.Certificate.from_asn1(fs.readFileSync(cert)),
    ...(mode === "detached" ? { dataHash: algo.hash(data) } : { data }),
    hash: algo.hash,
    signer: jk.Priv.from_asn1(fs.readFileSync(key)),
  });
  fs.writeFileSync(out, message.as_asn1());
  process.exit(0);
}
process.exit(2);
