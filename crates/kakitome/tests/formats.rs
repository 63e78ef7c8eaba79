//! `kakitome cert show`, `request` and `export` as people call them: what every kind of file is shown as, and what the
//! programs of others read of ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;
mod program;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kakitome_pki::algorithm::{MlDsa, MlKem};
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{DecryptionKey, KeyKind, SigningKey};
use kakitome_testkit::write;
use kakitome_testkit::{BANK, CertificateFactory, CrlFactory, OcspFactory, Pki, Says, in_days};
use program::kakitome;

/// What every file with a password is under; ASCII, since Java and GnuPG read nothing else.
const PASSWORD: &str = "correct horse battery";

/// A key of each kind with its certificate, and a file of every other kind.
fn prepare(folder: &Path) {
    let pki = Pki::get();
    let put = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    let text = |label: &str, der: &[u8]| pem::write(label, der).into_bytes();
    put("password.txt", format!("{PASSWORD}\n").as_bytes());
    for (name, kind) in [("rsa", KeyKind::Rsa2048), ("p256", KeyKind::P256), ("ed25519", KeyKind::Ed25519)] {
        let key = SigningKey::generate(kind).unwrap();
        let factory = CertificateFactory::signer(BANK, &["info@bank.example"], "any").spki(key.spki());
        put(&format!("{name}.pem"), &text("CERTIFICATE", factory.issued_by(&pki.se).raw()));
        put(&format!("{name}.key"), &text("PRIVATE KEY", &key.to_pkcs8().unwrap()));
        put(&format!("{name}.pub"), &text("PUBLIC KEY", key.spki()));
    }
    put("se.pem", &text("CERTIFICATE", pki.se.certificate.raw()));
    put("ml-dsa.key", &SigningKey::generate(KeyKind::MlDsa(MlDsa::MlDsa65)).unwrap().to_pkcs8().unwrap());
    put("ml-kem.key", &DecryptionKey::generate(KeyKind::MlKem(MlKem::MlKem768)).unwrap().1);
    put("x25519.key", &text("PRIVATE KEY", &DecryptionKey::generate(KeyKind::X25519).unwrap().1));
    let both = der::sequence(&[&der::octet_string(&[1; 32]), &der::octet_string(&[2; 2560])]);
    let algorithm = der::sequence(&[&der::oid(&oid::ML_DSA_44)]);
    put("torn.key", &der::sequence(&[&der::unsigned(&[0]), &algorithm, &der::octet_string(&both)]));
    put("old.key", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\nAAAA\n-----END RSA PRIVATE KEY-----\n");
    let list = CrlFactory::default().revoking(&pki.bank.certificate, in_days(-1), Some(Reason::KeyCompromise));
    put("list.crl", list.signed_by(&pki.se).raw());
    let response = OcspFactory::default().about(&pki.bank.certificate, &pki.se.certificate, Says::Good);
    put("response.der", &response.der(&pki.se));
    let bundle = der::sequence(&[
        &der::unsigned(&[1]),
        &der::element(tag::SET, &[]),
        &der::sequence(&[&der::oid(&oid::DATA)]),
        &der::context(0, &[pki.bank.certificate.raw(), pki.se.certificate.raw()]),
        &der::element(tag::SET, &[]),
    ]);
    let bundle = der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&bundle])]);
    put("bundle.p7b", &bundle);
    // The same with the whole in the indefinite form of BER.
    put("bundle.ber", &[&[0x30, 0x80], &bundle[4..], &[0, 0]].concat());
    let odd = CertificateFactory::signer(BANK, &["info@bank.example"], "odd").serial(&[0x80]);
    put("negative.der", odd.clone().issued_by(&pki.se).raw());
    put("trailing.der", &[odd.serial(&[1]).issued_by(&pki.se).raw(), &[0]].concat());
    let critical = CertificateFactory::authority("Unknown").with("1.2.3.4".parse().unwrap(), true, der::NULL.to_vec());
    put("critical.der", critical.self_signed("Unknown").certificate.raw());
    let narrow = CertificateFactory::authority("Narrow").with(
        oid::NAME_CONSTRAINTS,
        true,
        write::constraints(&[write::mailbox("bank.example")], &[]),
    );
    put("narrow.der", narrow.self_signed("Narrow").certificate.raw());
    let huge = [0xff; 8192];
    let numbers = der::sequence(&[&der::unsigned(&huge), &der::unsigned(&[1, 0, 1])]);
    let spki =
        der::sequence(&[&der::sequence(&[&der::oid(&oid::RSA_ENCRYPTION), der::NULL]), &der::bit_string(&numbers)]);
    let factory = CertificateFactory::signer(BANK, &["info@bank.example"], "huge").spki(&spki);
    put("huge.der", &factory.der(pki.se.certificate.subject(), pki.se.certificate.spki(), pki.se.key));
    put("roots.pem", &text("CERTIFICATE NOT FOR EMAIL", pki.se.certificate.raw()));
    put("text.txt", b"nothing that is known\n");
    put("openssh.key", &text("OPENSSH PRIVATE KEY", b"openssh-key-v1"));
}

