// CMS signatures by Bouncy Castle alone. For ДСТУ 4145 its CMS layer has no digest of that name, so that the structure is
// read and written by its ASN.1 classes and the mathematics done by its provider; ECDSA and RSA go through its CMS layer.
//
// verify MESSAGE CERT|- [CONTENT]                        CERT is DER; - takes the one in the message
// sign KEY CERT CONTENT OUT attached|detached            KEY is PKCS#8, or "CURVE-OID:D" for ДСТУ with D in hex
// request REQUEST                                        a PKCS#10 request: its own signature, and what it asks for
// Exit 0 if it verifies or is written, 1 if it does not verify.
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.ua.DSTU4145NamedCurves;
import org.bouncycastle.asn1.ua.DSTU4145Params;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.IssuerSerial;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.DSTU7564Digest;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.DSTU4145Signer;
import org.bouncycastle.jcajce.provider.asymmetric.util.ECUtil;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.encoders.Hex;

public class BouncyCastle {
    static final String U = "1.2.804.2.1.1.1.1.";

    static Digest newDigest(String oid) {
        switch (oid) {
            case U + "2.1":
                byte[] packed = DSTU4145Params.getDefaultDKE();
                byte[] sbox = new byte[128];
                for (int i = 0; i < packed.length; i++) {
                    sbox[2 * i] = (byte) (packed[i] >> 4 & 15);
                    sbox[2 * i + 1] = (byte) (packed[i] & 15);
                }
                return new GOST3411Digest(sbox);
            case U + "2.2.1": return new DSTU7564Digest(256);
            case U + "2.2.2": return new DSTU7564Digest(384);
            case U + "2.2.3": return new DSTU7564Digest(512);
            case "2.16.840.1.101.3.4.2.1": return new SHA256Digest();
            default: throw new IllegalArgumentException("digest " + oid);
        }
    }

    static byte[] digest(String oid, byte[] data) {
        Digest d = newDigest(oid);
        d.update(data, 0, data.length);
        byte[] out = new byte[d.getDigestSize()];
        d.doFinal(out, 0);
        return out;
    }

    // The wire form of ДСТУ 4145 is little-endian throughout; the signer of the library wants the digest and gives r and s
    // as numbers.
    static byte[] reversed(byte[] b) {
        byte[] out = b.clone();
        for (int i = 0; i < b.length; i++) {
            out[i] = b[b.length - 1 - i];
        }
        return out;
    }

