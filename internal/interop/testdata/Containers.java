// Containers of national keys, opened by Bouncy Castle's ASN.1 and algorithms (PKCS#12, PKCS#8) and by Java itself (JKS). Neither
// knows the schemes of ДСТУ by a name of JCE, so that they are put together here from the parts.
//
// pfx|pk8|jks FILE PASSWORD     Exit 0 if it opens, 1 if the password or the check does not fit. A line for each thing inside:
// key M D SIGNS                 m of the curve, d in hex, and the SHA-256 of the certificate by which its signature verifies or -
// certificate SHA256
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.pkcs.*;
import org.bouncycastle.asn1.ua.DSTU4145BinaryField;
import org.bouncycastle.asn1.ua.DSTU4145ECBinary;
import org.bouncycastle.asn1.ua.DSTU4145Params;
import org.bouncycastle.asn1.ua.DSTU4145PointEncoder;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.crypto.PBEParametersGenerator;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.crypto.engines.GOST28147Engine;
import org.bouncycastle.crypto.generators.PKCS12ParametersGenerator;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.modes.CFBBlockCipher;
import org.bouncycastle.crypto.params.*;
import org.bouncycastle.crypto.signers.DSTU4145Signer;
import org.bouncycastle.math.ec.ECCurve;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.encoders.Hex;

public class Containers {
    static final String U = "1.2.804.2.1.1.1.1.";
    static final List<byte[]> certificates = new ArrayList<>();
    static final List<PrivateKeyInfo> keys = new ArrayList<>();

    static void require(boolean ok, String what) {
        if (!ok) {
            System.out.println(what);
            System.exit(1);
        }
    }

    static void expect(String what, Object got, Object want) {
        if (!want.equals(got)) {
            throw new IllegalArgumentException(what + ": " + got);
        }
    }

    static byte[] unpacked(byte[] dke) {
        byte[] sbox = new byte[2 * dke.length];
        for (int i = 0; i < dke.length; i++) {
            sbox[2 * i] = (byte) (dke[i] >> 4 & 15);
            sbox[2 * i + 1] = (byte) (dke[i] & 15);
        }
        return sbox;
    }

    static GOST3411Digest hash() {
        return new GOST3411Digest(unpacked(DSTU4145Params.getDefaultDKE()));
    }

    static byte[] reversed(byte[] b) {
        byte[] out = b.clone();
        for (int i = 0; i < b.length; i++) {
            out[i] = b[b.length - 1 - i];
        }
        return out;
    }

    static byte[] decrypt(AlgorithmIdentifier algorithm, byte[] data, char[] password) {
        expect("encryption", algorithm.getAlgorithm(), PKCSObjectIdentifiers.id_PBES2);
        PBES2Parameters scheme = PBES2Parameters.getInstance(algorithm.getParameters());
        PBKDF2Params derivation = PBKDF2Params.getInstance(scheme.getKeyDerivationFunc().getParameters());
        expect("PRF", derivation.getPrf().getAlgorithm().getId(), U + "1.2");
        expect("cipher", scheme.getEncryptionScheme().getAlgorithm().getId(), U + "1.1.3");
        ASN1Sequence parameters = ASN1Sequence.getInstance(scheme.getEncryptionScheme().getParameters());
        byte[] iv = ASN1OctetString.getInstance(parameters.getObjectAt(0)).getOctets();
        byte[] sbox = unpacked(ASN1OctetString.getInstance(parameters.getObjectAt(1)).getOctets());
        PKCS5S2ParametersGenerator generator = new PKCS5S2ParametersGenerator(hash());
        generator.init(PBEParametersGenerator.PKCS5PasswordToUTF8Bytes(password), derivation.getSalt(), derivation.getIterationCount().intValueExact());
        CFBBlockCipher cipher = new CFBBlockCipher(new GOST28147Engine(), 64);
        cipher.init(false, new ParametersWithIV(new ParametersWithSBox(generator.generateDerivedParameters(256), sbox), iv));
        byte[] plain = new byte[data.length];
        cipher.processBytes(data, 0, data.length, plain, 0);
        return plain;
    }