fn told(folder: &Path, line: &str) -> (Option<i32>, String) {
    let output = kakitome(folder, line);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn every_kind_of_file_is_shown() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    for line in [
        "cert request --key p256.key --email info@bank.example -o p256.csr",
        "cert export --cert rsa.pem --key rsa.key --chain se.pem --password-file password.txt -o rsa.p12",
        "cert export --cert p256.pem --key p256.key --form compatible --password-file password.txt -q -o old.p12",
        "cert request --new-key ed25519 --key new.key --password-file password.txt --email a@b.example -o new.csr",
    ] {
        assert_eq!(told(home.path(), line), (Some(0), String::new()), "{line}");
    }
    // File and options, exit code, what is said in English and in Japanese.
    let rows: &[(&str, i32, &[&str], &str)] = &[
        (
            "rsa.pem",
            0,
            &["Certificate  例示銀行", "info@bank.example", "RSA 2048", "emailProtection"],
            "証明書  例示銀行",
        ),
        ("narrow.der", 0, &["Certificate  Narrow", "CA", "Names permitted", "bank.example"], "許される名前"),
        ("critical.der", 0, &["△ A critical extension that is not known here", "1.2.3.4"], "どの経路にも使われません"),
        ("negative.der", 0, &["△ The serial number is negative. cert.serial-negative"], "シリアル番号が負の数です"),
        ("trailing.der", 60, &["✗ Octets follow behind its end (1 octets). der.trailing"], "余分なデータ"),
        ("huge.der", 60, &["✗ An RSA key of more than 8192 bits", "key.huge", "info@bank.example"], "時間をかけさせる"),
        ("p256.csr", 0, &["Certificate request  info@bank.example", "Proof of possession  yes"], "証明書の申請"),
        ("list.crl", 0, &["Revocation list  SE", "Entries", "keyCompromise"], "失効リスト  SE"),
        ("response.der", 0, &["OCSP response", "successful", ": good"], "OCSPの回答"),
        ("bundle.p7b", 0, &["Bundle of certificates (PKCS#7)", "  Certificate  SE"], "証明書の束"),
        ("bundle.ber", 0, &["Bundle of certificates (PKCS#7)", "  Certificate  SE"], "証明書の束"),
        (
            "p256.key",
            0,
            &["Private key  P-256", "PKCS#8", "△ A private key that stands in the clear"],
            "暗号化されていません",
        ),
        ("ml-dsa.key", 0, &["Private key  ML-DSA-65", "Made of", "seed"], "鍵の中身"),
        ("ml-kem.key", 0, &["Private key  ML-KEM-768", "seed"], "秘密鍵  ML-KEM-768"),
        ("x25519.key", 0, &["Private key  X25519"], "秘密鍵  X25519"),
        ("torn.key", 60, &["✗ A private key that cannot be used here (its seed and its expanded key"], "使えません"),
        ("old.key", 60, &["Encrypted private key", "DES-EDE3-CBC", "openssl pkey writes PKCS#8"], "読まない方式"),
        (
            "new.key",
            0,
            &["AES-256-CBC, PBKDF2 with HMAC-SHA-256, 600000 rounds", "file.closed"],
            "パスワードを入れると",
        ),
        ("new.key --password-file password.txt", 0, &["Private key  Ed25519"], "秘密鍵  Ed25519"),
        ("ed25519.pub", 0, &["Public key  Ed25519", "SHA-256 of the key"], "公開鍵  Ed25519"),
        ("rsa.p12", 0, &["Keys and certificates (PKCS#12)", "HMAC-SHA-256", "file.closed"], "鍵と証明書"),
        (
            "rsa.p12 --password-file password.txt",
            0,
            &["Friendly name", "Certificate  例示銀行", "Certificate  SE", "Private key  RSA 2048"],
            "呼び名",
        ),
        ("old.p12 --password-file password.txt", 0, &["3DES-CBC", "100000 rounds", "enc.old"], "古い暗号です"),
        ("rsa.p12 --password-file p256.pem", 60, &["✗ The password is wrong"], "パスワードが違うか"),
        ("roots.pem", 0, &["does not trust for e-mail"], "メール用には信頼しない"),
        ("text.txt", 60, &["holds no certificate, request"], ""),
        ("openssh.key", 60, &["left out: 1 of OPENSSH PRIVATE KEY"], ""),
        ("missing.pem", 60, &["missing.pem: cannot be read"], ""),
        ("rsa.pem p256.key", 0, &["rsa.pem:\nCertificate", "\np256.key:\nPrivate key"], "p256.key:"),
    ];
    let mut wrong = Vec::new();
    for (arguments, code, english, japanese) in rows {
        let (ended, said) = told(home.path(), &format!("cert show {arguments}"));
        let missing: Vec<_> = english.iter().filter(|text| !said.contains(**text)).collect();
        if ended != Some(*code) || !missing.is_empty() {
            wrong.push(format!("{arguments}: {ended:?}, without {missing:?}: {said}"));
        }
        if let Some(wide) = said.lines().filter(|line| !line.starts_with("kakitome:")).find(|line| columns(line) > 80) {
            wrong.push(format!("{arguments}: wider than a terminal: {wide}"));
        }
        let (_, said) = told(home.path(), &format!("cert show --lang ja {arguments}"));
        if !said.contains(japanese) {
            wrong.push(format!("{arguments}: without {japanese}: {said}"));
        }
        let (_, said) = told(home.path(), &format!("cert show --json {arguments}"));
        if *code == 0 {
            let json: serde_json::Value = serde_json::from_str(&said).unwrap();
            assert_eq!(json["shown"], 1);
            assert!(json["files"][0]["objects"][0]["kind"].is_string(), "{said}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As `unicode-width` counts them, which is right for what stands in these files.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn no_private_key_is_ever_printed() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let secret = fs::read_to_string(home.path().join("ed25519.key")).unwrap();
    let der = pem::read(secret.as_bytes()).remove(0).der;
    // The last 32 octets are the seed.
    let seed: String = der[der.len() - 32..].iter().map(|octet| format!("{octet:02x}")).collect();
    for option in ["", "--json", "--lang ja"] {
        let (_, said) = told(home.path(), &format!("cert show {option} ed25519.key"));
        let hex: String = said.chars().filter(char::is_ascii_hexdigit).collect();
        assert!(!hex.contains(&seed[..16]) && !said.contains(secret.lines().nth(1).unwrap()), "{said}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    fs::write(home.path().join("empty.txt"), b"\n").unwrap();
    for (line, code, why) in [
        ("cert request --key x25519.key --email a@b.example", 60, "a key of this kind (X25519) cannot sign"),
        ("cert request --key ml-kem.key --email a@b.example", 60, "a key of this kind (ML-KEM-768) cannot sign"),
        ("cert request --key torn.key --email a@b.example", 60, "not a private key that can be used here"),
        ("cert request --new-key p256 --key p256.key --plain-key --email a@b.example", 2, "is there already"),
        (
            "cert request --new-key p256 --key n.key --password-file empty.txt --email a@b.example",
            2,
            "password is empty",
        ),
        ("cert request --key p256.key --email nobody", 2, "invalid value"),
        ("cert request --key p256.key", 2, "--email"),
        ("cert request --key p256.key --email a@b.example --country JPN", 2, "not two letters"),
        (
            "cert export --cert rsa.pem --key p256.key --password-file password.txt -o x.p12",
            60,
            "none of the certificates",
        ),
        ("cert export --cert rsa.pem --key rsa.key --password-file empty.txt -o x.p12", 2, "the password is empty"),
        ("cert export --cert rsa.pem --key rsa.key --password-file password.txt --rounds 1000 -o x.p12", 2, "rounds"),
        ("cert export --cert rsa.pem --key rsa.key -o x.p12", 2, "no terminal to ask on"),
        ("cert export -o x.p12", 2, "required"),
    ] {
        let (ended, said) = told(home.path(), line);
        assert!(ended == Some(code) && said.contains(why), "{line}: {ended:?} {said}");
    }
    assert!(!home.path().join("x.p12").exists() && !home.path().join("n.key").exists());
    // A new key is readable by its owner alone, and by nobody without its password.
    told(
        home.path(),
        "cert request --new-key p384 --key n.key --password-file password.txt --email a@b.example -o n.csr",
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(home.path().join("n.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let key = fs::read_to_string(home.path().join("n.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{key}");
}

/// A program that reads a file with its password: how it is called, and what it says when it did.
struct Reader {
    name: &'static str,
    program: PathBuf,
    line: String,
    input: bool,
    says: &'static str,
}

impl Reader {
    fn reads(&self, folder: &Path) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(self.line.split('|')).current_dir(folder).env("GNUPGHOME", folder.join("gnupg"));
        command.env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = if self.input { format!("{PASSWORD}\n") } else { String::new() };
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if said.contains(self.says) { Ok(()) } else { Err(said) }
    }
}

fn readers(folder: &Path, file: &str) -> Option<Vec<Reader>> {
    let names = ["openssl", "pk12util", "certutil", "gpgsm", "keytool", "python3"];
    let [openssl, pk12util, certutil, gpgsm, keytool, python] = peers::programs("PKCS#12 for others", names)?;
    let database = format!("sql:nss-{file}");
    fs::create_dir(folder.join(format!("nss-{file}"))).unwrap();
    let made = Command::new(certutil).args(["-N", "-d", &database, "--empty-password"]).current_dir(folder).output();
    assert!(made.unwrap().status.success());
    let script = format!(
        "from cryptography.hazmat.primitives.serialization import pkcs12\n\
         key, certificate, others = pkcs12.load_key_and_certificates(open('{file}', 'rb').read(), b'{PASSWORD}')\n\
         print('read', key is not None, certificate is not None, len(others))"
    );
    let reader = |name, program: &Path, line: String, input, says| Reader {
        name,
        program: program.to_owned(),
        line,
        input,
        says,
    };
    let mut readers = vec![
        reader(
            "openssl",
            &openssl,
            format!("pkcs12|-in|{file}|-legacy|-nodes|-passin|pass:{PASSWORD}"),
            false,
            "PRIVATE KEY",
        ),
        reader("nss", &pk12util, format!("-i|{file}|-d|{database}|-W|{PASSWORD}"), false, "IMPORT SUCCESSFUL"),
        reader(
            "java",
            &keytool,
            format!("-list|-keystore|{file}|-storetype|PKCS12|-storepass|{PASSWORD}"),
            false,
            "PrivateKeyEntry",
        ),
        reader(
            "gpgsm",
            &gpgsm,
            format!("--batch|--disable-crl-checks|--pinentry-mode|loopback|--passphrase-fd|0|--import|{file}"),
            true,
            "secret keys imported: 1",
        ),
    ];
    let has_cryptography = Command::new(&python).args(["-c", "import cryptography"]).output();
    if has_cryptography.is_ok_and(|output| output.status.success()) {
        readers.push(reader("python", &python, format!("-c|{script}"), false, "read True True 1"));
    } else {
        peers::skip_anywhere("PKCS#12 for Python", "no module cryptography");
    }
    Some(readers)
}

#[test]
fn others_read_our_pkcs12() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let gnupg = home.path().join("gnupg");
    fs::create_dir(&gnupg).unwrap();
    fs::set_permissions(&gnupg, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    // What a program does not read, it says so, and no other.
    let cannot = [
        // GnuPG 2.2 reads PBES2 with AES-128 and without a hash of its own alone.
        ("rsa-modern.p12", "gpgsm"),
        ("p256-modern.p12", "gpgsm"),
        // Its agent takes no EC key out of PKCS#12.
        ("p256-compatible.p12", "gpgsm"),
    ];
    let mut wrong = Vec::new();
    for key in ["rsa", "p256"] {
        for form in ["modern", "compatible"] {
            let file = format!("{key}-{form}.p12");
            let line = format!(
                "cert export -q --cert {key}.pem --key {key}.key --chain se.pem --form {form} --password-file \
                 password.txt -o {file}"
            );
            assert_eq!(told(home.path(), &line), (Some(0), String::new()));
            let Some(readers) = readers(home.path(), &file) else { return };
            for reader in readers {
                let read = reader.reads(home.path());
                let known = cannot.contains(&(file.as_str(), reader.name));
                match read {
                    Err(said) if !known => wrong.push(format!("{} does not read {file}: {said}", reader.name)),
                    Ok(()) if known => wrong.push(format!("{} reads {file}; its exception can go", reader.name)),
                    _ => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn we_read_the_pkcs12_of_others() {
    let Some([openssl]) = peers::programs("PKCS#12 of OpenSSL", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    for (number, (options, says)) in [
        ("", "AES-256-CBC, PBKDF2 with HMAC-SHA-256"),
        ("-legacy", "RC2-CBC with 40 bits"),
        ("-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1", "3DES-CBC"),
        ("-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512 -iter 20000", "HMAC-SHA-512"),
        ("-nomac", "p12.no-integrity"),
        ("-keypbe NONE -certpbe NONE", "A private key that stands in the clear"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("other-{number}.p12");
        let export = ["pkcs12", "-export", "-inkey", "rsa.key", "-in", "rsa.pem", "-out", &file, "-name", "one"];
        let output = Command::new(&openssl)
            .args(export)
            .args(["-passout", &format!("pass:{PASSWORD}")])
            .args(options.split_whitespace())
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
        let (ended, said) = told(home.path(), &format!("cert show --password-file password.txt {file}"));
        assert!(
            ended == Some(0) && said.contains(says) && said.contains("Private key  RSA 2048"),
            "{options}: {ended:?} {said}"
        );
    }
    // scrypt, which OpenSSL writes for a key alone.
    let scrypt = ["pkcs8", "-topk8", "-in", "p256.key", "-scrypt", "-out", "scrypt.key"];
    let output = Command::new(&openssl)
        .args(scrypt)
        .args(["-passout", &format!("pass:{PASSWORD}")])
        .current_dir(home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (ended, said) = told(home.path(), "cert show --password-file password.txt scrypt.key");
    assert!(ended == Some(0) && said.contains("scrypt with N 16384, r 8, p 1") && said.contains("P-256"), "{said}");
}

#[test]
fn openssl_reads_our_requests_and_keys() {
    let Some([openssl]) = peers::programs("requests for OpenSSL", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    for kind in ["rsa2048", "rsa3072", "p256", "p384", "p521", "ed25519"] {
        fs::write(home.path().join("password.txt"), format!("{PASSWORD}\n")).unwrap();
        let line = format!(
            "cert request --new-key {kind} --key {kind}.key --password-file password.txt --email taro@bank.example \
             --email 太郎@bank.example --name 例示太郎 --org 例示銀行 --country jp -o {kind}.csr"
        );
        assert_eq!(told(home.path(), &line), (Some(0), String::new()));
        let run = |line: &str| {
            let output = Command::new(&openssl).args(line.split(' ')).current_dir(home.path()).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "{line}: {said}");
            said
        };
        let said = run(&format!("req -in {kind}.csr -verify -noout -text -nameopt utf8"));
        for text in ["verify OK", "email:taro@bank.example", "E-mail Protection", "例示太郎", "SmtpUTF8Mailbox"] {
            assert!(said.contains(text), "{kind}: no {text} in {said}");
        }
        let said = run(&format!("pkey -in {kind}.key -passin file:password.txt -pubout"));
        assert_eq!(said, run(&format!("req -in {kind}.csr -pubkey -noout")), "{kind}");
    }
}
