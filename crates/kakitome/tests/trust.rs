//! `kakitome trust` as an operator calls it, and what an answer makes of his choices.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_office::audit::{Actor, Part};
use kakitome_pki::cert::{hex, pem};
use kakitome_pki::roots::{Header, Root, write};
use kakitome_testkit::mail::Mail;
use kakitome_testkit::{CrlFactory, NOW, Pki};
use program::kakitome;
use unicode_width::UnicodeWidthStr as _;

/// One that is signed under RP, one under RE, and their issuers and lists.
fn prepare(folder: &Path) {
    let pki = Pki::get();
    let put = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    put("local.eml", &Mail::of(&pki.local).clear_by(&pki.local));
    put("bank.eml", &Mail::of(&pki.bank).clear_by(&pki.bank));
    put("rp.pem", pem::write("CERTIFICATE", pki.rp.certificate.raw()).as_bytes());
    put("signer.pem", pem::write("CERTIFICATE", pki.local.certificate.raw()).as_bytes());
    put("se.pem", pem::write("CERTIFICATE", pki.se.certificate.raw()).as_bytes());
    let built_in = kakitome_office::trust::built_in();
    let secom = built_in.roots().iter().find(|root| hex(root.fingerprint()).starts_with("513b2cec")).unwrap();
    put("secom.pem", pem::write("CERTIFICATE", secom.der()).as_bytes());
    let lists = [CrlFactory::default().signed_by(&pki.re), CrlFactory::default().signed_by(&pki.se)];
    put("lists.pem", lists.iter().map(|list| pem::write("X509 CRL", list.raw())).collect::<String>().as_bytes());
    let header = Header { name: "test-1".into(), date: Some(NOW), ..Header::default() };
    let mut re = Root::new(&pki.re.certificate);
    put("public.txt", write(&header, &[], std::slice::from_ref(&re)).as_bytes());
    let cut = write(&header, &[], std::slice::from_ref(&re)).replace("roots: 1", "roots: 2");
    put("cut.txt", cut.as_bytes());
    re.distrust_after = Some(NOW);
    put("dated.txt", write(&header, &[], &[re]).as_bytes());
}

