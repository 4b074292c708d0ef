// Usage: node cms.js verify MESSAGE [CONTENT]          exit 0 if the signature verifies, 1 if not
//        node cms.js sign KEY CERT CONTENT OUT attached|detached   KEY is PKCS#8, all files DER
//        node cms.js open PASSWORD CONTENT attached|detached URLS FILE...   for each container: opens it, has a certificate
//            that is not inside searched at the CMP services (URLS, divided by commas), signs into FILE.p7s; prints JSON
const fs = require("fs");
const http = require("http");
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

// query is what jkurwa wants of a client of HTTP: answer(body, status), status 0 if there is no answer.
function query(method, url, headers, payload, answer) {
  const request = http.request(url, { method, headers }, (response) => {
    const parts = [];
    response.on("data", (part) => parts.push(part));
    response.on("end", () => answer(Buffer.concat(parts), response.statusCode));
  });
  request.on("error", () => answer(Buffer.alloc(0), 0));
  request.end(payload);
}

async function open(file, password, content, mode, urls) {
  const box = new jk.Box({ algo, query });
  const result = { keys: [], certificates: 0, searched: false, error: "" };
  try {
    box.load({ keyBuffers: [fs.readFileSync(file)], password });
    result.keys = box.keys.map(({ keyid }) => keyid);
    result.certificates = Object.keys(box.certsById).length;
    if (!box.keys.some(({ cert }) => cert)) {
      result.searched = true;
      await box.findCertsCmp(urls);
    }
    fs.writeFileSync(`${file}.p7s`, await box.pipe(content, [{ op: "sign", detached: mode === "detached" }], {}));
  } catch (e) {
    result.error = String(e.message || e);
  }
  return result;
}

if (verb === "open") {
  const [password, content, mode, urls, ...files] = args;
  (async () => {
    const results = {};
    for (const file of files) {
      results[file] = await open(file, password, fs.readFileSync(content), mode, urls.split(","));
    }
    console.log(JSON.stringify(results));
  })();
} else {
  process.exit(2);
}
