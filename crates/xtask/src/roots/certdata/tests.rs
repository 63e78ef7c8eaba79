use kakitome_pki::crypto;
use kakitome_testkit::Pki;

use super::*;

/// Octets as certdata.txt writes them.
fn octal(name: &str, octets: &[u8]) -> String {
    let escaped: String = octets.iter().map(|octet| format!("\\{octet:03o}")).collect();
    let lines: Vec<&str> = escaped.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{name} MULTILINE_OCTAL\n{}\nEND\n", lines.join("\n"))
}

fn certificate(label: &str, one: &Certificate, more: &str) -> String {
    let serial = [&[0x02, u8::try_from(one.serial().len()).unwrap()], one.serial()].concat();
    format!(
        "\n#\n# Certificate {label}\n#\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_TOKEN CK_BBOOL CK_TRUE\n\
         CKA_LABEL UTF8 \"{label}\"\n{}{}{}{}{more}",
        octal("CKA_SUBJECT", one.subject().raw()),
        octal("CKA_ISSUER", one.issuer().raw()),
        octal("CKA_SERIAL_NUMBER", &serial),
        octal("CKA_VALUE", one.raw()),
    )
}

fn trust(one: &Certificate, email: &str, server: &str) -> String {
    let serial = [&[0x02, u8::try_from(one.serial().len()).unwrap()], one.serial()].concat();
    format!(
        "CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\nCKA_LABEL UTF8 \"x\"\n{}{}{}\
         CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_{server}\nCKA_TRUST_EMAIL_PROTECTION CK_TRUST CKT_NSS_{email}\n",
        octal("CKA_CERT_SHA1_HASH", &crypto::sha1_identifier(one.raw())),
        octal("CKA_ISSUER", one.issuer().raw()),
        octal("CKA_SERIAL_NUMBER", &serial),
    )
}

