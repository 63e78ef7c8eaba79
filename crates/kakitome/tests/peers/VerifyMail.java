import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Set;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStoreBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Bouncy Castle verifies signatures and the path to a root. Each line of standard input names the signature in DER, the
 * detached content ("-" for none) and the root, separated by tabs. For each, one line comes back: "good", or why not.
 */
public final class VerifyMail {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            String said;
            try {
                String[] files = line.split("\t");
                verify(files[0], files[1], files[2]);
                said = "good";
            } catch (Exception refused) {
                said = refused.toString().replace('\n', ' ');
            }
            System.out.println(said);
        }
    }

    private static void verify(String signature, String content, String root) throws Exception {
        byte[] der = Files.readAllBytes(Path.of(signature));
        CMSSignedData signed = content.equals("-")
            ? new CMSSignedData(der)
            : new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(Path.of(content))), der);
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        X509Certificate anchor =
            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(root))));
        if (signed.getSignerInfos().size() != 1) {
            throw new Exception("there is not one signer");
        }
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            X509CertificateHolder holder =
                (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
            X509Certificate certificate = new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder);
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate))) {
                throw new Exception("the signature does not verify");
            }
            X509CertSelector target = new X509CertSelector();
            target.setCertificate(certificate);
            PKIXBuilderParameters path = new PKIXBuilderParameters(Set.of(new TrustAnchor(anchor, null)), target);
            path.addCertStore(new JcaCertStoreBuilder().setProvider("BC").addCertificates(signed.getCertificates()).build());
            path.setRevocationEnabled(false);
            CertPathBuilder.getInstance("PKIX", "BC").build(path);
        }
    }
}