#[test]
fn the_operators_choices_count() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prepare(folder);
    let local = format!("check --json --at {NOW} local.eml");
    let bank = format!("check --json --at {NOW} --public-roots public.txt --crl lists.pem bank.eml");
    let rows: &[(&str, i32, &str)] = &[
        (&local, 30, "path.unknown"),
        ("trust add rp.pem", 2, "nothing was added"),
        (&local, 30, "path.unknown"),
        ("trust add --yes rp.pem", 0, "1 added, 0 were there"),
        (&local, 0, r#""trust_list": "nss-2.92+1""#),
        ("check --at 2026-12-01T00:00:00Z local.eml", 0, "operator of this Kakitome"),
        // limits: of another domain, of the domains below, of this one, of this address
        ("trust add --yes --only other.example rp.pem", 0, "0 added, 1 were there"),
        (&local, 30, "path.nameconstraint"),
        ("trust add --yes --only *.local.example rp.pem", 0, ""),
        (&local, 30, "path.nameconstraint"),
        ("trust add --yes --only local.example rp.pem", 0, ""),
        (&local, 0, "ok"),
        ("trust add --yes --names-verified --only local.example rp.pem", 0, "were checked"),
        (&local, 0, "class.local-names"),
        ("trust add --yes --only nonsense@ rp.pem", 2, "neither a domain"),
        ("trust show RP", 0, "only for      local.example"),
        ("trust list", 0, "limited"),
        ("trust export --chosen --form list -o chosen.txt", 0, ""),
        ("trust remove nobody", 2, "no issuer here is called"),
        ("trust remove a", 2, "say more of it"),
        ("trust remove RP", 0, "no longer believed"),
        (&local, 30, "path.unknown"),
        // what was exported keeps its limits, as an anchor of the user
        (&format!("check --json --at {NOW} --trust chosen.txt local.eml"), 0, "ok"),
        ("cert show chosen.txt", 0, "List of roots  chosen ("),
        ("cert show --lang ja dated.txt", 0, "1 件、うちメール用 1 件"),
        ("cert show --json chosen.txt", 0, r#""for_email": 1"#),
        ("cert show cut.txt", 60, "cut short or changed"),
        // nor are they lost when it is added again
        ("trust add --yes chosen.txt", 0, "only for      local.example"),
        ("trust add --yes --only other.example chosen.txt", 0, "only for      other.example"),
        (&local, 30, "path.nameconstraint"),
        ("trust add --yes dated.txt", 2, "which an added anchor cannot say"),
        ("trust remove RP", 0, "no longer believed"),
        // a signer's own certificate
        ("trust add --yes --note known signer.pem", 0, "a signer's own certificate"),
        (&local, 0, "ok"),
        // the public list
        (&bank, 0, ")+1\","),
        ("trust list", 0, "The public list nss-2."),
        ("trust remove SECOM", 2, "may be one of 3"),
        ("trust remove 513b2cec", 0, "does not count here any more"),
        ("trust remove 513b2cec", 0, "did not count here already"),
        ("trust list --all", 0, "taken out here"),
        ("trust show --json 51:3B:2C:EC", 0, r#""counts": false"#),
        ("trust restore 513b2cec", 0, "counts again"),
        ("trust restore 513b2cec", 0, "was not taken out"),
        ("trust add --yes local.eml", 60, "local.eml"),
        ("trust add --yes missing.pem", 60, "missing.pem"),
        // files: what they hold is shown before anybody believes it; a bundle is read and written
        ("trust show rp.pem", 0, "nobody's: it is not believed here"),
        ("trust show se.pem", 0, "a CA below another, not self-signed"),
        ("trust export --form p7b -o chosen.p7b --chosen", 0, ""),
        ("trust export --form sst -o chosen.sst --chosen", 0, ""),
        ("trust show chosen.sst", 0, "SHA-256"),
        ("cert show chosen.sst", 0, ".sst"),
        ("trust remove \u{4f8b}", 2, "no issuer here is called"),
        ("cert show chosen.p7b", 0, "PKCS#7"),
        ("trust add --yes --only bank.example --note in\u{1b}[2J chosen.p7b", 0, "0 added, 1 were there"),
        ("trust show signer.pem", 0, r"in\u{1b}[2J"),
        ("trust export --chosen -o chosen.pem", 0, "1 of them count here with limits"),
        // what is added and on the public list, too: the own entry goes first
        ("trust export -o all.p7b --form p7b", 0, ""),
        ("trust add --yes secom.pem", 0, "1 added"),
        ("trust show 513b2cec", 0, "added here by the operator"),
        ("trust export --form list -o all.txt", 0, ""),
        (&format!("check --json --at {NOW} --public-roots all.txt local.eml"), 30, "nss-2.92-here (SHA-256"),
        ("trust remove 513b2cec", 0, "still counts by the public list"),
        ("trust remove 513b2cec", 0, "does not count here any more"),
        ("trust remove 513b2cec", 0, "did not count here already"),
        ("trust list", 0, "Taken out of the public list here: 1"),
        ("trust restore Communication", 0, "counts again"),
        ("trust list --tls --json", 0, r#""email": false"#),
        ("trust list --email --tls", 2, "cannot be used with"),
    ];
    for (line, code, said) in rows {
        let out = kakitome(folder, line);
        let text = [&out.stdout[..], &out.stderr].concat();
        let text = String::from_utf8_lossy(&text).replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(out.status.code(), Some(*code), "{line}\n{text}");
        assert!(text.contains(said), "{line}\n{text}");
    }
}

/// A list that is older than 400 days is said to be old, where the answer rests on it.
#[test]
fn an_old_list_is_told() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let header =
        |days: i64| Header { name: "test-1".into(), date: Some(NOW.plus(-days * 86_400)), ..Header::default() };
    for (days, is_old) in [(399, false), (400, false), (401, true)] {
        let list = write(&header(days), &[], &[Root::new(&Pki::get().re.certificate)]);
        fs::write(home.path().join("public.txt"), list).unwrap();
        let line = format!("check --json --at {NOW} --public-roots public.txt --crl lists.pem bank.eml");
        let answer = kakitome(home.path(), &line);
        let text = String::from_utf8_lossy(&answer.stdout);
        assert_eq!((answer.status.code(), text.contains("path.list-old")), (Some(0), is_old), "{days}: {text}");
    }
}

/// In both languages, with every kind of condition.
#[test]
fn a_list_fits_into_eighty_columns() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    for line in ["trust add --yes --only a.example rp.pem", "trust remove 513b2cec"] {
        assert_eq!(kakitome(home.path(), line).status.code(), Some(0), "{line}");
    }
    for lang in ["ja", "en"] {
        let out = kakitome(home.path(), &format!("trust list --all --lang {lang}"));
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.lines().count() > 100, "{text}");
        for line in text.lines() {
            assert!(line.width() <= 80, "{line:?}: {}", line.width());
        }
    }
}

/// A root that the operator took out is refused by that name.
#[test]
fn a_root_that_was_taken_out_is_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prepare(folder);
    let store = kakitome_office::store::Store::open(&folder.join("kakitome-data")).unwrap();
    let re = &Pki::get().re.certificate;
    let out = kakitome_office::trust::Distrusted {
        fingerprint: *re.fingerprint(),
        name: re.subject().short(),
        note: String::new(),
        since: NOW,
    };
    let bank = format!("check --json --at {NOW} --public-roots public.txt --crl lists.pem bank.eml");
    assert_eq!(kakitome(folder, &bank).status.code(), Some(0));
    assert!(kakitome_office::trust::distrust(&store, &Actor::part("test", Part::Jobs), &out).unwrap());
    assert!(!kakitome_office::trust::distrust(&store, &Actor::part("test", Part::Jobs), &out).unwrap());
    let answer = kakitome(folder, &bank);
    let text = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(answer.status.code(), Some(30), "{text}");
    assert!(text.contains("path.distrusted") && text.contains(")-1\","), "{text}");
    // The built-in list does not have it: it can be found all the same.
    for line in ["trust list", "trust restore RE"] {
        let out = kakitome(folder, line);
        let said = String::from_utf8_lossy(&[&out.stdout[..], &out.stderr].concat()).into_owned();
        assert!(out.status.success() && said.contains("RE"), "{line}: {said}");
    }
    assert_eq!(kakitome(folder, &bank).status.code(), Some(0));
}
