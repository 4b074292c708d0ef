// Times Bouncy Castle at the operations of internal/dstu and prints "name nanoseconds" lines.

import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ua.DSTU4145NamedCurves;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.DSTU7564Digest;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.crypto.engines.GOST28147Engine;
import org.bouncycastle.crypto.generators.DSTU4145KeyPairGenerator;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.modes.CFBBlockCipher;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.params.ParametersWithSBox;
import org.bouncycastle.crypto.signers.DSTU4145Signer;
import org.bouncycastle.util.encoders.Hex;

public class Peers {
    static final int SIZE = 16 << 10;

    // The S-box No. 1, packed as in ASN.1; Bouncy Castle wants one entry a byte.
    static byte[] sbox() {
        byte[] packed = Hex.decode("a9d6eb45f13c708280c4967b231f5eadf658eba4c037291d38d96bf025ca4e17"
            + "f8e9720dc615b43a28975f0bc1dea36438b564ea2c179fd0123e6db8fac57904");
        byte[] out = new byte[128];
        for (int i = 0; i < 64; i++) {
            out[2 * i] = (byte) (packed[i] >> 4 & 15);
            out[2 * i + 1] = (byte) (packed[i] & 15);
        }
        return out;
    }

    // Warm up for two seconds, then the shortest of the rounds of a millisecond, or one call, in two seconds. A call that
    // is longer than the machine leaves alone is better known by the processor time of two rounds of a second.
    static void time(String name, double per, Runnable run) {
        LongSupplier used = ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime;
        for (long end = System.nanoTime() + 2_000_000_000L; System.nanoTime() < end;) run.run();
        double best = Double.MAX_VALUE;
        for (long end = System.nanoTime() + 2_000_000_000L; System.nanoTime() < end;) {
            best = Math.min(best, round(System::nanoTime, 1_000_000L, run));
        }
        for (int i = 0; i < 2; i++) best = Math.min(best, round(used, 1_000_000_000L, run));
        System.out.printf(java.util.Locale.ROOT, "%s %.3f%n", name, best / per);
    }

    static double round(LongSupplier clock, long least, Runnable run) {
        long start = clock.getAsLong(), used, n = 0;
        do {
            run.run();
            n++;
            used = clock.getAsLong() - start;
        } while (used < least);
        return (double) used / n;
    }

    static void check(boolean ok) {
        if (!ok) throw new IllegalStateException("wrong result");
    }

    public static void main(String[] args) {
        SecureRandom random = new SecureRandom();
        byte[] digest = new byte[32];
        random.nextBytes(digest);
        for (int index : new int[] {6, 9}) {
            ECDomainParameters domain = DSTU4145NamedCurves.getByOID(
                new ASN1ObjectIdentifier("1.2.804.2.1.1.1.1.3.1.1.2." + index));
            DSTU4145KeyPairGenerator generator = new DSTU4145KeyPairGenerator();
            generator.init(new ECKeyGenerationParameters(domain, random));
            AsymmetricCipherKeyPair pair = generator.generateKeyPair();
            DSTU4145Signer signer = new DSTU4145Signer(), verifier = new DSTU4145Signer();
            signer.init(true, new ParametersWithRandom(pair.getPrivate(), random));
            verifier.init(false, pair.getPublic());
            BigInteger[] sig = signer.generateSignature(digest);
            String name = index == 6 ? "M257" : "M431";
            time("verify-" + name, 1, () -> check(verifier.verifySignature(digest, sig[0], sig[1])));
            time("sign-" + name, 1, () -> signer.generateSignature(digest));
        }
        byte[] data = new byte[SIZE], out = new byte[64];
        Digest gost = new GOST3411Digest(sbox());
        // The digest of the letters "123123" shows that these are the parameters of the others.
        gost.update("123123".getBytes(), 0, 6);
        gost.doFinal(out, 0);
        check(Arrays.equals(Arrays.copyOf(out, 32),
            Hex.decode("34d4da2c04e9c1ceb933282069c864617d94ed7cc5c0a9840c0c1a99629df637")));
        time("gost34311", SIZE, () -> { gost.update(data, 0, SIZE); gost.doFinal(out, 0); });
        Digest kupyna = new DSTU7564Digest(256);
        time("kupyna256", SIZE, () -> { kupyna.update(data, 0, SIZE); kupyna.doFinal(out, 0); });
        for (boolean encrypt : new boolean[] {true, false}) {
            BlockCipher cfb = new CFBBlockCipher(new GOST28147Engine(), 64);
            cfb.init(encrypt, new ParametersWithIV(new ParametersWithSBox(new KeyParameter(new byte[32]), sbox()), new byte[8]));
            time(encrypt ? "cfb-encrypt" : "cfb-decrypt", SIZE, () -> {
                for (int i = 0; i < SIZE; i += 8) cfb.processBlock(data, i, data, i);
            });
        }
        // A hundredth of the 10,000 iterations, so that a round stays short.
        time("pbkdf2", 0.01, () -> {
            PKCS5S2ParametersGenerator g = new PKCS5S2ParametersGenerator(new GOST3411Digest(sbox()));
            g.init("password".getBytes(), digest, 100);
            g.generateDerivedMacParameters(256);
        });
        time("container-key", 0.01, () -> {
            byte[] k = "password".getBytes();
            for (int i = 0; i < 100; i++) {
                gost.update(k, 0, k.length);
                k = new byte[32];
                gost.doFinal(k, 0);
            }
        });
    }
}
