//! The help of every verb, read and tried: what it says is short and complete, and each of its examples is run.
//!
//! A new verb or example needs no code here but a row in [`examples`]: which mail lies there, how it ends, what it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod issuing;
mod peers;
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use kakitome_office::authority::{Authority, AuthoritySettings, archive};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, bundle, pem, pkcs12};
use kakitome_pki::crypto::{KeyKind, SigningKey, SystemRandom};
use kakitome_pki::issue::{Issuance, Issuer, MailUse, Profile, Serial};
use kakitome_testkit::Pki;
use kakitome_testkit::cms::SignedFactory;
use kakitome_testkit::envelope::Takes;
use program::now;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kakitome");
/// The longest line that tells what a verb does, in characters.
const ABOUT: usize = 90;
const DAY: i64 = 24 * 60 * 60;

/// The mail that lies in the directory as `mail.eml`.
#[derive(Clone, Copy)]
enum Mail {
    /// Mine, not signed.
    Mine,
    /// A partner's, signed by him under the CA of `partner-ca.pem`, which is also the one of `roots.pem`.
    Partners,
}

/// Example, mail, exit code, what it says on either stream (or, behind `>` and `-o`, writes into the file).
fn examples() -> Vec<(&'static str, Mail, i32, &'static str)> {
    use Mail::{Mine, Partners};
    vec![
        // what is made here is shown by `ca show`; else the first start of `up` makes one
        ("kakitome ca init --org \"Example Bank\"", Mine, 0, "Example Bank issuing CA"),
        (
            "kakitome ca init --org \"Example Bank\" --key p384 --domain example.com --json",
            Mine,
            60,
            "there is an own CA already",
        ),
        ("kakitome up", Mine, 0, "Kakitome 0.1.0 is up."),
        ("kakitome up --data /var/lib/kakitome --config /etc/kakitome.toml", Mine, 0, "member domains  example.com"),
        ("kakitome check mail.eml", Partners, 30, "is unknown. Anyone can make such a certificate."),
        ("kakitome check --lang ja mail.eml", Partners, 30, "だれから？"),
        ("kakitome check --trust partner-ca.pem mail.eml", Partners, 0, "billing@partner.example"),
        ("kakitome check --cert reader.pem --key reader.key sealed.eml", Mine, 20, "the sender is not confirmed"),
        // a public issuer counts only with an answer about revocation, and there is no list here
        (
            "kakitome check --json --require org --public-roots roots.pem mail.eml",
            Partners,
            30,
            r#""state": "CHECK_INCOMPLETE""#,
        ),
        ("kakitome verify --trust partner-ca.pem mail.eml", Partners, 0, "The bill is attached."),
        ("kakitome verify --trust partner-ca.pem -o content.mime mail.eml", Partners, 0, "The bill is attached."),
        (
            "kakitome verify --email billing@partner.example --trust partner-ca.pem mail.eml",
            Partners,
            0,
            "The bill is attached.",
        ),
        ("kakitome sign --cert me.pem --key me.key -o signed.eml mail.eml", Mine, 0, "multipart/signed"),
        ("kakitome sign --cert me.pem --key me.key --opaque mail.eml", Mine, 0, "smime-type=signed-data"),
        ("kakitome sign --p12 me.p12 --password-file password.txt -o signed.eml mail.eml", Mine, 0, "multipart/signed"),
        ("kakitome sign --cert me.pem --key me.key --digest sha512 --output-dir signed 1.eml 2.eml", Mine, 0, ""),
        ("kakitome sign --cert me.pem --key me.key --wrap -o wrapped.eml sealed.eml", Mine, 0, "multipart/signed"),
        ("kakitome sign --cert me.pem --key me.key --output-dir signed newsletters", Mine, 0, ""),
        (
            "kakitome sign --cert me.pem --key me.key --output-dir signed --json --files-from names.txt",
            Mine,
            0,
            r#""output":"signed/mail.eml""#,
        ),
        ("kakitome sign --cert me.pem --key me.key --mbox -o signed.mbox outbox.mbox", Mine, 0, "multipart/signed"),
        ("kakitome encrypt --to reader.pem -o secret.eml mail.eml", Mine, 0, "smime-type=enveloped-data"),
        (
            "kakitome encrypt --cert me.pem --key me.key --to reader.pem -o secret.eml mail.eml",
            Mine,
            0,
            "Subject: [...]",
        ),
        (
            "kakitome encrypt --header-policy shy --legacy-display --to reader.pem -o secret.eml mail.eml",
            Mine,
            0,
            "Subject: [...]",
        ),
        (
            "kakitome encrypt --to reader.pem --to team.pem --cipher aes256-gcm mail.eml",
            Mine,
            0,
            "smime-type=authEnveloped-data",
        ),
        ("kakitome encrypt --to team.pem --oaep sha256 --key-id -o secret.eml mail.eml", Mine, 0, "Subject: [...]"),
        (
            "kakitome encrypt --mail-password-file password.txt -o secret.eml mail.eml",
            Mine,
            0,
            "smime-type=enveloped-data",
        ),
        (
            "kakitome decrypt --p12 reader.p12 --password-file password.txt -o opened.eml sealed.eml",
            Mine,
            0,
            "Subject: An example",
        ),
        ("kakitome decrypt --cert reader.pem --key reader.key sealed.eml", Mine, 0, "(enc.unauthenticated)"),
        (
            "kakitome decrypt --cert old.pem --key old.key --cert reader.pem --key reader.key sealed.eml",
            Mine,
            0,
            "Hidden.",
        ),
        ("kakitome decrypt --mail-password-file password.txt -o opened.eml sealed.eml", Mine, 0, "Hidden."),
        ("kakitome cert check --trust partner-ca.pem partner.pem", Mine, 0, "✓ The certificate is good for e-mail"),
        (
            "kakitome cert check --trust partner-ca.pem --email billing@partner.example partner.pem",
            Mine,
            0,
            "✓ Address",
        ),
        (
            "kakitome cert check --trust partner-ca.pem --policy 2.23.140.1.5.1.3 --explicit-policy partner.pem",
            Mine,
            30,
            "△ A demanded policy does not hold",
        ),
        (
            "kakitome cert check --json --purpose any --untrusted roots.pem --trust roots.pem partner.pem",
            Mine,
            0,
            r#""outcome": "good""#,
        ),
        ("kakitome trust list", Mine, 0, "The public list nss-2."),
        ("kakitome trust list --email --all", Mine, 0, "88 of them count"),
        ("kakitome trust list --all --json", Mine, 0, r#""counts": false"#),
        ("kakitome trust show RootCA2", Mine, 0, "whose choice  the public list"),
        ("kakitome trust show partner-ca.pem", Mine, 0, "Partner test CA"),
        ("kakitome trust show 513b2cec", Mine, 0, "Security Communication RootCA2"),
        ("kakitome trust add --yes partner-ca.pem", Mine, 0, "1 added, 0 were there"),
        (
            "kakitome trust add --only partner.example --only .partner.example --yes partner-ca.pem",
            Mine,
            0,
            "only for      partner.example, .partner.example",
        ),
        ("kakitome trust remove --note unused RootCA2", Mine, 0, "does not count here any more"),
        ("kakitome trust restore RootCA2", Mine, 0, "Security Communication RootCA2"),
        ("kakitome trust export -o roots.pem", Mine, 0, "BEGIN CERTIFICATE"),
        ("kakitome trust export --form p7b -o roots.p7b", Mine, 0, ""),
        ("kakitome trust export --form sst -o roots.sst", Mine, 0, ""),
        ("kakitome trust export --chosen --form list -o chosen.txt", Mine, 0, "list: chosen"),
        ("kakitome directory import bob.pem", Mine, 0, "1 entries added"),
        ("kakitome directory lookup bob@partner.example", Mine, 0, "✓ Mail to bob@partner.example can be encrypted"),
        ("kakitome directory lookup --offline --json bob@partner.example", Mine, 0, r#""outcome":"known""#),
        ("kakitome directory import --pin reader.pem", Mine, 0, "1 entries added"),
        ("kakitome directory list", Mine, 0, "reader@mail.example"),
        ("kakitome directory list partner.example", Mine, 0, "bob@partner.example"),
        ("kakitome directory list --state blocked --json", Mine, 0, ""),
        ("kakitome directory show bob@partner.example", Mine, 0, "encryptable   yes (operator)"),
        ("kakitome directory show --json bob@partner.example", Mine, 0, r#""source":"imported""#),
        ("kakitome directory pending", Mine, 0, "0 wait for a decision"),
        ("kakitome directory pending --json", Mine, 0, ""),
        ("kakitome directory accept --yes bob@partner.example", Mine, 0, "is in use already"),
        ("kakitome directory refuse carol@partner.example", Mine, 2, "nothing here is"),
        ("kakitome directory pin --yes bob@partner.example", Mine, 0, "is pinned"),
        ("kakitome directory unpin --json bob@partner.example", Mine, 0, "is not pinned any more"),
        ("kakitome directory export -o partners.pem", Mine, 0, "BEGIN CERTIFICATE"),
        (
            "kakitome directory export --form ldif partner.example -o partners.ldif",
            Mine,
            0,
            "userCertificate;binary:: ",
        ),
        ("kakitome directory export --form p7b -o partners.p7b", Mine, 0, ""),
        ("kakitome directory import --json partners export.ldif", Mine, 0, r#""outcome":"taken""#),
        ("kakitome directory block bob@partner.example", Mine, 0, "is blocked"),
        ("kakitome directory remove bob@partner.example", Mine, 0, "is taken out"),
        ("kakitome directory import --for partner.example bob.pem", Mine, 0, "1 entries added"),
        ("kakitome directory smimea", Mine, 0, "0 records"),
        ("kakitome directory smimea --domain example.test --ttl 600 -o smimea.zone", Mine, 0, "0 records"),
        ("kakitome directory smimea --generic", Mine, 0, "0 records"),
        (
            "kakitome directory send-certs --from alice@example.test --to bob@partner.example -o certs.eml",
            Mine,
            60,
            "is no member who has a certificate",
        ),
        (
            "kakitome directory send-certs --from alice@example.test --to bob@partner.example --send",
            Mine,
            60,
            "is no member who has a certificate",
        ),
        ("kakitome deploy files taro@example.com --for apple -o taro-iphone", Mine, 0, ".mobileconfig, steps.html"),
        (
            "kakitome deploy files taro@example.com --for thunderbird --password-to code.txt -o taro",
            Mine,
            0,
            "the password is in code.txt",
        ),
        (
            "kakitome deploy files taro@example.com --for outlook --json -o taro-outlook",
            Mine,
            0,
            r#""program": "outlook""#,
        ),
        ("kakitome deploy files taro@example.com --for exchange -o exchange", Mine, 0, "kakitome-ca.sst"),
        ("kakitome deploy link taro@example.com --for apple", Mine, 0, "link   https://mail.example.com/pickup/"),
        (
            "kakitome deploy link taro@example.com --for android --minutes 1440 --json",
            Mine,
            0,
            r#""program": "android""#,
        ),
        ("kakitome deploy list", Mine, 0, "open"),
        ("kakitome deploy list --json", Mine, 0, r#""standing": "open""#),
        ("kakitome deploy withdraw taro@example.com", Mine, 0, "2 withdrawn"),
        ("kakitome audit show", Mine, 0, "pickup.withdrawn"),
        ("kakitome audit show --last 20", Mine, 0, ""),
        ("kakitome audit show --act certificate --since 2026-01-01T00:00:00Z", Mine, 0, "certificate.issued"),
        ("kakitome audit show --subject taro@example.com --json", Mine, 0, r#""act":"key.exported""#),
        ("kakitome audit verify", Mine, 0, "✓ Nothing was changed"),
        ("kakitome audit checkpoint -o checkpoint.jsonl", Mine, 0, ""),
        ("kakitome audit checkpoint", Mine, 0, r#""act":"log.signed""#),
        ("kakitome audit verify --checkpoint checkpoint.jsonl", Mine, 0, "were signed at"),
        ("kakitome audit key", Mine, 0, ""),
        ("kakitome audit key --pem", Mine, 0, "BEGIN PUBLIC KEY"),
        ("kakitome audit key --json", Mine, 0, r#""pem": "#),
        ("kakitome audit head", Mine, 0, ""),
        ("kakitome audit head --json", Mine, 0, r#""hash": ""#),
        ("kakitome audit export -o log.jsonl", Mine, 0, ""),
        ("kakitome audit export --since 2026-01-01T00:00:00Z -o this-year.jsonl", Mine, 0, ""),
        ("kakitome audit verify --from-export log.jsonl", Mine, 0, "✓ Nothing was changed"),
        ("kakitome store show", Mine, 0, "SQLite, version "),
        ("kakitome store show --json", Mine, 0, r#""kind": "SQLite""#),
        ("kakitome store migrate", Mine, 0, "already"),
        ("kakitome store backup -o kakitome.backup", Mine, 0, "read back and the same"),
        ("kakitome store backup --json -o kakitome-2.backup", Mine, 0, r#""table": "audit""#),
        ("kakitome store restore --data ./restored kakitome.backup", Mine, 0, "read back and the same"),
        ("kakitome store copy --to ./another-data", Mine, 0, "read back and the same"),
        ("kakitome store rekey", Mine, 0, "are sealed with the new key"),
        // no server is asked before its password is known
        (
            "kakitome store copy --to postgresql://kakitome@db.example.com/kaki --password-file db.txt",
            Mine,
            60,
            "the password of the database cannot be read",
        ),
        ("kakitome audit acts", Mine, 0, "certificate.issued"),
        ("kakitome cert show partner.pem", Mine, 0, "billing@partner.example"),
        ("kakitome cert show --password-file password.txt reader.p12", Mine, 0, "Private key  P-256"),
        ("kakitome cert show me.pem me.key", Mine, 0, "△ A private key that stands in the clear"),
        (
            "kakitome cert request --new-key p256 --key new.key --email me@example.test -o me.csr",
            Mine,
            0,
            "-----BEGIN CERTIFICATE REQUEST-----",
        ),
        (
            "kakitome cert request --key me.key --email me@example.test --name Taro --org \"Example Bank\"",
            Mine,
            0,
            "-----BEGIN CERTIFICATE REQUEST-----",
        ),
        ("kakitome cert export --cert me.pem --key me.key -o new.p12", Mine, 0, ""),
        ("kakitome cert export --cert me.pem --key me.key --chain roots.pem --name Taro -o new.p12", Mine, 0, ""),
        (
            "kakitome cert export --p12 me.p12 --form compatible --generate-password -o phone.p12",
            Mine,
            0,
            "send that another way than the file",
        ),
        (
            "kakitome cert export --p12 me.p12 --password-file password.txt --form pem -o both.pem",
            Mine,
            0,
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        ),
        (
            "kakitome explain mail.eml --from me@example.com --to you@example.net",
            Mine,
            0,
            "leaves signed, in the clear form",
        ),
        (
            "kakitome explain mail.eml --to you@example.net --login me --client 192.0.2.7 --json",
            Mine,
            0,
            r#""outcome":"signed""#,
        ),
        ("kakitome explain --config kakitome.toml newsletters", Mine, 0, "mails:"),
        ("kakitome explain --config kakitome.toml --mbox outbox.mbox", Mine, 0, "mails:"),
        ("kakitome cert show --json roots.pem", Mine, 0, r#""subject": "CN=Partner test CA""#),
        ("kakitome inspect mail.eml", Partners, 0, "signature  ECDSA"),
        ("kakitome inspect --json mail.eml", Partners, 0, r#""signature_right": true"#),
        ("kakitome inspect smime.p7m", Mine, 0, "a CMS object"),
        ("kakitome inspect --cert reader.pem --key reader.key sealed.eml", Mine, 0, "✓ opened"),
        (
            r#"kakitome member add alice@example.test --name "Alice Smith" --unit Sales --number 1001"#,
            Mine,
            0,
            "added Alice Smith",
        ),
        (
            r#"kakitome member add info@example.test --kind role --name "Front desk" --enrol --json"#,
            Mine,
            0,
            r#""made": 2"#,
        ),
        (
            "kakitome member import company.csv --dry-run",
            Mine,
            0,
            "1 would be added, 0 would be changed, 1 as they were",
        ),
        ("kakitome member import company.csv", Mine, 0, "1 added"),
        ("kakitome member enrol --dry-run", Mine, 0, "alice@example.test signing"),
        ("kakitome member enrol alice@example.test --json", Mine, 0, r#""made": 2"#),
        // Bob's two, and the second one of Taro, for whom `deploy` made files above
        ("kakitome member import company.csv --enrol", Mine, 0, "3 certificates made"),
        ("kakitome member enrol", Mine, 0, "0 certificates made"),
        ("kakitome member import company.csv --leavers --json", Mine, 0, r#""same": 2"#),
        ("kakitome member list", Mine, 0, "bob@example.test"),
        ("kakitome member list --unit Sales --json", Mine, 0, r#""name": "Alice Smith""#),
        ("kakitome member list --left", Mine, 0, "0 members"),
        ("kakitome member show alice@example.test", Mine, 0, "number    1001"),
        ("kakitome member show --json 1001", Mine, 0, r#""use": "primary""#),
        (
            r#"kakitome member change alice@example.test --name "Alice Jones" --primary jones@example.test"#,
            Mine,
            0,
            "the primary address jones@example.test",
        ),
        ("kakitome member change 1001 --add shop@example.test --unit Marketing", Mine, 0, "unit Marketing"),
        ("kakitome cert list", Mine, 0, "info@example.test"),
        ("kakitome cert list alice@example.test --all", Mine, 0, "2 certificates"),
        ("kakitome cert list --due --json", Mine, 0, r#""certificates": []"#),
        ("kakitome cert list --issuer own", Mine, 0, "encrypt"),
        ("kakitome cert renew --dry-run", Mine, 0, "0 certificates would be made"),
        ("kakitome cert renew", Mine, 0, "0 certificates made"),
        ("kakitome cert renew --force alice@example.test", Mine, 0, "2 certificates made"),
        ("kakitome cert replace --issuer own --before 2100-01-01 --dry-run", Mine, 0, "would be made"),
        (
            "kakitome cert replace --issuer own --before 2100-01-01 --rate 2000 --revoke --background",
            Mine,
            0,
            "ordered: 8 certificates of own",
        ),
        ("kakitome cert replace --issuer own --before 2100-01-01", Mine, 0, "8 certificates made"),
        ("kakitome cert calendar", Mine, 0, "renewed by"),
        ("kakitome cert calendar --days 30 --json", Mine, 0, r#""entries": []"#),
        ("kakitome cert calendar --ics -o certificates.ics", Mine, 0, "BEGIN:VEVENT"),
        ("kakitome member change 1001 --give-up alice@example.test --json", Mine, 0, "gave up alice@example.test"),
        (
            r#"kakitome member leave 1002 --on 2030-03-31 --note "retires" --json"#,
            Mine,
            0,
            r#""leaves": "2030-04-01T00:00:00Z""#,
        ),
        ("kakitome member leave bob@example.test", Mine, 0, "2 certificates revoked"),
        ("kakitome member rejoin bob@example.test", Mine, 0, "is a member again"),
        ("kakitome job list", Mine, 0, "certificates.r"),
        ("kakitome job list --json", Mine, 0, r#""kind""#),
        ("kakitome job run", Mine, 0, "0 fail"),
        ("kakitome status", Mine, 0, "nothing needs anybody"),
        ("kakitome status --json", Mine, 0, r#""warnings": []"#),
        ("kakitome cert import --password-file password.txt me.p12", Mine, 0, "imported  me@example.test"),
        ("kakitome cert import --password-file password.txt --address me@example.test me.p12", Mine, 0, "was here"),
        ("kakitome cert import --password-file password.txt bought", Mine, 0, "imported  desk@example.test"),
        ("kakitome cert import --table bought.csv --json", Mine, 0, r#""wasHere": true"#),
        (
            "kakitome cert revoke 4f1e2d3c4b5a6978 --reason keyCompromise --since 2026-11-01T00:00:00Z",
            Mine,
            60,
            "no certificate here has this serial number",
        ),
        (
            "kakitome cert revoke --address desk@example.test --reason superseded --rehearse --json",
            Mine,
            0,
            r#""rehearsed": true"#,
        ),
        ("kakitome cert revoke --member desk@example.test --reason keyCompromise --rehearse", Mine, 0, "would be"),
        (
            "kakitome cert revoke --address desk@example.test --reason affiliationChanged",
            Mine,
            0,
            "desk@example.test  sign  affiliationChanged",
        ),
        (
            "kakitome cert order --issuer bought --address desk@example.test -o requests.zip",
            Mine,
            0,
            "1 requests for bought",
        ),
        (
            "kakitome cert order --issuer bought --table addresses.csv --key p256 --json -o requests.csv",
            Mine,
            0,
            "3 requests for bought",
        ),
        ("kakitome cert orders", Mine, 0, "sent       bought  desk@example.test  both"),
        ("kakitome cert receive answers.zip", Mine, 60, "no key that waits here fits it"),
        ("kakitome cert receive --json answers.p7b roots.pem", Mine, 60, r#""refused": "no key that waits here"#),
        (
            "kakitome cert order --issuer bought --withdraw desk@example.test",
            Mine,
            0,
            "withdrawn  desk@example.test  1",
        ),
        ("kakitome cert orders --issuer bought --all --json", Mine, 0, r#""state": "withdrawn""#),
        ("kakitome ca import --cert company-ca.pem --key company-ca.key", Mine, 0, "issuing-2  CN=Company test CA"),
        (
            "kakitome ca import --p12 company-ca.p12 --password-file password.txt --chain roots.pem --json",
            Mine,
            60,
            "is here already",
        ),
        ("kakitome ca list", Mine, 0, "issues no more, and answers for what it issued"),
        ("kakitome ca list --json", Mine, 0, r#""keyIsHere": true"#),
        ("kakitome ca show", Mine, 0, "Example Bank root"),
        ("kakitome ca show --pem > our-ca.pem", Mine, 0, "-----BEGIN CERTIFICATE-----"),
        ("kakitome config check --config kakitome.toml", Mine, 0, "the settings are good"),
        ("kakitome config template > kakitome.toml", Mine, 0, "#domains = [\"example.test\"]"),
        ("kakitome config show", Mine, 0, "domains = [\"example.test\"]"),
        ("kakitome config show --config kakitome.toml", Mine, 0, "domains = [\"example.com\"]"),
        ("kakitome completion bash > /etc/bash_completion.d/kakitome", Mine, 0, "complete -F _kakitome"),
    ]
}

#[test]
fn every_verb_says_what_it_does_and_gives_examples() {
    let verbs = verbs();
    assert!(verbs.len() > 5, "{verbs:?}");
    for verb in verbs {
        let name = verb.join(" ");
        let (short, long) = (help(&verb, "-h"), help(&verb, "--help"));
        let about = short.lines().next().unwrap();
        assert!((10..=ABOUT).contains(&about.chars().count()), "{name}: {about:?}");
        assert!(about.starts_with(char::is_uppercase) && !about.ends_with('.'), "{name}: {about:?}");
        let first = long.lines().next().unwrap().trim_end_matches('.');
        assert_eq!(first, about, "{name}: -h and --help begin differently");
        for option in short.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
            assert!(option.contains("  "), "{name}: nothing is said about {option}");
        }
        if !is_group(&short) {
            let examples = examples_of(&long);
            assert!(!examples.is_empty(), "{name}: no examples in its long help");
            for example in examples {
                assert!(example.starts_with(&format!("kakitome {name}")), "{name}: {example:?} is another verb's");
            }
        }
    }
}

#[test]
fn the_long_help_says_more_than_the_short_one() {
    // clap drops the rest of the text where a line stands above the verb in the list of verbs, too
    for (verb, says) in [
        (&["up"][..], "Needs no configuration"),
        (&["check"], "three questions in plain words"),
        (&["verify"], "otherwise writes nothing"),
        (&["sign"], "the root does not"),
        (&["encrypt"], "nothing is written"),
        (&["explain"], "the store is only read"),
        (&["decrypt"], "Nothing is shown before all of it was found good"),
        (&["sign"], "then the exit code is 60"),
        (&["ca", "show"], "needs these certificates"),
    ] {
        let verb: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        let long = help(&verb, "--help").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(long.contains(says), "{verb:?}: {long}");
        assert!(!help(&verb, "-h").contains(says), "{verb:?}");
    }
}

#[test]
fn every_example_runs() {
    let rows = [examples(), issuing::examples()].concat();
    let told: BTreeSet<String> =
        verbs().iter().flat_map(|verb| examples_of(&help(verb, "--help"))).collect::<BTreeSet<_>>();
    let known: BTreeSet<String> = rows.iter().map(|(example, ..)| (*example).to_owned()).collect();
    assert_eq!(told, known, "left: the examples in the help; right: the rows of this test");

    let house = tempfile::tempdir().unwrap();
    let stage = Stage::prepare(house.path());
    for (example, mail, code, says) in rows {
        stage.set(mail);
        if example.contains(".p12") && !stage.has_p12 {
            continue;
        }
        let line =
            example.replace("/etc/", &format!("{}/etc/", stage.path)).replace("/var/", &format!("{}/var/", stage.path));
        let (ended, mut said) = if example.starts_with("kakitome up") { stage.up(&line) } else { stage.run(&line) };
        for file in written(&line) {
            said.push_str(&fs::read_to_string(house.path().join(file)).unwrap_or_default());
        }
        assert_eq!(ended, Some(code), "{example}: {said}");
        assert!(said.contains(says), "{example}: {says:?} is not in {said}");
    }
}

/// Every verb that `kakitome --help` leads to, groups too.
fn verbs() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(verb) = open.pop() {
        let text = help(&verb, "-h");
        let names = text
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| line.starts_with("  "))
            .filter(|line| !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help");
        open.extend(names.map(|name| verb.iter().cloned().chain([name.to_owned()]).collect()));
        if !verb.is_empty() {
            found.push(verb);
        }
    }
    found
}

fn is_group(help: &str) -> bool {
    help.lines().any(|line| line == "Commands:")
}

fn help(verb: &[String], option: &str) -> String {
    let output = Command::new(PROGRAM).args(verb).arg(option).output().unwrap();
    assert!(output.status.success(), "{verb:?} {option}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn examples_of(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Examples:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The files that a line of the shell names behind `>` and `-o`.
fn written(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split(' ').collect();
    words.windows(2).filter(|pair| matches!(pair[0], ">" | "-o")).map(|pair| pair[1]).collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A directory with everything that the examples name.
struct Stage {
    path: String,
    partners: Vec<u8>,
    has_p12: bool,
}

impl Stage {
    fn prepare(path: &Path) -> Self {
        let write = |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).unwrap();
        for folder in ["etc/bash_completion.d", "var/lib", "bin"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        std::os::unix::fs::symlink(PROGRAM, path.join("bin/kakitome")).unwrap();

        let partner_ca = Holder::root("Partner test CA");
        write("partner-ca.pem", partner_ca.certificate_pem().as_bytes());
        write("roots.pem", partner_ca.certificate_pem().as_bytes());
        let (partner, me) =
            (partner_ca.issue("billing@partner.example"), Holder::root("My test CA").issue("me@example.test"));
        write("me.pem", me.certificate_pem().as_bytes());
        write("me.key", me.key_pem().as_bytes());
        let bob = partner_ca.issue_for("bob@partner.example", MailUse::Both);
        write("bob.pem", bob.certificate_pem().as_bytes());
        fs::create_dir(path.join("partners")).unwrap();
        write("partners/bob.pem", bob.certificate_pem().as_bytes());
        let lines: Vec<String> =
            bob.certificate_pem().lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
        write("export.ldif", format!("dn: cn=bob\nuserCertificate;binary:: {}\n", lines.join("\n ")).as_bytes());
        write("partner.pem", partner.certificate_pem().as_bytes());
        write("partner.key", partner.key_pem().as_bytes());
        write("smime.p7m", &SignedFactory::by(&Pki::get().bank, b"A contract.").embedded().der());
        write("password.txt", b"open sesame\n");
        let company = "社員番号,氏名,メールアドレス,部署\n1001,Alice Smith,alice@example.test,Sales\n1002,Bob,bob@example.test,IT\n";
        write("company.csv", company.as_bytes());
        let newsletter = mail("me@example.test", "News.");
        fs::create_dir(path.join("newsletters")).unwrap();
        for name in ["newsletters/1.eml", "1.eml", "2.eml"] {
            write(name, newsletter.as_bytes());
        }
        write("names.txt", b"newsletters/1.eml\0mail.eml\0");
        write("outbox.mbox", format!("From me\r\n{newsletter}\r\nFrom me\r\n{newsletter}\r\n").as_bytes());
        for (name, takes) in [("reader", Takes::P256), ("old", Takes::P256), ("team", Takes::Rsa)] {
            let now = now();
            let holder = takes.holder_of(name, |factory| factory.valid(now.plus(-DAY), now.plus(DAY)));
            write(&format!("{name}.pem"), pem::write("CERTIFICATE", holder.certificate.raw()).as_bytes());
            let label = if takes == Takes::Rsa { "PRIVATE KEY" } else { "EC PRIVATE KEY" };
            write(&format!("{name}.key"), pem::write(label, &takes.key_der(name)).as_bytes());
        }

        let company = Holder::root("Company test CA");
        write("company-ca.pem", company.certificate_pem().as_bytes());
        write("company-ca.key", company.key_pem().as_bytes());
        fs::create_dir(path.join("bought")).unwrap();
        write("bought/desk.p12", &partner_ca.issue("desk@example.test").pkcs12());
        write("bought.csv", b"file,password,address\nbought/desk.p12,open sesame,desk@example.test\n");
        write("company-ca.p12", &company.pkcs12());
        write("addresses.csv", b"name,address\nTaro,taro@example.test\nHanako,hanako@example.test\n");
        let stranger = partner_ca.issue("stranger@example.test");
        write("answers.p7b", &bundle::write(std::iter::once(stranger.certificate.raw())));
        let answer = archive::Entry { name: "1.cer".to_owned(), octets: stranger.certificate.raw().to_vec() };
        write("answers.zip", &archive::write(&[answer]).unwrap());

        let mut stage = Self { path: path.to_str().unwrap().to_owned(), partners: Vec::new(), has_p12: false };

        let bill = mail("billing@partner.example", "The bill is attached.");
        write("bill.eml", bill.as_bytes());
        let (ended, said) = stage.run("kakitome sign --cert partner.pem --key partner.key -o signed.eml bill.eml");
        assert_eq!(ended, Some(0), "{said}");
        stage.partners = fs::read(path.join("signed.eml")).unwrap();
        fs::remove_file(path.join("signed.eml")).unwrap();

        write("hidden.eml", mail("me@example.test", "Hidden.").as_bytes());
        let readers = "--to reader.pem --to team.pem --mail-password-file password.txt";
        let (ended, said) = stage.run(&format!("kakitome encrypt {readers} -o sealed.eml hidden.eml"));
        assert_eq!(ended, Some(0), "{said}");

        if let Some([openssl]) = peers::programs("the examples of --p12", ["openssl"]) {
            for name in ["me", "reader"] {
                let arguments = format!(
                    "pkcs12 -export -in {name}.pem -inkey {name}.key -passout file:password.txt -out {name}.p12"
                );
                let made = Command::new(&openssl).args(arguments.split(' ')).current_dir(path).output().unwrap();
                assert!(made.status.success(), "{}", text(&made));
            }
            stage.has_p12 = true;
        }
        stage
    }

    /// Puts back what an example may have written over, and the mail.
    fn set(&self, mail_is: Mail) {
        let path = Path::new(&self.path);
        let settings = "[members]\ndomains = [\"example.com\"]\n";
        for name in ["kakitome.toml", "etc/kakitome.toml"] {
            fs::write(path.join(name), settings).unwrap();
        }
        fs::remove_file(path.join("signed.eml")).ok();
        let mine = || mail("me@example.test", "Hello.").into_bytes();
        let bytes = match mail_is {
            Mail::Mine => mine(),
            Mail::Partners => self.partners.clone(),
        };
        fs::write(path.join("mail.eml"), bytes).unwrap();
    }

    fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("exec {line}")])
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", format!("{}/bin:/usr/bin:/bin", self.path))
            .stdin(Stdio::null());
        shell
    }

    fn run(&self, line: &str) -> (Option<i32>, String) {
        // What a person would be asked for: there is no terminal here.
        let mut shell = self.shell(line);
        if line.starts_with("kakitome deploy") {
            self.enrol();
            shell.env("KAKITOME_WEB_PUBLIC_URL", "https://mail.example.com");
        }
        let output = shell.env("KAKITOME_P12_PASSWORD", "open sesame").output().unwrap();
        (output.status.code(), text(&output))
    }

    /// A member who has a certificate, in the store that the first start made.
    fn enrol(&self) {
        let data = Path::new(&self.path).join("kakitome-data");
        let store = Arc::new(Store::open(&data).unwrap());
        let vault = Arc::new(Vault::open(&data.join("sealing.key"), &store).unwrap());
        let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
        let authority = Authority::open(store, vault, settings, now(), Arc::new(SystemRandom)).unwrap();
        authority.credential(&Address::parse("taro@example.com").unwrap(), now()).unwrap();
    }

    /// A server: started on free ports, ended by SIGTERM as soon as it says that it is up.
    fn up(&self, line: &str) -> (Option<i32>, String) {
        let mut server = self
            .shell(line)
            .env(
                "KAKITOME_GATEWAY_LISTENERS",
                r#"[{ protocol = "smtp", address = "127.0.0.1:0", direction = "outbound" }]"#,
            )
            .env("KAKITOME_WEB_ADDRESS", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        for line in BufReader::new(server.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            said.push_str(&line);
            said.push('\n');
            // the last of the lines at the start
            if line.contains("\"A public certificate\"") {
                let pid = server.id().to_string();
                assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            }
        }
        (server.wait().unwrap().code(), said)
    }
}

/// A certificate and its key, for tests alone.
struct Holder {
    certificate: Certificate,
    key: SigningKey,
}

impl Holder {
    fn root(name: &str) -> Self {
        let name = Name::build(&[(oid::COMMON_NAME, name)]);
        Self::make(&Profile::root(&name), None)
    }

    fn issue(&self, address: &str) -> Self {
        self.issue_for(address, MailUse::Sign)
    }

    fn issue_for(&self, address: &str, usage: MailUse) -> Self {
        Self::make(&Profile::member(&Address::parse(address).unwrap(), usage), Some(self))
    }

    fn make(profile: &Profile, issuer: Option<&Self>) -> Self {
        let key = SigningKey::generate(KeyKind::P256).unwrap();
        let serial = Serial::random(&SystemRandom).unwrap();
        // the program that is tried reads the machine's clock
        let now = now();
        let issued_by = issuer.map_or(Issuer::Itself, |issuer| Issuer::Certificate(&issuer.certificate));
        let (from, until) = (now.plus(if issuer.is_some() { -DAY } else { -2 * DAY }), now.plus(DAY));
        let der = Issuance::new(profile, &serial, from, until, key.spki(), issued_by)
            .and_then(|issuance| issuance.sign(issuer.map_or(&key, |issuer| &issuer.key)))
            .unwrap();
        Self { certificate: Certificate::parse(&der).unwrap(), key }
    }

    /// Both in a file, under the password of `password.txt`.
    fn pkcs12(&self) -> Vec<u8> {
        let contents = pkcs12::Contents {
            key: &self.key.to_pkcs8().unwrap(),
            certificate: &self.certificate,
            chain: &[],
            friendly_name: "bought",
        };
        pkcs12::write(&contents, "open sesame", pkcs12::Form::Modern, None, &SystemRandom).unwrap()
    }

    fn certificate_pem(&self) -> String {
        pem::write("CERTIFICATE", self.certificate.raw())
    }

    fn key_pem(&self) -> String {
        pem::write("PRIVATE KEY", &self.key.to_pkcs8().unwrap())
    }
}

fn mail(from: &str, text: &str) -> String {
    format!("From: {from}\r\nTo: you@example.net\r\nSubject: An example\r\n\r\n{text}\r\n")
}
