import java.math.BigInteger;
import java.security.SecureRandom;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ua.DSTU4145NamedCurves;
import org.bouncycastle.asn1.ua.DSTU4145PointEncoder;
import org.bouncycastle.crypto.agreement.ECDHBasicAgreement;
import org.bouncycastle.crypto.agreement.ECDHCBasicAgreement;
import org.bouncycastle.crypto.digests.DSTU7564Digest;
import org.bouncycastle.crypto.engines.DSTU7624Engine;
import org.bouncycastle.crypto.macs.DSTU7624Mac;
import org.bouncycastle.crypto.modes.CFBBlockCipher;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.Arrays;
import org.bouncycastle.util.BigIntegers;
import org.bouncycastle.util.encoders.Hex;

/**
 * The parts of an envelope with Kupyna and Kalyna from Bouncy Castle's primitives. All values are hex; points and d are
 * little-endian.
 *   open plain|cofactor CURVE D POINT WRAPPED IV DATA  prints the content
 *   seal plain|cofactor CURVE POINT CONTENT            prints POINT WRAPPED IV DATA
 */
public class Envelope {
    static final byte[] WRAP_IV = Hex.decode("6973271d6e611d06616715046c65504c2020004f6d68011f65610c0c73734714");
    // SharedInfo without user keying material: the wrap 1.2.804.2.1.1.1.1.1.3.11 with NULL, 256 bits.
    static final byte[] SHARED_INFO = Hex.decode("3019300f060b2a8624020101010101030b0500a206040400000100");

    static byte[] cfb(boolean encrypt, byte[] key, byte[] iv, byte[] in) {
        CFBBlockCipher c = new CFBBlockCipher(new DSTU7624Engine(256), 256);
        c.init(encrypt, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] out = new byte[in.length];
        c.processBytes(in, 0, in.length, out, 0);
        return out;
    }

    static byte[] mac(byte[] key, byte[] in) {
        DSTU7624Mac m = new DSTU7624Mac(256, 256);
        m.init(new KeyParameter(key));
        m.update(in, 0, in.length);
        byte[] out = new byte[32];
        m.doFinal(out, 0);
        return out;
    }

    static byte[] kek(ECDomainParameters domain, boolean cofactor, BigInteger d, ECPoint q) {
        ECPrivateKeyParameters own = new ECPrivateKeyParameters(d, domain);
        ECPublicKeyParameters peer = new ECPublicKeyParameters(q, domain);
        BigInteger x;
        if (cofactor) {
            ECDHCBasicAgreement a = new ECDHCBasicAgreement();
            a.init(own);
            x = a.calculateAgreement(peer);
        } else {
            ECDHBasicAgreement a = new ECDHBasicAgreement();
            a.init(own);
            x = a.calculateAgreement(peer);
        }
        int size = (domain.getCurve().getFieldSize() + 7) / 8;
        byte[] in = Arrays.concatenate(BigIntegers.asUnsignedByteArray(size, x), new byte[] {0, 0, 0, 1}, SHARED_INFO);
        DSTU7564Digest h = new DSTU7564Digest(256);
        h.update(in, 0, in.length);
        byte[] out = new byte[32];
        h.doFinal(out, 0);
        return out;
    }

    public static void main(String[] a) {
        boolean cofactor = a[1].equals("cofactor");
        ECDomainParameters domain = DSTU4145NamedCurves.getByOID(new ASN1ObjectIdentifier("1.2.804.2.1.1.1.1.3.1.1.2." + a[2]));
        if (a[0].equals("open")) {
            BigInteger d = new BigInteger(1, Arrays.reverse(Hex.decode(a[3])));
            ECPoint q = DSTU4145PointEncoder.decodePoint(domain.getCurve(), Arrays.reverse(Hex.decode(a[4])));
            byte[] kek = kek(domain, cofactor, d, q);
            byte[] once = Arrays.reverse(cfb(false, kek, WRAP_IV, Hex.decode(a[5])));
            byte[] both = cfb(false, kek, Arrays.copyOf(once, 32), Arrays.copyOfRange(once, 32, 96));
            byte[] key = Arrays.copyOf(both, 32);
            if (!Arrays.areEqual(mac(kek, key), Arrays.copyOfRange(both, 32, 64))) {
                throw new IllegalStateException("the wrapped key does not open");
            }
            System.out.println(Hex.toHexString(cfb(false, key, Hex.decode(a[6]), Hex.decode(a[7]))));
            return;
        }
        SecureRandom random = new SecureRandom();
        ECPoint q = DSTU4145PointEncoder.decodePoint(domain.getCurve(), Arrays.reverse(Hex.decode(a[3])));
        BigInteger d = new BigInteger(domain.getN().bitLength() - 1, random).add(BigInteger.ONE);
        ECPoint own = domain.getG().multiply(d).negate().normalize();
        byte[] kek = kek(domain, cofactor, d, q);
        byte[] key = new byte[32], iv = new byte[32], wrapIV = new byte[32];
        random.nextBytes(key);
        random.nextBytes(iv);
        random.nextBytes(wrapIV);
        byte[] once = cfb(true, kek, wrapIV, Arrays.concatenate(key, mac(kek, key)));
        byte[] wrapped = cfb(true, kek, WRAP_IV, Arrays.reverse(Arrays.concatenate(wrapIV, once)));
        System.out.println(Hex.toHexString(Arrays.reverse(DSTU4145PointEncoder.encodePoint(own))) + " " + Hex.toHexString(wrapped)
            + " " + Hex.toHexString(iv) + " " + Hex.toHexString(cfb(true, key, iv, Hex.decode(a[4]))));
    }
}