    static void pfx(byte[] file, char[] password) {
        Pfx pfx = Pfx.getInstance(file);
        byte[] safe = ASN1OctetString.getInstance(pfx.getAuthSafe().getContent()).getOctets();
        MacData mac = pfx.getMacData();
        expect("MAC", mac.getMac().getAlgorithmId().getAlgorithm().getId(), U + "2.1");
        PKCS12ParametersGenerator generator = new PKCS12ParametersGenerator(hash());
        generator.init(PBEParametersGenerator.PKCS12PasswordToBytes(password), mac.getSalt(), mac.getIterationCount().intValueExact());
        HMac hmac = new HMac(hash());
        hmac.init(generator.generateDerivedMacParameters(256));
        hmac.update(safe, 0, safe.length);
        byte[] sum = new byte[hmac.getMacSize()];
        hmac.doFinal(sum, 0);
        require(Arrays.equals(sum, mac.getMac().getDigest()), "MAC differs");
        for (ContentInfo info : AuthenticatedSafe.getInstance(safe).getContentInfo()) {
            byte[] contents;
            if (info.getContentType().equals(PKCSObjectIdentifiers.encryptedData)) {
                EncryptedData encrypted = EncryptedData.getInstance(info.getContent());
                contents = decrypt(encrypted.getEncryptionAlgorithm(), encrypted.getContent().getOctets(), password);
            } else {
                contents = ASN1OctetString.getInstance(info.getContent()).getOctets();
            }
            for (ASN1Encodable element : ASN1Sequence.getInstance(contents)) {
                SafeBag bag = SafeBag.getInstance(element);
                if (bag.getBagId().equals(PKCSObjectIdentifiers.certBag)) {
                    certificates.add(ASN1OctetString.getInstance(CertBag.getInstance(bag.getBagValue()).getCertValue()).getOctets());
                    continue;
                }
                expect("bag", bag.getBagId(), PKCSObjectIdentifiers.pkcs8ShroudedKeyBag);
                EncryptedPrivateKeyInfo shrouded = EncryptedPrivateKeyInfo.getInstance(bag.getBagValue());
                keys.add(PrivateKeyInfo.getInstance(decrypt(shrouded.getEncryptionAlgorithm(), shrouded.getEncryptedData(), password)));
            }
        }
    }

    // There is no check: with a wrong password there is no structure.
    static void pk8(byte[] file, char[] password) {
        EncryptedPrivateKeyInfo info = EncryptedPrivateKeyInfo.getInstance(file);
        try {
            keys.add(PrivateKeyInfo.getInstance(decrypt(info.getEncryptionAlgorithm(), info.getEncryptedData(), password)));
        } catch (IllegalArgumentException | ClassCastException e) {
            require(false, "no key: " + e.getMessage());
        }
    }

    // Java keeps the key as it is where no provider knows its algorithm, but for the attributes.
    static void jks(byte[] file, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance("JKS");
        try {
            store.load(new ByteArrayInputStream(file), password);
        } catch (IOException e) {
            require(!(e.getCause() instanceof UnrecoverableKeyException), "the check of the store differs");
            throw e;
        }
        for (String alias : Collections.list(store.aliases())) {
            keys.add(PrivateKeyInfo.getInstance(store.getKey(alias, password).getEncoded()));
            Certificate[] chain = store.getCertificateChain(alias);
            for (Certificate c : chain == null ? new Certificate[0] : chain) {
                certificates.add(c.getEncoded());
            }
        }
    }

    static String sha256(byte[] b) throws Exception {
        return Hex.toHexString(MessageDigest.getInstance("SHA-256").digest(b));
    }

    static void describe(PrivateKeyInfo key) throws Exception {
        expect("algorithm", key.getPrivateKeyAlgorithm().getAlgorithm().getId(), U + "3.1.1");
        DSTU4145ECBinary binary = DSTU4145Params.getInstance(key.getPrivateKeyAlgorithm().getParameters()).getECBinary();
        DSTU4145BinaryField field = binary.getField();
        ECCurve curve = new ECCurve.F2m(field.getM(), field.getK1(), field.getK2(), field.getK3(), binary.getA(),
            new BigInteger(1, reversed(binary.getB())));
        ECPoint base = DSTU4145PointEncoder.decodePoint(curve, reversed(binary.getG()));
        ECDomainParameters domain = new ECDomainParameters(curve, base, binary.getN());
        BigInteger d = new BigInteger(1, reversed(key.getPrivateKey().getOctets()));
        byte[] digest = new byte[32];
        Arrays.fill(digest, (byte) 7);
        DSTU4145Signer signer = new DSTU4145Signer();
        signer.init(true, new ECPrivateKeyParameters(d, domain));
        BigInteger[] signature = signer.generateSignature(digest);
        String signs = "-";
        for (byte[] c : certificates) {
            SubjectPublicKeyInfo info = org.bouncycastle.asn1.x509.Certificate.getInstance(c).getSubjectPublicKeyInfo();
            byte[] point = ASN1OctetString.getInstance(info.parsePublicKey()).getOctets();
            if (point.length != (field.getM() + 7) / 8) {
                continue; // on another curve
            }
            signer.init(false, new ECPublicKeyParameters(DSTU4145PointEncoder.decodePoint(curve, reversed(point)), domain));
            if (signer.verifySignature(digest, signature[0], signature[1])) {
                signs = sha256(c);
            }
        }
        System.out.println("key " + field.getM() + " " + d.toString(16) + " " + signs);
    }

    public static void main(String[] args) throws Exception {
        byte[] file = Files.readAllBytes(Path.of(args[1]));
        if (args[0].equals("pfx")) {
            pfx(file, args[2].toCharArray());
        } else if (args[0].equals("pk8")) {
            pk8(file, args[2].toCharArray());
        } else {
            jks(file, args[2].toCharArray());
        }
        for (PrivateKeyInfo key : keys) {
            describe(key);
        }
        for (byte[] c : certificates) {
            System.out.println("certificate " + sha256(c));
        }
    }
}
