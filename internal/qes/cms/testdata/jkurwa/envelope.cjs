// Opens or makes an envelope by npm's jkurwa, an implementation that is not ours: stdin to stdout.
//   node envelope.cjs open KEY.der SENDER.cer
//   node envelope.cjs seal KEY.der TO.cer     (prints iv, wcek, data and ukm in base64)
const fs = require('fs');
const gost89 = require('gost89');
const jk = require('jkurwa');

const algo = gost89.compat.algos();
const [mode, keyFile, ...certFiles] = process.argv.slice(2);
const key = jk.Priv.from_asn1(fs.readFileSync(keyFile));
const certs = certFiles.map((f) => jk.Certificate.from_asn1(fs.readFileSync(f)));
const input = fs.readFileSync(0);

if (mode === 'open') {
  const message = new jk.models.Message(input);
  process.stdout.write(message.decrypt(key, algo, () => certs[0]));
} else {
  // Encrypts alone: its encoder needs a fork of asn1.js that the registry does not have.
  const { iv, wcek, data, ukm } = key.encrypt(input, certs[0], algo);
  process.stdout.write(JSON.stringify({ iv, wcek, data, ukm }, (k, v) => (v && v.type === 'Buffer' ? Buffer.from(v.data).toString('base64') : v)));
}