#[test]
fn a_file_is_read_or_refused_with_the_reason() {
    let world = Pki::get();
    let (re, rt) = (&world.re.certificate, &world.rt.certificate);
    let both = |email: &str, more: &str| {
        format!(
            "# a comment\nCVS_ID \"x\"\nBEGINDATA\n{}{}{}{}",
            certificate("RE F\\xc5\\x91", re, more),
            trust(re, email, "MUST_VERIFY_TRUST"),
            trust(rt, "MUST_VERIFY_TRUST", "TRUSTED_DELEGATOR"),
            certificate("RT", rt, "")
        )
    };
    let until = octal("CKA_NSS_EMAIL_DISTRUST_AFTER", b"310415235959Z");
    let none = "CKA_NSS_EMAIL_DISTRUST_AFTER CK_BBOOL CK_FALSE\n";
    let good = both("TRUSTED_DELEGATOR", none);
    // a file, and its roots (name, email, tls, distrust after), or what is said of it
    type Read<'a> = Result<&'a [(&'a str, bool, bool, Option<&'a str>)], &'a str>;
    let rows: Vec<(&str, String, Read<'_>)> = vec![
        ("good", good.clone(), Ok(&[("RE Fő", true, false, None), ("RT", false, true, None)])),
        (
            "distrust after",
            both("TRUSTED_DELEGATOR", &until),
            Ok(&[("RE Fő", true, false, Some("2031-04-15T23:59:59Z")), ("RT", false, true, None)]),
        ),
        ("not trusted", both("NOT_TRUSTED", none), Ok(&[("RE Fő", false, false, None), ("RT", false, true, None)])),
        ("unknown trust", both("TRUSTED", none), Err("CKT_NSS_TRUSTED, which is not known")),
        ("empty", String::new(), Err("no certificate")),
        ("not certdata", "<html>".to_owned(), Err("line 1")),
        ("no escape", good.replace("\\060\\", "\\06x\\"), Err("\\06x is no octet")),
        ("too large an octet", good.replace("\\060\\", "\\777\\"), Err("\\777 is no octet")),
        ("no octal", good.replace("CKA_VALUE MULTILINE_OCTAL\n", "CKA_VALUE MULTILINE_OCTAL\nx"), Err("begins with")),
        ("cut", good.rsplit_once("END").unwrap().0.to_owned(), Err("END is missing")),
        ("no trust object", certificate("RE", re, ""), Err("no trust object")),
        (
            "two trust objects",
            format!("{good}{}", trust(re, "TRUSTED_DELEGATOR", "TRUSTED_DELEGATOR")),
            Err("two trust objects"),
        ),
        (
            "trust without a certificate",
            format!(
                "{}{}{}",
                certificate("RE", re, ""),
                trust(re, "TRUSTED_DELEGATOR", "TRUSTED_DELEGATOR"),
                trust(rt, "NOT_TRUSTED", "NOT_TRUSTED")
            ),
            Err("is of no certificate in the file"),
        ),
        (
            "another's hash",
            good.replace(
                &octal("CKA_CERT_SHA1_HASH", &crypto::sha1_identifier(re.raw())),
                &octal("CKA_CERT_SHA1_HASH", &crypto::sha1_identifier(rt.raw())),
            ),
            Err("the SHA-1 differs"),
        ),
        ("no hash", good.replace("CKA_CERT_SHA1_HASH", "CKA_OTHER"), Err("no CKA_CERT_SHA1_HASH")),
        ("no bit", good.replace("CKA_TRUST_EMAIL_PROTECTION", "CKA_OTHER"), Err("no CKA_TRUST_EMAIL_PROTECTION")),
        (
            "another's subject",
            good.replacen(&octal("CKA_SUBJECT", re.subject().raw()), &octal("CKA_SUBJECT", rt.subject().raw()), 1),
            Err("CKA_SUBJECT is not its subject"),
        ),
        ("twice", good.replacen("CKA_TOKEN", "CKA_LABEL", 1), Err("CKA_LABEL stands twice")),
        ("no date", both("TRUSTED_DELEGATOR", &octal("CKA_NSS_EMAIL_DISTRUST_AFTER", b"soon")), Err("is no date")),
        (
            "no such day",
            both("TRUSTED_DELEGATOR", &octal("CKA_NSS_EMAIL_DISTRUST_AFTER", b"310431000000Z")),
            Err("is no date"),
        ),
        ("no quotation", good.replace("\"RT\"", "RT"), Err("quotation marks")),
        ("before every object", format!("CKA_LABEL UTF8 \"x\"\n{good}"), Err("before every CKA_CLASS")),
    ];
    for (what, text, expected) in rows {
        let read = roots(&text).map_err(|error| format!("{error:#}"));
        match (read, expected) {
            (Ok(roots), Ok(expected)) => {
                let after: Vec<Option<String>> =
                    roots.iter().map(|root| root.distrust_after.map(|after| after.to_string())).collect();
                let told: Vec<_> = roots
                    .iter()
                    .zip(&after)
                    .map(|(root, after)| (root.name.as_str(), root.uses.email, root.uses.tls, after.as_deref()))
                    .collect();
                assert_eq!(told, expected, "{what}");
            }
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{what}: {why}"),
            (read, _) => panic!("{what}: {read:?}"),
        }
    }
}

#[test]
fn the_version_stands_in_the_header() {
    for (text, expected) in [
        ("#define NSS_BUILTINS_LIBRARY_VERSION_MAJOR 2\n#define NSS_BUILTINS_LIBRARY_VERSION \"2.86\"\n", Some("2.86")),
        ("#define NSS_BUILTINS_LIBRARY_VERSION_MINOR \"2.86\"", None),
        ("#define NSS_BUILTINS_LIBRARY_VERSION \"2.86 beta\"", None),
        ("#define NSS_BUILTINS_LIBRARY_VERSION 2", None),
        ("", None),
    ] {
        assert_eq!(version(text).as_deref(), expected, "{text}");
    }
}
