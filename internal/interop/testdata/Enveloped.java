// Envelopes (CMS EnvelopedData, RFC 5652 6, RFC 5753) with ДСТУ 4145 and ГОСТ 28147 from Bouncy Castle's ASN.1 classes and
// primitives: it has no such envelope whole. The content may be longer than a block and end anywhere.
//
// open CURVE-OID:D CERTIFICATES MESSAGE...        D in hex; CERTIFICATES are files of possible senders, by colons, or -;
//                                                 writes MESSAGE.out and prints "opened" or "refused" for each
// seal TO CONTENT OUT CURVE-OID:D|- SENDER|- OPTION...   options: ctr, key-id, signed-data
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.ua.DSTU4145NamedCurves;
import org.bouncycastle.asn1.ua.DSTU4145Params;
import org.bouncycastle.asn1.ua.DSTU4145PointEncoder;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.crypto.StreamCipher;
import org.bouncycastle.crypto.agreement.ECDHCBasicAgreement;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.crypto.engines.GOST28147Engine;
import org.bouncycastle.crypto.macs.GOST28147Mac;
import org.bouncycastle.crypto.modes.CFBBlockCipher;
import org.bouncycastle.crypto.modes.GOFBBlockCipher;
import org.bouncycastle.crypto.params.*;
import org.bouncycastle.jcajce.provider.asymmetric.util.ECUtil;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.Arrays;
import org.bouncycastle.util.BigIntegers;
import org.bouncycastle.util.encoders.Hex;

public class Enveloped {
    static final String U = "1.2.804.2.1.1.1.1.";
    static final ASN1ObjectIdentifier COFACTOR = new ASN1ObjectIdentifier(U + "3.4");
    static final ASN1ObjectIdentifier WRAP = new ASN1ObjectIdentifier(U + "1.1.5");
    static final ASN1ObjectIdentifier CTR = new ASN1ObjectIdentifier(U + "1.1.2");
    static final ASN1ObjectIdentifier CFB = new ASN1ObjectIdentifier(U + "1.1.3");
    static final byte[] WRAP_IV = Hex.decode("4adda22c79e82105");

    static byte[] sbox() {
        byte[] packed = DSTU4145Params.getDefaultDKE();
        byte[] out = new byte[128];
        for (int i = 0; i < packed.length; i++) {
            out[2 * i] = (byte) (packed[i] >> 4 & 15);
            out[2 * i + 1] = (byte) (packed[i] & 15);
        }
        return out;
    }

    static byte[] stream(boolean ctr, boolean encrypt, byte[] key, byte[] iv, byte[] in) {
        ParametersWithIV p = new ParametersWithIV(new ParametersWithSBox(new KeyParameter(key), sbox()), iv);
        StreamCipher c;
        if (ctr) {
            GOFBBlockCipher g = new GOFBBlockCipher(new GOST28147Engine());
            g.init(encrypt, p);
            c = g;
        } else {
            CFBBlockCipher f = new CFBBlockCipher(new GOST28147Engine(), 64);
            f.init(encrypt, p);
            c = f;
        }
        byte[] out = new byte[in.length];
        c.processBytes(in, 0, in.length, out, 0);
        return out;
    }

    static byte[] mac(byte[] key, byte[] in) {
        GOST28147Mac m = new GOST28147Mac();
        m.init(new ParametersWithSBox(new KeyParameter(key), sbox()));
        m.update(in, 0, in.length);
        byte[] out = new byte[4];
        m.doFinal(out, 0);
        return out;
    }

    static byte[] kek(ECDomainParameters domain, BigInteger d, ECPoint q, AlgorithmIdentifier wrap, ASN1OctetString ukm) throws Exception {
        ECDHCBasicAgreement a = new ECDHCBasicAgreement();
        a.init(new ECPrivateKeyParameters(d, domain));
        byte[] z = BigIntegers.asUnsignedByteArray(a.calculateAgreement(new ECPublicKeyParameters(q, domain)));
        ASN1EncodableVector info = new ASN1EncodableVector();
        info.add(wrap);
        if (ukm != null) {
            info.add(new DERTaggedObject(true, 0, ukm));
        }
        info.add(new DERTaggedObject(true, 2, new DEROctetString(new byte[] {0, 0, 1, 0})));
        byte[] in = Arrays.concatenate(z, new byte[] {0, 0, 0, 1}, new DERSequence(info).getEncoded("DER"));
        GOST3411Digest h = new GOST3411Digest(sbox());
        h.update(in, 0, in.length);
        byte[] out = new byte[32];
        h.doFinal(out, 0);
        return out;
    }