    static X509Certificate certificate(byte[] der) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new ByteArrayInputStream(der));
    }

    static void require(boolean ok, String what) {
        if (!ok) {
            System.out.println(what);
            System.exit(1);
        }
    }

    static void verify(byte[] message, byte[] given, byte[] content) throws Exception {
        SignedData sd = SignedData.getInstance(org.bouncycastle.asn1.cms.ContentInfo.getInstance(message).getContent());
        SignerInfo si = SignerInfo.getInstance(sd.getSignerInfos().getObjectAt(0));
        require(sd.getSignerInfos().size() == 1, "not one signer");
        if (given == null) {
            given = sd.getCertificates().getObjectAt(0).toASN1Primitive().getEncoded("DER");
        }
        X509Certificate cert = certificate(given);
        String algorithm = si.getDigestEncryptionAlgorithm().getAlgorithm().getId();
        if (!algorithm.startsWith(U)) {
            CMSSignedData signed = content == null ? new CMSSignedData(message) : new CMSSignedData(new CMSProcessableByteArray(content), message);
            for (SignerInformation s : signed.getSignerInfos().getSigners()) {
                require(s.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(cert)), "signature does not verify");
            }
            return;
        }
        if (content == null) {
            content = ASN1OctetString.getInstance(sd.getEncapContentInfo().getContent()).getOctets();
        }
        String digestOID = si.getDigestAlgorithm().getAlgorithm().getId();
        AttributeTable table = new AttributeTable(si.getAuthenticatedAttributes());
        byte[] said = ASN1OctetString.getInstance(table.get(CMSAttributes.messageDigest).getAttrValues().getObjectAt(0)).getOctets();
        require(Arrays.equals(said, digest(digestOID, content)), "messageDigest differs");
        SigningCertificateV2 signing = SigningCertificateV2.getInstance(table.get(PKCSObjectIdentifiers.id_aa_signingCertificateV2).getAttrValues().getObjectAt(0));
        ESSCertIDv2 id = signing.getCerts()[0];
        require(Arrays.equals(id.getCertHash(), digest(id.getHashAlgorithm().getAlgorithm().getId(), given)), "signing certificate differs");
        byte[] signed = si.getAuthenticatedAttributes().getEncoded("DER");
        DSTU4145Signer signer = new DSTU4145Signer();
        signer.init(false, ECUtil.generatePublicKeyParameter(cert.getPublicKey()));
        byte[] value = si.getEncryptedDigest().getOctets();
        int half = value.length / 2;
        BigInteger r = new BigInteger(1, reversed(Arrays.copyOf(value, half)));
        BigInteger s = new BigInteger(1, reversed(Arrays.copyOfRange(value, half, value.length)));
        require(signer.verifySignature(digest(digestOID, signed), r, s), "signature does not verify");
    }

    static byte[] signDSTU(String key, X509Certificate cert, byte[] content, boolean detached) throws Exception {
        String[] parts = key.split(":");
        ECDomainParameters domain = DSTU4145NamedCurves.getByOID(new ASN1ObjectIdentifier(parts[0]));
        AlgorithmIdentifier gost = new AlgorithmIdentifier(new ASN1ObjectIdentifier(U + "2.1"));
        String gostOID = gost.getAlgorithm().getId();
        X500Name issuer = X500Name.getInstance(cert.getIssuerX500Principal().getEncoded());
        ESSCertIDv2 id = new ESSCertIDv2(gost, digest(gostOID, cert.getEncoded()),
            new IssuerSerial(new GeneralNames(new GeneralName(issuer)), new ASN1Integer(cert.getSerialNumber())));
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        attributes.add(new Attribute(CMSAttributes.contentType, new DERSet(CMSObjectIdentifiers.data)));
        attributes.add(new Attribute(CMSAttributes.signingTime, new DERSet(new Time(new Date()))));
        attributes.add(new Attribute(CMSAttributes.messageDigest, new DERSet(new DEROctetString(digest(gostOID, content)))));
        attributes.add(new Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(new SigningCertificateV2(id))));
        DERSet set = new DERSet(attributes);
        DSTU4145Signer signer = new DSTU4145Signer();
        signer.init(true, new ECPrivateKeyParameters(new BigInteger(parts[1], 16), domain));
        BigInteger[] rs = signer.generateSignature(digest(gostOID, set.getEncoded("DER")));
        int half = (domain.getN().bitLength() + 7) / 8;
        byte[] value = new byte[2 * half];
        for (int i = 0; i < 2; i++) {
            byte[] le = reversed(rs[i].toByteArray());
            System.arraycopy(le, 0, value, i * half, Math.min(half, le.length));
        }
        SignerInfo si = new SignerInfo(new SignerIdentifier(new IssuerAndSerialNumber(issuer, cert.getSerialNumber())), gost, set,
            new AlgorithmIdentifier(new ASN1ObjectIdentifier(U + "3.1.1")), new DEROctetString(value), (ASN1Set) null);
        SignedData sd = new SignedData(new DERSet(gost), new org.bouncycastle.asn1.cms.ContentInfo(CMSObjectIdentifiers.data, detached ? null : new BEROctetString(content)),
            new DERSet(org.bouncycastle.asn1.x509.Certificate.getInstance(cert.getEncoded())), null, new DERSet(si));
        return new org.bouncycastle.asn1.cms.ContentInfo(CMSObjectIdentifiers.signedData, sd).getEncoded();
    }

    static byte[] sign(String key, byte[] der, byte[] content, boolean detached) throws Exception {
        X509Certificate cert = certificate(der);
        if (key.startsWith(U)) {
            return signDSTU(key, cert, content, detached);
        }
        String kind = cert.getPublicKey().getAlgorithm();
        PrivateKey priv = KeyFactory.getInstance(kind.equals("RSA") ? "RSA" : "EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(key))));
        ESSCertIDv2 id = new ESSCertIDv2(digest("2.16.840.1.101.3.4.2.1", cert.getEncoded()));
        AttributeTable more = new AttributeTable(new DERSet(new Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(new SigningCertificateV2(id)))));
        CMSSignedDataGenerator gen = new CMSSignedDataGenerator();
        gen.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(more))
            .build(new JcaContentSignerBuilder(kind.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA").setProvider("BC").build(priv), cert));
        gen.addCertificates(new JcaCertStore(List.of(cert)));
        return gen.generate(new CMSProcessableByteArray(content), !detached).getEncoded(); // BER
    }

    /** Verifies a request for a certificate with the key that stands in it, and prints the subject and the key usage. */
    static boolean request(byte[] der) throws Exception {
        org.bouncycastle.pkcs.PKCS10CertificationRequest r = new org.bouncycastle.pkcs.PKCS10CertificationRequest(der);
        java.security.PublicKey key = KeyFactory.getInstance("DSTU4145", "BC").generatePublic(
            new java.security.spec.X509EncodedKeySpec(r.getSubjectPublicKeyInfo().getEncoded()));
        Signature s = Signature.getInstance(r.getSignatureAlgorithm().getAlgorithm().getId(), "BC");
        s.initVerify(key);
        s.update(r.toASN1Structure().getCertificationRequestInfo().getEncoded(ASN1Encoding.DER));
        ASN1Encodable asked = r.getAttributes(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest)[0].getAttrValues().getObjectAt(0);
        org.bouncycastle.asn1.x509.KeyUsage usage = org.bouncycastle.asn1.x509.KeyUsage.fromExtensions(org.bouncycastle.asn1.x509.Extensions.getInstance(asked));
        System.out.println(r.getSubject() + " usage " + usage.getBytes()[0]);
        return s.verify(r.getSignature());
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args[0].equals("verify")) {
            byte[] cert = args[2].equals("-") ? null : Files.readAllBytes(Path.of(args[2]));
            verify(Files.readAllBytes(Path.of(args[1])), cert, args.length > 3 ? Files.readAllBytes(Path.of(args[3])) : null);
            System.out.println("verified");
            return;
        }
        if (args[0].equals("request")) {
            if (!request(Files.readAllBytes(Path.of(args[1])))) {
                System.exit(1);
            }
            return;
        }
        byte[] out = sign(args[1], Files.readAllBytes(Path.of(args[2])), Files.readAllBytes(Path.of(args[3])), args[5].equals("detached"));
        Files.write(Path.of(args[4]), out);
    }
}
