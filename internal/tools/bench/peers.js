// Times jkurwa and gost89 at the operations of internal/dstu and prints "name nanoseconds" lines.
'use strict';

const jk = require('jkurwa');
const gost89 = require('gost89');
const { randomBytes } = require('crypto');

const size = 16 << 10;

// Warm up for a second, then the shortest of the rounds of a millisecond, or one call, in two seconds. A call that is
// longer than the machine leaves alone is better known by the processor time of two rounds of a second.
function time(name, per, run) {
  const now = () => Number(process.hrtime.bigint());
  const used = () => {
    const u = process.cpuUsage();
    return (u.user + u.system) * 1000;
  };
  let best = Infinity;
  const round = (clock, least) => {
    const start = clock();
    let n = 0, t;
    do {
      run();
      n++;
      t = clock() - start;
    } while (t < least);
    best = Math.min(best, t / n / per);
  };
  for (const end = now() + 1e9; now() < end;) run();
  for (const end = now() + 2e9; now() < end;) round(now, 1e6);
  round(used, 1e9);
  round(used, 1e9);
  console.log(`${name} ${best.toFixed(3)}`);
}

function check(ok) {
  if (!ok) throw new Error('wrong result');
}

const digest = randomBytes(32);
for (const m of [257, 431]) {
  const curve = jk.std_curve(`DSTU_PB_${m}`);
  const key = curve.keygen();
  const pub = key.pub();
  const sig = key.sign(digest, 'le');
  time(`verify-M${m}`, 1, () => check(pub.verify(digest, sig, 'le')));
  time(`sign-M${m}`, 1, () => key.sign(digest, 'le'));
}

const data = Buffer.alloc(size);
check(gost89.gosthash(Buffer.from('123123')).toString('hex') ===
  '34d4da2c04e9c1ceb933282069c864617d94ed7cc5c0a9840c0c1a99629df637');
time('gost34311', size, () => gost89.gosthash(data));
const cipher = gost89.init();
cipher.key(Buffer.alloc(32));
const out = Buffer.alloc(size);
time('cfb-encrypt', size, () => cipher.crypt_cfb(Buffer.alloc(8), data, out));
time('cfb-decrypt', size, () => cipher.decrypt_cfb(Buffer.alloc(8), data, out));
// A hundredth of the 10,000 iterations, so that a round stays short.
time('pbkdf2', 0.01, () => gost89.pbkdf(Buffer.from('password'), digest, 100));
time('container-key', 0.01, () => gost89.dumb_kdf(Buffer.from('password'), 100));
