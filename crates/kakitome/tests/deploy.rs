//! `kakitome deploy` as an administrator calls it, and the link as a member follows it; OpenSSL and Python read what comes
//! out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;
mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use program::{command, kakitome, now};

const SUITE: &str = "files for members' mail programs, as others read them";
const ADDRESS: &str = "taro@example.com";

/// An instance with a member, and its root as `root.pem`.
fn instance(folder: &Path) {
    let data = folder.join("kakitome-data");
    let store = Arc::new(Store::open(&data).unwrap());
    let vault = Arc::new(Vault::open(&data.join("sealing.key"), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    let authority = Authority::open(store, vault, settings, now(), Arc::new(SystemRandom)).unwrap();
    authority.credential(&Address::parse(ADDRESS).unwrap(), now()).unwrap();
    fs::write(folder.join("root.pem"), pem::write("CERTIFICATE", authority.anchor().unwrap().raw())).unwrap();
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn run(folder: &Path, line: &str) -> String {
    let output = kakitome(folder, line);
    assert!(output.status.success(), "{line}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn peer(program: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    told(&output)
}

#[test]
fn others_read_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    instance(folder);
    let Some([openssl, python]) = peers::programs(SUITE, ["openssl", "python3"]) else { return };

    let password = run(folder, "deploy files taro@example.com --for thunderbird -q -o modern");
    let read = |file: &str, password: &str| {
        let password = format!("pass:{}", password.trim());
        peer(&openssl, folder, &["pkcs12", "-in", file, "-passin", &password, "-info", "-noout"])
    };
    let says = read("modern/taro-at-example.com.p12", &password);
    assert!(says.contains("AES-256-CBC") && says.contains("MAC: sha256"), "{says}");
    let policies = fs::read_to_string(folder.join("modern/policies.json")).unwrap();
    let policies: serde_json::Value = serde_json::from_str(&policies).unwrap();
    let named = policies["policies"]["Certificates"]["Install"][0].as_str().unwrap();
    let root = fs::read_to_string(folder.join("modern").join(named)).unwrap();
    assert_eq!(root, fs::read_to_string(folder.join("root.pem")).unwrap());

    let password = run(folder, "deploy files taro@example.com --for android -q -o compatible");
    let says = read("compatible/taro-at-example.com.p12", &password);
    assert!(says.contains("pbeWithSHA1And3-KeyTripleDES-CBC") && says.contains("MAC: sha1"), "{says}");
    assert!(!says.contains("RC2"), "{says}");

    let password = run(folder, "deploy files taro@example.com --for apple -q -o apple");
    let signed = "apple/taro-at-example.com.mobileconfig";
    for verifier in ["cms", "smime"] {
        peer(
            &openssl,
            folder,
            &[verifier, "-verify", "-inform", "DER", "-in", signed, "-CAfile", "root.pem", "-out", "profile.xml"],
        );
    }
    let script = "import plistlib; profile = plistlib.load(open('profile.xml', 'rb')); \
                  key = [p for p in profile['PayloadContent'] if p['PayloadType'] == 'com.apple.security.pkcs12']; \
                  open('identity.p12', 'wb').write(key[0]['PayloadContent']); \
                  print(len(key), sorted(p['PayloadType'] for p in profile['PayloadContent']))";
    let says = peer(&python, folder, &["-c", script]);
    assert_eq!(says.trim(), "1 ['com.apple.security.pkcs1', 'com.apple.security.pkcs12', 'com.apple.security.root']");
    assert!(read("identity.p12", &password).contains("MAC: sha1"));
}

/// Whoever was renewed has three keys in one file, and nobody loses one of them.
#[test]
fn others_find_every_key_of_a_file() {
    let names = ["openssl", "pk12util", "certutil", "keytool"];
    let Some([openssl, pk12util, certutil, keytool]) = peers::programs(SUITE, names) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(folder.join("k.toml"), "[members]\ndomains = [\"example.com\"]\nkey = \"p-256\"\n").unwrap();
    run(folder, "member add taro@example.com --enrol --config k.toml");
    run(folder, "cert renew --force taro@example.com --config k.toml");
    for (form, program) in [("modern", "thunderbird"), ("compatible", "android")] {
        let line = format!("deploy files taro@example.com --for {program} -q --config k.toml -o {form}");
        let password = run(folder, &line).trim().to_owned();
        let file = format!("{form}/taro-at-example.com.p12");
        let pass = format!("pass:{password}");
        let says = peer(&openssl, folder, &["pkcs12", "-in", &file, "-passin", &pass, "-nodes"]);
        assert_eq!(says.matches("BEGIN PRIVATE KEY").count(), 3, "{form}: {says}");
        let database = format!("sql:nss-{form}");
        fs::create_dir(folder.join(format!("nss-{form}"))).unwrap();
        peer(&certutil, folder, &["-N", "-d", &database, "--empty-password"]);
        let says = peer(&pk12util, folder, &["-i", &file, "-d", &database, "-W", &password]);
        assert!(says.contains("IMPORT SUCCESSFUL"), "{form}: {says}");
        let says = peer(&certutil, folder, &["-K", "-d", &database]);
        assert_eq!(says.lines().filter(|line| line.starts_with('<')).count(), 3, "{form}: {says}");
        let list = ["-list", "-keystore", &file, "-storetype", "PKCS12", "-storepass", &password];
        let says = peer(&keytool, folder, &list);
        assert_eq!(says.matches("PrivateKeyEntry").count(), 3, "{form}: {says}");
        assert!(says.contains("taro@example.com (encryption)"), "{form}: {says}");
    }
    // Exchange's store of certificates is read back.
    run(folder, "deploy files taro@example.com --for exchange -q --config k.toml -o exchange");
    let shown = run(folder, "cert show exchange/kakitome-ca.sst");
    assert!(shown.contains("Certificate store (Windows, .sst)") && shown.contains("private root"), "{shown}");
}

#[test]
fn a_folder_is_made_whole_and_for_its_owner_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    instance(folder);
    let told_json = run(folder, "deploy files taro@example.com --for exchange --json -o made");
    assert!(!told_json.contains("password"), "there is no key in it: {told_json}");
    run(folder, "deploy files taro@example.com --for outlook --password-to code.txt -q -o keys");
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("keys"), mode("keys/taro-at-example.com.p12"), mode("code.txt")), (0o700, 0o600, 0o600));
    assert_eq!(fs::read_to_string(folder.join("code.txt")).unwrap().trim().len(), 29);
    let rows = [
        ("deploy files taro@example.com --for outlook -o keys", 2, "is there already"),
        (
            "deploy files taro@example.com --for outlook --password-to new/code.txt -o new",
            2,
            "in the folder with the key",
        ),
        (
            "deploy files taro@example.com --for outlook --password-to code.txt -o new",
            75,
            "code.txt: cannot be written",
        ),
        ("deploy files taro@example.com --for outlook -o nowhere/new", 75, "cannot be made"),
        ("deploy files nobody@example.com --for apple -o new", 60, "has no certificate with a key here"),
        ("deploy files taro@example.com --for lynx -o new", 2, "one of apple, thunderbird"),
        ("deploy files taro --for apple -o new", 2, "ADDRESS"),
        ("deploy files taro@example.com --for apple --data elsewhere -o new", 60, "there is no store here yet"),
        ("deploy link taro@example.com --for apple", 2, "web.public_url is not set"),
        ("deploy link nobody@example.com --for apple --config https.toml", 60, "has no certificate with a key here"),
        ("deploy link taro@example.com --for apple --config http.toml", 2, "without https"),
        ("deploy link taro@example.com --for apple --minutes 10081", 2, "10081 is not from 1 to 10080"),
        ("deploy withdraw taro@example.com", 2, "nothing that could be withdrawn"),
    ];
    fs::write(folder.join("http.toml"), "[web]\npublic_url = \"http://mail.example.com\"\n").unwrap();
    fs::write(folder.join("https.toml"), "[web]\npublic_url = \"https://mail.example.com\"\n").unwrap();
    for (line, code, says) in rows {
        let output = kakitome(folder, line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", told(&output));
        assert!(told(&output).contains(says), "{line}: {}", told(&output));
        assert!(!folder.join("new").exists(), "{line}");
    }
    let left: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn profiles_are_signed_by_the_house_and_set_up_the_account_where_the_settings_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    instance(folder);
    let settings = "[deploy]\nimap_host = \"imap.example.com\"\nsmtp_host = \"smtp.example.com\"\n\
                    sign_as = \"it@example.com\"\n";
    fs::write(folder.join("k.toml"), settings).unwrap();
    run(folder, "deploy files taro@example.com --for apple -q --config k.toml -o apple");
    let profile = fs::read(folder.join("apple/taro-at-example.com.mobileconfig")).unwrap();
    let text = String::from_utf8_lossy(&profile);
    assert!(text.contains("<string>imap.example.com</string>") && text.contains("SMIMESigningCertificateUUID"));
    let shown = run(folder, "inspect apple/taro-at-example.com.mobileconfig");
    assert!(shown.contains("it@example.com"), "{shown}");
    for (settings, says) in [
        ("imap_host = \"imap.example.com\"", "stand together"),
        ("imap_host = \"i\"\nsmtp_host = \"s\"\nexchange_host = \"e\"", "two ways to the same mail"),
        ("link_minutes = 0", "not from 1 to 10080"),
        ("sign_as = \"it\"", "is not an address"),
    ] {
        fs::write(folder.join("wrong.toml"), format!("[deploy]\n{settings}\n")).unwrap();
        let output = command(folder, "config check --config wrong.toml").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{settings}");
        assert!(told(&output).contains(says), "{settings}: {}", told(&output));
    }
}
