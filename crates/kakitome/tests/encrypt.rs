//! `kakitome encrypt` and `decrypt` as programs call them: exit codes, what is said, and that a failed run leaves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_testkit::CertificateFactory;
use kakitome_testkit::envelope::Takes;
use program::{command, kakitome, now};

const DAY: i64 = 24 * 60 * 60;
const MAIL: &str = "From: a@mail.example\r\nTo: b@mail.example\r\nSubject: The bill\r\n\r\nPlease pay.\r\n";

/// Everything that the rows name, as files.
fn prepare(folder: &Path) {
    let write = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    let certificate = |name: &str, certificate: &Certificate| {
        write(name, pem::write("CERTIFICATE", certificate.raw()).as_bytes());
    };
    let holder = |name: &str, takes: Takes, edit: &dyn Fn(CertificateFactory) -> CertificateFactory| {
        let made = takes.holder_of(name, |factory| edit(factory.valid(now().plus(-DAY), now().plus(DAY))));
        certificate(&format!("{name}.pem"), &made.certificate);
        write(&format!("{name}.key"), &takes.key_der(name));
    };
    holder("bob", Takes::P256, &|factory| factory);
    holder("carol", Takes::X25519, &|factory| factory);
    holder("signs", Takes::P256, &|factory| factory.with(oid::KEY_USAGE, true, der::named_bits(&[0])));
    holder("ended", Takes::P256, &|factory| factory.valid(now().plus(-2 * DAY), now().plus(-DAY)));
    let capable = der::sequence(&[&der::sequence(&[&der::oid(&oid::AES256_GCM)])]);
    holder("modern", Takes::P384, &|factory| factory.with(oid::SMIME_CAPABILITIES, false, capable.clone()));
    let both = ["bob.pem", "carol.pem"].map(|name| fs::read_to_string(folder.join(name)).unwrap()).concat();
    write("both.pem", both.as_bytes());
    write("mail.eml", MAIL.as_bytes());
    write("password.txt", b"open sesame\n");
    write("wrong.txt", b"open barley\n");

    for (arguments, name) in [
        ("--to both.pem --mail-password-file password.txt --cipher aes256-gcm", "sealed.eml"),
        ("--to bob.pem --cipher aes128-cbc", "blocks.eml"),
    ] {
        let made = kakitome(folder, &format!("encrypt {arguments} -o {name} mail.eml"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    // The last line of base64 holds the tag.
    let mut changed = fs::read(folder.join("sealed.eml")).unwrap();
    let at = changed.len() - 12;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    write("changed.eml", &changed);
    let sealed = fs::read_to_string(folder.join("sealed.eml")).unwrap();
    let body = sealed.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "\n");
    write("sealed.pem", format!("-----BEGIN CMS-----\n{body}-----END CMS-----\n").as_bytes());
    write("sealed.p7m", &pem::read(&fs::read(folder.join("sealed.pem")).unwrap())[0].der);
    let signed = kakitome(folder, "sign --cert signs.pem --key signs.key --wrap -o wrapped.eml sealed.eml");
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
}

#[test]
fn every_row_ends_as_it_says() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let bob = "--cert bob.pem --key bob.key";
    // Arguments, exit code, what standard output holds (nothing, where the run fails), what is said.
    for (arguments, code, out, said) in [
        (format!("decrypt {bob} sealed.eml"), 0, "Subject: The bill\r\n", ""),
        (format!("decrypt {bob} sealed.eml"), 0, "Please pay.\r\n", ""),
        (format!("decrypt {bob} -q blocks.eml"), 0, "Please pay.\r\n", ""),
        (format!("decrypt {bob} blocks.eml"), 0, "Please pay.\r\n", "AES-128-CBC does not notice changes"),
        ("decrypt --cert carol.pem --key carol.key sealed.eml".into(), 0, "Please pay.\r\n", ""),
        (format!("decrypt --cert signs.pem --key signs.key {bob} sealed.eml"), 0, "Please pay.\r\n", ""),
        ("decrypt --mail-password-file password.txt sealed.eml".into(), 0, "Please pay.\r\n", ""),
        // An object alone gives its content, whose header is the mail's own.
        (format!("decrypt {bob} sealed.p7m"), 0, "Please pay.\r\n", ""),
        (format!("decrypt {bob} sealed.pem"), 0, "hp=\"cipher\"", ""),
        // A signature around it does not hinder.
        (format!("decrypt {bob} wrapped.eml"), 0, "Subject: The bill\r\n", ""),
        (
            "decrypt --cert ended.pem --key ended.key sealed.eml".into(),
            50,
            "",
            "none of these keys opens it; it is for",
        ),
        ("decrypt --cert carol.pem --key carol.key blocks.eml".into(), 50, "", "none of these keys opens it"),
        ("decrypt --mail-password-file wrong.txt sealed.eml".into(), 60, "", "it does not decrypt"),
        (format!("decrypt {bob} changed.eml"), 60, "", "it does not decrypt"),
        (format!("decrypt {bob} mail.eml"), 60, "", "this is not an encrypted mail"),
        (format!("decrypt {bob} none.eml"), 60, "", "none.eml"),
        (
            "decrypt --cert bob.pem --key carol.key sealed.eml".into(),
            60,
            "",
            "none of the certificates is for this key",
        ),
        ("decrypt sealed.eml".into(), 2, "", "give --p12, --cert and --key"),
        ("decrypt --cert bob.pem sealed.eml".into(), 2, "", "--key"),
        (format!("decrypt {bob} --cert carol.pem sealed.eml"), 2, "", "there are 2 --cert and 1 --key"),
        ("encrypt --to bob.pem mail.eml".into(), 0, "smime-type=enveloped-data;", ""),
        ("encrypt --to bob.pem --to bob.pem mail.eml".into(), 0, "Subject: [...]\r\n", ""),
        ("encrypt --to bob.pem --header-policy none mail.eml".into(), 0, "Subject: The bill\r\n", ""),
        ("encrypt --to modern.pem mail.eml".into(), 0, "smime-type=authEnveloped-data;", ""),
        ("encrypt --to modern.pem --to bob.pem mail.eml".into(), 0, "smime-type=enveloped-data;", ""),
        ("encrypt --to bob.pem --to signs.pem mail.eml".into(), 60, "", "signs.pem: the certificate of CN=signs"),
        ("encrypt --to signs.pem mail.eml".into(), 60, "", "keyAgreement"),
        ("encrypt --to ended.pem mail.eml".into(), 60, "", "it ended on"),
        ("encrypt --to mail.eml mail.eml".into(), 60, "", "holds no certificate"),
        ("encrypt --to bob.pem sealed.eml".into(), 60, "", "signed or encrypted already"),
        ("encrypt mail.eml".into(), 2, "", "--to"),
        ("encrypt --to bob.pem --cipher des-cbc mail.eml".into(), 2, "", "aes256-gcm"),
    ] {
        let run = kakitome(home.path(), &arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.status.code(), Some(code), "{arguments}: {stderr}");
        assert!(stdout.contains(out) && (code == 0 || stdout.is_empty()), "{arguments}: {stdout}");
        assert!(stderr.contains(said) && (!said.is_empty() || stderr.is_empty()), "{arguments}: {stderr}");
        if arguments.contains(" -o ") {
            continue;
        }
        // The same into a file, which is there only where the run was good, and nothing else is there.
        let before = names(home.path());
        let run = kakitome(home.path(), &format!("{arguments} -o result"));
        assert_eq!(run.status.code(), Some(code), "{arguments}");
        let result = fs::read(home.path().join("result")).ok();
        assert_eq!(result.is_some(), code == 0, "{arguments}");
        if let Some(result) = result {
            assert!(String::from_utf8_lossy(&result).contains(out), "{arguments}");
            fs::remove_file(home.path().join("result")).unwrap();
        }
        assert_eq!(names(home.path()), before, "{arguments}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The most that a process may hold of its own at any moment, in KiB: what is mapped from files, the program itself for the
/// most part, is left out, since it is twice as large here as in a release build (docs/benchmarks.md has those peaks).
const OWN_KIB: u64 = 8 * 1024;
/// How much more it may have held, the program included, for a mail ten times as large, in KiB.
const GROWTH_KIB: u64 = 2 * 1024;

#[test]
fn a_mail_of_40_mb_needs_no_more_memory_than_one_of_4() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let line = format!("{}\r\n", "QUJD".repeat(19));
    for cipher in ["aes256-gcm", "aes128-cbc"] {
        let [small, large] = [4_000_000, 40_000_000].map(|size| {
            let mail = format!("{}\r\n{}", MAIL.trim_end(), line.repeat(size / line.len()));
            fs::write(home.path().join("large.eml"), &mail).unwrap();
            let peaks = [
                format!("encrypt --to bob.pem --cipher {cipher} -o large.sealed large.eml"),
                "decrypt -q --cert bob.pem --key bob.key -o large.opened large.sealed".to_owned(),
            ]
            .map(|arguments| (peaks(home.path(), &arguments), arguments));
            let opened = fs::read_to_string(home.path().join("large.opened")).unwrap();
            assert_eq!(opened.split_once("\r\n\r\n").unwrap().1, mail.split_once("\r\n\r\n").unwrap().1);
            for written in ["large.sealed", "large.opened"] {
                fs::remove_file(home.path().join(written)).unwrap();
            }
            peaks
        });
        for ((small, _), (large, arguments)) in small.into_iter().zip(large) {
            println!("{arguments}: {small:?} and {large:?}");
            assert!(small.all > 0 && large.own > 0, "{arguments}: {small:?} and {large:?}");
            assert!(large.own < OWN_KIB, "{arguments}: {large:?}");
            assert!(large.all < small.all + GROWTH_KIB, "{arguments}: {small:?} and {large:?}");
        }
    }
}

/// The most that a process held, in KiB.
#[derive(Clone, Copy, Debug, Default)]
struct Peaks {
    all: u64,
    own: u64,
}

fn peaks(folder: &Path, arguments: &str) -> Peaks {
    let mut run = command(folder, arguments).spawn().unwrap();
    let mut peaks = Peaks::default();
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap_or_default();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
        };
        peaks.all = peaks.all.max(kib("VmHWM:"));
        peaks.own = peaks.own.max(kib("RssAnon:"));
        if let Some(ended) = run.try_wait().unwrap() {
            assert!(ended.success(), "{arguments}");
            return peaks;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