    static ECPublicKeyParameters publicKey(Certificate c) throws Exception {
        return (ECPublicKeyParameters) ECUtil.generatePublicKeyParameter(BouncyCastle.certificate(c.getEncoded()).getPublicKey());
    }

    static byte[] keyID(Certificate c) {
        Extension e = c.getTBSCertificate().getExtensions().getExtension(Extension.subjectKeyIdentifier);
        return SubjectKeyIdentifier.getInstance(e.getParsedValue()).getKeyIdentifier();
    }

    static IssuerAndSerialNumber name(Certificate c) {
        return new IssuerAndSerialNumber(c.getIssuer(), c.getSerialNumber().getValue());
    }

    static byte[] open(ECDomainParameters domain, BigInteger d, List<Certificate> given, byte[] message) throws Exception {
        EnvelopedData e = EnvelopedData.getInstance(ContentInfo.getInstance(message).getContent());
        List<Certificate> senders = new ArrayList<>(given);
        if (e.getOriginatorInfo() != null && e.getOriginatorInfo().getCertificates() != null) {
            for (ASN1Encodable c : e.getOriginatorInfo().getCertificates()) {
                senders.add(Certificate.getInstance(c));
            }
        }
        KeyAgreeRecipientInfo r = KeyAgreeRecipientInfo.getInstance(RecipientInfo.getInstance(e.getRecipientInfos().getObjectAt(0)).getInfo());
        if (!r.getKeyEncryptionAlgorithm().getAlgorithm().equals(COFACTOR)) {
            throw new IllegalArgumentException("agreement");
        }
        ECPoint q = null;
        OriginatorPublicKey own = r.getOriginator().getOriginatorKey();
        if (own != null) {
            byte[] point = ASN1OctetString.getInstance(own.getPublicKey().getOctets()).getOctets();
            q = DSTU4145PointEncoder.decodePoint(domain.getCurve(), Arrays.reverse(point));
        }
        for (Certificate c : senders) {
            SubjectKeyIdentifier id = r.getOriginator().getSubjectKeyIdentifier();
            if (id != null && Arrays.areEqual(id.getKeyIdentifier(), keyID(c)) || name(c).equals(r.getOriginator().getIssuerAndSerialNumber())) {
                q = publicKey(c).getQ();
            }
        }
        AlgorithmIdentifier wrap = AlgorithmIdentifier.getInstance(r.getKeyEncryptionAlgorithm().getParameters());
        if (!wrap.getAlgorithm().equals(WRAP)) {
            throw new IllegalArgumentException("wrap");
        }
        byte[] kek = kek(domain, d, q, wrap, r.getUserKeyingMaterial());
        byte[] wrapped = RecipientEncryptedKey.getInstance(r.getRecipientEncryptedKeys().getObjectAt(0)).getEncryptedKey().getOctets();
        byte[] once = Arrays.reverse(stream(false, false, kek, WRAP_IV, wrapped));
        byte[] both = stream(false, false, kek, Arrays.copyOf(once, 8), Arrays.copyOfRange(once, 8, 44));
        byte[] key = Arrays.copyOf(both, 32);
        if (!Arrays.areEqual(mac(kek, key), Arrays.copyOfRange(both, 32, 36))) {
            throw new IllegalArgumentException("key");
        }
        EncryptedContentInfo content = e.getEncryptedContentInfo();
        ASN1ObjectIdentifier cipher = content.getContentEncryptionAlgorithm().getAlgorithm();
        if (!cipher.equals(CTR) && !cipher.equals(CFB)) {
            throw new IllegalArgumentException("cipher");
        }
        byte[] iv = ASN1OctetString.getInstance(ASN1Sequence.getInstance(content.getContentEncryptionAlgorithm().getParameters()).getObjectAt(0)).getOctets();
        return stream(cipher.equals(CTR), false, key, iv, content.getEncryptedContent().getOctets());
    }

