import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.KEKIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Bouncy Castle makes and reads what a row of the table asks for. Each line of standard input: task, algorithm, key,
 * form or cipher, content file, DER file, separated by tabs. One line comes back for each: "done", or why not.
 */
public final class Matrix {
    private static final char[] PASSWORD = "kakitome".toCharArray();
    private static final byte[] KEK = "kakitome-kek-128".getBytes(StandardCharsets.US_ASCII);
    private static final Map<String, ASN1ObjectIdentifier> CIPHERS = Map.of(
        "aes128-cbc", CMSAlgorithm.AES128_CBC, "aes192-cbc", CMSAlgorithm.AES192_CBC, "aes256-cbc", CMSAlgorithm.AES256_CBC,
        "aes128-gcm", CMSAlgorithm.AES128_GCM, "aes192-gcm", CMSAlgorithm.AES192_GCM, "aes256-gcm", CMSAlgorithm.AES256_GCM,
        "3des-cbc", CMSAlgorithm.DES_EDE3_CBC, "rc2-cbc", CMSAlgorithm.RC2_CBC);

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (arguments.length > 0) {
            System.out.println("Bouncy Castle " + new BouncyCastleProvider().getVersionStr());
            return;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            String said;
            try {
                String[] job = line.split("\t");
                perform(job[0], job[1], job[2], job[3], Path.of(job[4]), Path.of(job[5]));
                said = "done";
            } catch (Throwable refused) {
                Throwable cause = refused.getCause() == null ? refused : refused.getCause();
                said = cause.toString().replace('\n', ' ').replace('\t', ' ');
            }
            System.out.println(said);
        }
    }

    private static void perform(String task, String algorithm, String key, String form, Path content, Path der)
        throws Exception {
        switch (task) {
            case "sign" -> Files.write(der, sign(algorithm, key, form, Files.readAllBytes(content)));
            case "verify" -> verify(form, content, der);
            case "encrypt" -> Files.write(der, encrypt(algorithm, key, form, Files.readAllBytes(content)));
            case "decrypt" -> {
                if (!Arrays.equals(decrypt(algorithm, key, form, Files.readAllBytes(der)), Files.readAllBytes(content))) {
                    throw new Exception("other octets came out");
                }
            }
            default -> throw new Exception("unknown task");
        }
    }

    private static X509Certificate certificate(String key) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        return (X509Certificate) factory.generateCertificate(
            new ByteArrayInputStream(Files.readAllBytes(Path.of(key + ".pem"))));
    }

    private static PrivateKey privateKey(String key) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12", "BC");
        try (FileInputStream file = new FileInputStream(key + ".p12")) {
            store.load(file, PASSWORD);
        }
        return (PrivateKey) store.getKey(store.aliases().nextElement(), PASSWORD);
    }

    private static byte[] sign(String algorithm, String key, String form, byte[] content) throws Exception {
        X509Certificate certificate = certificate(key);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        var signer = new JcaContentSignerBuilder(algorithm).setProvider("BC").build(privateKey(key));
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
            new JcaDigestCalculatorProviderBuilder().setProvider("BC").build()).build(signer, certificate));
        generator.addCertificates(new JcaCertStore(List.of(certificate)));
        return generator.generate(new CMSProcessableByteArray(content), form.equals("opaque")).getEncoded("DER");
    }

    private static void verify(String form, Path content, Path der) throws Exception {
        byte[] signature = Files.readAllBytes(der);
        CMSSignedData signed = form.equals("opaque")
            ? new CMSSignedData(signature)
            : new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(content)), signature);
        SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
        X509CertificateHolder holder =
            (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
        if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder))) {
            throw new Exception("the signature does not verify");
        }
    }

    private static byte[] encrypt(String algorithm, String key, String cipher, byte[] content) throws Exception {
        if (algorithm.equals("compress")) {
            return new CMSCompressedDataGenerator().generate(new CMSProcessableByteArray(content),
                new ZlibCompressor()).getEncoded();
        }
        RecipientInfoGenerator recipient = recipient(algorithm, key, cipher);
        var builder = new JceCMSContentEncryptorBuilder(CIPHERS.get(cipher)).setProvider("BC");
        CMSProcessableByteArray typed = new CMSProcessableByteArray(content);
        if (cipher.endsWith("gcm")) {
            CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            return generator.generate(typed, (OutputAEADEncryptor) builder.build()).getEncoded();
        }
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(recipient);
        return generator.generate(typed, builder.build()).getEncoded();
    }

    private static RecipientInfoGenerator recipient(String algorithm, String key, String cipher) throws Exception {
        ASN1ObjectIdentifier wrap = cipher.startsWith("aes128") ? CMSAlgorithm.AES128_WRAP
            : cipher.startsWith("aes192") ? CMSAlgorithm.AES192_WRAP : CMSAlgorithm.AES256_WRAP;
        return switch (algorithm) {
            case "pkcs1" -> new JceKeyTransRecipientInfoGenerator(certificate(key)).setProvider("BC");
            case "oaep-sha1", "oaep-sha256" -> {
                boolean old = algorithm.endsWith("sha1");
                OAEPParameterSpec spec = new OAEPParameterSpec(old ? "SHA-1" : "SHA-256", "MGF1",
                    old ? MGF1ParameterSpec.SHA1 : MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
                var identifier = new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(
                    org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_RSAES_OAEP, spec);
                yield new JceKeyTransRecipientInfoGenerator(certificate(key), identifier).setProvider("BC");
            }
            case "ecdh", "x25519" -> {
                X509Certificate certificate = certificate(key);
                var generator = java.security.KeyPairGenerator.getInstance(algorithm.equals("ecdh") ? "EC" : "X25519", "BC");
                if (algorithm.equals("ecdh")) {
                    generator.initialize(((java.security.interfaces.ECPublicKey) certificate.getPublicKey()).getParams());
                }
                var pair = generator.generateKeyPair();
                yield new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, pair.getPrivate(),
                    pair.getPublic(), wrap).addRecipient(certificate).setProvider("BC");
            }
            case "password" -> new JcePasswordRecipientInfoGenerator(wrapPassword(cipher), PASSWORD).setProvider("BC")
                .setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8)
                .setPRF(PasswordRecipient.PRF.HMacSHA256);
            case "kek" -> new JceKEKRecipientInfoGenerator(
                new KEKIdentifier("kakitome".getBytes(StandardCharsets.US_ASCII), null, null),
                new SecretKeySpec(KEK, "AES")).setProvider("BC");
            default -> throw new Exception("unknown recipient");
        };
    }

    private static ASN1ObjectIdentifier wrapPassword(String cipher) {
        return cipher.startsWith("aes128") ? CMSAlgorithm.AES128_CBC : CMSAlgorithm.AES256_CBC;
    }

    private static byte[] decrypt(String algorithm, String key, String cipher, byte[] der) throws Exception {
        if (algorithm.equals("compress")) {
            return new CMSCompressedData(der).getContent(new ZlibExpanderProvider());
        }
        boolean authenticated = cipher.endsWith("gcm");
        RecipientInformation information = (authenticated
            ? new CMSAuthEnvelopedData(der).getRecipientInfos()
            : new CMSEnvelopedData(der).getRecipientInfos()).getRecipients().iterator().next();
        return information.getContent(opener(algorithm, key, authenticated));
    }

    private static Recipient opener(String algorithm, String key, boolean authenticated) throws Exception {
        if (authenticated && !algorithm.startsWith("pkcs1") && !algorithm.startsWith("oaep")) {
            throw new Exception("this version opens AuthEnvelopedData by key transport only");
        }
        return switch (algorithm) {
            case "ecdh", "x25519" -> new JceKeyAgreeEnvelopedRecipient(privateKey(key)).setProvider("BC");
            case "password" -> new JcePasswordEnvelopedRecipient(PASSWORD).setProvider("BC")
                .setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8);
            case "kek" -> new JceKEKEnvelopedRecipient(new SecretKeySpec(KEK, "AES")).setProvider("BC");
            default -> authenticated
                ? new JceKeyTransAuthEnvelopedRecipient(privateKey(key)).setProvider("BC")
                : new JceKeyTransEnvelopedRecipient(privateKey(key)).setProvider("BC");
        };
    }
}
