// Verifies a CMS SignedData of one ДСТУ 4145 signer with Bouncy Castle alone, for sign_test.go.
// Argument: the message. Prints the content and the OIDs of the signed attributes; exit 1 if anything does not verify.
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.cms.SignerInfo;
import org.bouncycastle.asn1.ua.DSTU4145Params;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Verify {
    static byte[] digest(byte[] data) {
        byte[] packed = DSTU4145Params.getDefaultDKE();
        byte[] sbox = new byte[128];
        for (int i = 0; i < packed.length; i++) {
            sbox[2 * i] = (byte) (packed[i] >> 4 & 15);
            sbox[2 * i + 1] = (byte) (packed[i] & 15);
        }
        GOST3411Digest d = new GOST3411Digest(sbox);
        d.update(data, 0, data.length);
        byte[] out = new byte[32];
        d.doFinal(out, 0);
        return out;
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        SignedData sd = SignedData.getInstance(ContentInfo.getInstance(Files.readAllBytes(Path.of(args[0]))).getContent());
        SignerInfo si = SignerInfo.getInstance(sd.getSignerInfos().getObjectAt(0));
        byte[] content = ASN1OctetString.getInstance(sd.getEncapContentInfo().getContent()).getOctets();
        byte[] raw = sd.getCertificates().getObjectAt(0).toASN1Primitive().getEncoded("DER");
        java.security.cert.Certificate cert = CertificateFactory.getInstance("X.509", "BC").generateCertificate(new ByteArrayInputStream(raw));
        AttributeTable table = new AttributeTable(si.getAuthenticatedAttributes());
        byte[] said = ASN1OctetString.getInstance(table.get(CMSAttributes.messageDigest).getAttrValues().getObjectAt(0)).getOctets();
        if (!Arrays.equals(said, digest(content))) {
            System.out.println("messageDigest differs");
            System.exit(1);
        }
        Signature s = Signature.getInstance("1.2.804.2.1.1.1.1.3.1.1", "BC");
        s.initVerify(cert.getPublicKey());
        s.update(si.getAuthenticatedAttributes().getEncoded("DER"));
        if (!s.verify(new DEROctetString(si.getEncryptedDigest().getOctets()).getEncoded())) {
            System.out.println("signature does not verify");
            System.exit(1);
        }
        System.out.print(new String(content, "UTF-8"));
        for (ASN1Encodable e : si.getAuthenticatedAttributes()) {
            System.out.println(Attribute.getInstance(e).getAttrType());
        }
    }
}