    static byte[] seal(Certificate to, byte[] content, String sender, Certificate senderCert, List<String> options) throws Exception {
        SecureRandom random = new SecureRandom();
        ECPublicKeyParameters peer = publicKey(to);
        ECDomainParameters domain = peer.getParameters();
        boolean byID = options.contains("key-id"), ctr = options.contains("ctr");
        AlgorithmIdentifier wrap = new AlgorithmIdentifier(WRAP, DERNull.INSTANCE);
        OriginatorIdentifierOrKey originator;
        ASN1OctetString ukm = null;
        BigInteger d;
        if (sender == null) {
            d = new BigInteger(domain.getN().bitLength() - 1, random).add(BigInteger.ONE);
            byte[] point = Arrays.reverse(DSTU4145PointEncoder.encodePoint(domain.getG().multiply(d).negate().normalize()));
            originator = new OriginatorIdentifierOrKey(new OriginatorPublicKey(to.getSubjectPublicKeyInfo().getAlgorithm(), new DEROctetString(point).getEncoded()));
        } else {
            d = new BigInteger(sender.split(":")[1], 16);
            originator = byID ? new OriginatorIdentifierOrKey(new SubjectKeyIdentifier(keyID(senderCert))) : new OriginatorIdentifierOrKey(name(senderCert));
            byte[] material = new byte[64];
            random.nextBytes(material);
            ukm = new DEROctetString(material);
        }
        byte[] kek = kek(domain, d, peer.getQ(), wrap, ukm);
        byte[] key = new byte[32], iv = new byte[8], wrapIV = new byte[8];
        random.nextBytes(key);
        random.nextBytes(iv);
        random.nextBytes(wrapIV);
        byte[] once = stream(false, true, kek, wrapIV, Arrays.concatenate(key, mac(kek, key)));
        byte[] wrapped = stream(false, true, kek, WRAP_IV, Arrays.reverse(Arrays.concatenate(wrapIV, once)));
        KeyAgreeRecipientIdentifier id = byID ? new KeyAgreeRecipientIdentifier(new RecipientKeyIdentifier(keyID(to))) : new KeyAgreeRecipientIdentifier(name(to));
        KeyAgreeRecipientInfo info = new KeyAgreeRecipientInfo(originator, ukm, new AlgorithmIdentifier(COFACTOR, wrap),
            new DERSequence(new RecipientEncryptedKey(id, new DEROctetString(wrapped))));
        ASN1ObjectIdentifier type = CMSObjectIdentifiers.data;
        if (options.contains("signed-data")) {
            type = CMSObjectIdentifiers.signedData;
            content = ContentInfo.getInstance(content).getContent().toASN1Primitive().getEncoded();
        }
        EncryptedContentInfo encrypted = new EncryptedContentInfo(type, new AlgorithmIdentifier(ctr ? CTR : CFB, new DERSequence(new DEROctetString(iv))),
            new BEROctetString(stream(ctr, true, key, iv, content)));
        EnvelopedData e = new EnvelopedData(null, new DERSet(new RecipientInfo(info)), encrypted, (ASN1Set) null);
        return new ContentInfo(CMSObjectIdentifiers.envelopedData, e).getEncoded();
    }

    static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Path.of(name));
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args[0].equals("open")) {
            String[] key = args[1].split(":");
            ECDomainParameters domain = DSTU4145NamedCurves.getByOID(new ASN1ObjectIdentifier(key[0]));
            List<Certificate> senders = new ArrayList<>();
            for (String name : args[2].split(":")) {
                if (!name.equals("-")) {
                    senders.add(Certificate.getInstance(read(name)));
                }
            }
            for (int i = 3; i < args.length; i++) {
                try {
                    Files.write(Path.of(args[i] + ".out"), open(domain, new BigInteger(key[1], 16), senders, read(args[i])));
                    System.out.println("opened");
                } catch (RuntimeException e) {
                    System.out.println("refused " + e);
                }
            }
            return;
        }
        Certificate senderCert = args[5].equals("-") ? null : Certificate.getInstance(read(args[5]));
        Files.write(Path.of(args[3]), seal(Certificate.getInstance(read(args[1])), read(args[2]), args[4].equals("-") ? null : args[4], senderCert,
            java.util.Arrays.asList(args).subList(6, args.length)));
    }
}
