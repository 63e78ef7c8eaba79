//! Who may sign as whom, in which form mail leaves, and what is left alone: a row for each case.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io;

use kakitome_office::policy::plan::Planned;
use kakitome_office::policy::sealing::Found;
use kakitome_office::policy::{
    ClientCertificate, DigestName, Origin, Passed, Plan, Policy, Rule, SenderRule, Signing, Submission, Untouched,
};
use kakitome_pki::address::Address;
use kakitome_smime::message::sign::Form;
use kakitome_smime::octets::{InMemory, Octets};

fn rules<T: serde::de::DeserializeOwned>(json: &str) -> Vec<T> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn policy(senders: &str) -> Policy {
    Policy {
        members: vec!["a.example".into(), "b.example".into()],
        submission_host: Some("mail.a.example".into()),
        senders: rules(senders),
        ..Policy::default()
    }
}

/// The Received field of the submission server, as Postfix writes it.
fn submitted(comments: &str) -> String {
    format!(
        "Received: from [192.0.2.7] (pc.a.example [192.0.2.7])\r\n{comments}\tby mail.a.example (Postfix) with ESMTPSA id 4Xk\r\n\
         \tfor <x@y.example>; Tue, 1 Dec 2026 00:00:00 +0000 (UTC)\r\n"
    )
}

fn login(name: &str) -> String {
    submitted(&format!("\t(Authenticated sender: {name})\r\n"))
}

fn shown(name: &str, issuer: &str, verified: &str) -> String {
    submitted(&format!(
        "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n\t key-exchange X25519)\r\n\
         \t(Client CN \"{name}\", Issuer \"{issuer}\" ({verified}))\r\n"
    ))
}

/// What becomes of a mail in one word; it is one copy.
fn word(plan: &Plan<'_>) -> &'static str {
    let [copy] = plan.copies.as_slice() else { panic!("{} copies", plan.copies.len()) };
    match &copy.signing {
        Ok(_) => "signed",
        Err(Passed::NullSender) => "null sender",
        Err(Passed::NoAuthor(_)) => "no author",
        Err(Passed::Internationalised) => "internationalised",
        Err(Passed::NotMember) => "no member",
        // what the roll says is asked behind the plan (tests/admitted.rs)
        Err(Passed::NotListed | Passed::Left(_) | Passed::TooManyTags) => "not by the roll",
        Err(Passed::NotAuthorised(_)) => "not authorised",
        Err(Passed::Untouched(kind)) => kind.name(),
        Err(Passed::Unwanted(_)) => "unwanted",
        Err(Passed::Unsignable(_)) => "unsignable",
        Err(Passed::TooLarge(_)) => "too large",
    }
}

/// Nobody's certificate is known.
fn planned<'a>(policy: &Policy, mail: &'a dyn Octets, submission: &Submission<'_>) -> Plan<'a> {
    let mut nobody = |_: &Address| Ok::<_, io::Error>(Found::default());
    policy.plan(mail, submission, &InMemory, &mut nobody).unwrap()
}

fn decided(policy: &Policy, origin: Origin, mail: &str) -> &'static str {
    let mail = mail.as_bytes().to_vec();
    let recipients = ["x@y.example".to_owned()];
    let submission = Submission { recipients: &recipients, origin, ..Submission::default() };
    word(&planned(policy, &mail, &submission))
}

/// Nobody is named: whoever enters by an outbound listener.
const OPEN: &str = "[]";
/// Everybody who logged in, as himself.
const OWN: &str = r#"[{"login": "*", "from": ["own"]}]"#;
/// One login for two addresses.
const NAMED: &str = r#"[{"login": "alice", "from": ["alice@a.example", "info@b.example"]}]"#;
/// A network for a domain.
const NETWORK: &str =
    r#"[{"network": "192.0.2.0/24", "from": ["a.example"]}, {"network": "2001:db8::/32", "from": ["*"]}]"#;
/// A listener's class.
const CLASS: &str = r#"[{"class": "shop", "from": ["shop@a.example"]}]"#;
/// A certificate.
const CERTIFICATE: &str = r#"[{"certificate": "erp", "issuer": "Our CA", "from": ["a.example"]}]"#;
/// A login, from inside alone.
const BOTH: &str = r#"[{"network": "192.0.2.0/24", "login": "*", "from": ["own"]}]"#;

#[test]
fn who_may_sign_as_whom() {
    let none = String::new;
    let client = |text: &str| Origin { client: Some(text.parse().unwrap()), ..Origin::default() };
    let class = |text: &str| Origin { class: Some(text.into()), ..Origin::default() };
    let nobody = Origin::default;
    let direct = |name: Option<&str>| Origin {
        certificate: name.map(|name| ClientCertificate { name: name.into(), issuer: "Our CA".into() }),
        direct: true,
        ..Origin::default()
    };
    let forged_below = format!("{}{}", submitted(""), login("alice"));
    let forged_host = login("alice").replace("by mail.a.example", "by mail.evil.example");
    let forged_hello = login("mallory").replace("[192.0.2.7] (", "alice (");
    let twice = submitted("\t(Authenticated sender: mallory)\r\n\t(Authenticated sender: alice)\r\n");
    let nested = login("mallory (Authenticated sender: alice)");
    let behind_by = submitted("").replace("(Postfix)", "(Postfix) (Authenticated sender: alice)");
    let not_first = format!("Received: by other.a.example; Tue, 1 Dec 2026 00:00:00 +0000\r\n{}", login("alice"));
    let rows: &[(&str, &str, Origin, String, &str, &str)] = &[
        // Nobody is named.
        ("a member", OPEN, nobody(), none(), "From: alice@a.example", "signed"),
        ("with a display name", OPEN, nobody(), none(), "From: \"Alice, A.\" <alice@a.example>", "signed"),
        ("the other domain, in capitals", OPEN, nobody(), none(), "From: alice@B.EXAMPLE", "signed"),
        ("an outsider", OPEN, nobody(), none(), "From: eve@evil.example", "no member"),
        ("a domain below", OPEN, nobody(), none(), "From: alice@x.a.example", "no member"),
        ("a domain that ends alike", OPEN, nobody(), none(), "From: alice@evil-a.example", "no member"),
        (
            "a member as the display name",
            OPEN,
            nobody(),
            none(),
            "From: \"alice@a.example\" <eve@evil.example>",
            "no member",
        ),
        ("two authors", OPEN, nobody(), none(), "From: alice@a.example, bob@a.example", "no author"),
        ("two fields", OPEN, nobody(), none(), "From: alice@a.example\r\nFrom: eve@evil.example", "no author"),
        ("no From", OPEN, nobody(), none(), "To: alice@a.example", "no author"),
        (
            "Sender is not From",
            OPEN,
            nobody(),
            none(),
            "From: eve@evil.example\r\nSender: alice@a.example",
            "no member",
        ),
        ("a group", OPEN, nobody(), none(), "From: staff: alice@a.example;", "no author"),
        ("two in one", OPEN, nobody(), none(), "From: <alice@a.example> <eve@evil.example>", "no author"),
        ("an international address", OPEN, nobody(), none(), "From: 受付@a.example", "internationalised"),
        // A mail program that is connected itself writes what it likes.
        ("a login that it wrote", OWN, direct(None), login("alice"), "From: alice@a.example", "not authorised"),
        ("its certificate", CERTIFICATE, direct(Some("erp")), none(), "From: alice@a.example", "signed"),
        ("another's", CERTIFICATE, direct(Some("crm")), none(), "From: alice@a.example", "not authorised"),
        (
            "another's, and a certificate that it wrote",
            CERTIFICATE,
            direct(None),
            shown("erp", "Our CA", "verified OK"),
            "From: alice@a.example",
            "not authorised",
        ),
        // By login.
        ("himself", OWN, nobody(), login("alice"), "From: alice@a.example", "signed"),
        ("himself, at the other domain", OWN, nobody(), login("alice"), "From: alice@b.example", "signed"),
        ("himself, by an address as login", OWN, nobody(), login("alice@a.example"), "From: alice@a.example", "signed"),
        (
            "an address as login, at the other domain",
            OWN,
            nobody(),
            login("alice@a.example"),
            "From: alice@b.example",
            "not authorised",
        ),
        ("a colleague", OWN, nobody(), login("bob"), "From: alice@a.example", "not authorised"),
        ("himself in other letters", OWN, nobody(), login("alice"), "From: Alice@a.example", "not authorised"),
        ("with a tag", OWN, nobody(), login("alice"), "From: alice+x@a.example", "not authorised"),
        ("nobody logged in", OWN, nobody(), submitted(""), "From: alice@a.example", "not authorised"),
        ("no Received field", OWN, nobody(), none(), "From: alice@a.example", "not authorised"),
        ("the second address", NAMED, nobody(), login("alice"), "From: info@b.example", "signed"),
        ("the second address, by another", NAMED, nobody(), login("bob"), "From: info@b.example", "not authorised"),
        ("not among the addresses", NAMED, nobody(), login("alice"), "From: bob@a.example", "not authorised"),
        // Forged: what a mail brought along counts nothing.
        ("a field brought along", OWN, nobody(), forged_below, "From: alice@a.example", "not authorised"),
        ("a field of another host", OWN, nobody(), forged_host, "From: alice@a.example", "not authorised"),
        ("a greeting", OWN, nobody(), forged_hello, "From: alice@a.example", "not authorised"),
        ("two logins", OWN, nobody(), twice, "From: alice@a.example", "not authorised"),
        ("a login inside a login", OWN, nobody(), nested, "From: alice@a.example", "not authorised"),
        ("a login behind the host", OWN, nobody(), behind_by, "From: alice@a.example", "not authorised"),
        ("not the topmost", OWN, nobody(), not_first, "From: alice@a.example", "not authorised"),
        ("an unreadable login", OWN, nobody(), login("al?ce"), "From: al?ce@a.example", "not authorised"),
        ("a login with a backslash", OWN, nobody(), login("alice\\"), "From: alice@a.example", "not authorised"),
        // By network.
        ("inside", NETWORK, client("192.0.2.7"), none(), "From: alice@a.example", "signed"),
        ("inside, the other domain", NETWORK, client("192.0.2.7"), none(), "From: alice@b.example", "not authorised"),
        ("inside, the second rule", NETWORK, client("2001:db8::7"), none(), "From: alice@b.example", "signed"),
        ("IPv4 in IPv6", NETWORK, client("::ffff:192.0.2.7"), none(), "From: alice@a.example", "signed"),
        ("outside", NETWORK, client("198.51.100.7"), none(), "From: alice@a.example", "not authorised"),
        ("nobody knows from where", NETWORK, nobody(), none(), "From: alice@a.example", "not authorised"),
        // By the listener's class.
        ("the shop", CLASS, class("shop"), none(), "From: shop@a.example", "signed"),
        ("the shop, as the boss", CLASS, class("shop"), none(), "From: boss@a.example", "not authorised"),
        ("by another listener", CLASS, class("office"), none(), "From: shop@a.example", "not authorised"),
        ("by a listener without class", CLASS, nobody(), none(), "From: shop@a.example", "not authorised"),
        // By client certificate.
        ("verified", CERTIFICATE, nobody(), shown("erp", "Our CA", "verified OK"), "From: alice@a.example", "signed"),
        (
            "not verified",
            CERTIFICATE,
            nobody(),
            shown("erp", "Our CA", "not verified"),
            "From: alice@a.example",
            "not authorised",
        ),
        (
            "of another CA",
            CERTIFICATE,
            nobody(),
            shown("erp", "Evil CA", "verified OK"),
            "From: alice@a.example",
            "not authorised",
        ),
        (
            "another name",
            CERTIFICATE,
            nobody(),
            shown("pc", "Our CA", "verified OK"),
            "From: alice@a.example",
            "not authorised",
        ),
        (
            "a name that plays issuer",
            CERTIFICATE,
            nobody(),
            shown("erp\", Issuer \"Our CA", "Evil CA", "verified OK"),
            "From: alice@a.example",
            "not authorised",
        ),
        // Every condition counts.
        ("inside and himself", BOTH, client("192.0.2.7"), login("alice"), "From: alice@a.example", "signed"),
        (
            "himself, from outside",
            BOTH,
            client("198.51.100.7"),
            login("alice"),
            "From: alice@a.example",
            "not authorised",
        ),
        ("inside, not logged in", BOTH, client("192.0.2.7"), none(), "From: alice@a.example", "not authorised"),
    ];
    assert!(rows.len() >= 40);
    for (name, senders, origin, received, from, expected) in rows {
        let mail = format!("{received}{from}\r\nTo: x@y.example\r\nSubject: s\r\n\r\nHello.\r\n");
        assert_eq!(decided(&policy(senders), origin.clone(), &mail), *expected, "{name}");
    }
}

#[test]
fn without_the_hosts_name_no_login_is_known() {
    let policy = Policy { submission_host: None, ..policy(OWN) };
    let mail = format!("{}From: alice@a.example\r\n\r\nHello.\r\n", login("alice"));
    assert_eq!(decided(&policy, Origin::default(), &mail), "not authorised");
}

#[test]
fn what_is_left_alone_is_left_alone() {
    let calendar = "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
                    Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n";
    let tnef = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
                Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx\r\n--b--\r\n";
    let report = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    let pgp = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    let sealed = "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n";
    for (name, rest, expected, also) in [
        ("a plain mail", "\r\nHello.\r\n", "signed", None),
        ("an automatic reply", "Auto-Submitted: auto-replied\r\n\r\nAway.\r\n", "reply", Some(Untouched::Reply)),
        ("what a program made", "Auto-Submitted: auto-generated\r\n\r\nBill.\r\n", "signed", None),
        ("a receipt", report, "report", Some(Untouched::Report)),
        ("of a list", "List-Post: <mailto:list@a.example>\r\n\r\nHello.\r\n", "list", Some(Untouched::List)),
        ("a newsletter", "List-Post: NO\r\nList-Id: <news.a.example>\r\n\r\nNews.\r\n", "signed", None),
        ("an invitation", calendar, "calendar", Some(Untouched::Calendar)),
        ("a calendar that invites nobody", &calendar.replace("; method=REQUEST", ""), "signed", None),
        ("winmail.dat", tnef, "tnef", Some(Untouched::Tnef)),
        ("PGP", pgp, "unsignable", None),
        ("S/MIME", sealed, "unsignable", None),
    ] {
        let mail = format!("From: alice@a.example\r\nMIME-Version: 1.0\r\n{rest}");
        assert_eq!(decided(&policy(OPEN), Origin::default(), &mail), expected, "{name}");
        let asked = Policy { also_sign: also.into_iter().collect(), ..policy(OPEN) };
        let expected = if also.is_some() { "signed" } else { expected };
        assert_eq!(decided(&asked, Origin::default(), &mail), expected, "{name}, asked for");
    }
    let mail = b"From: alice@a.example\r\n\r\nHello.\r\n".to_vec();
    let bounce = Submission { has_null_sender: true, ..Submission::default() };
    assert_eq!(word(&planned(&policy(OPEN), &mail, &bounce)), "null sender");
}

/// The form, whether the header is protected, the digest and the size for a mail of Alice's to these.
type Left = (Signing, bool, Option<DigestName>, Option<u64>);

#[test]
fn the_form_goes_by_author_and_recipient() {
    let rules: Vec<Rule> = rules(
        r#"[{"to": ["fax.example", "old@z.example"], "sign": "never"},
            {"from": ["alice@a.example"], "to": ["z.example"], "sign": "opaque", "header_protection": false},
            {"to": ["small.example"], "max_size": 1000},
            {"from": ["alice@a.example"], "digest": "sha512"},
            {"to": ["z.example"], "digest": "sha384"}]"#,
    );
    let (clear, opaque, never) = (Signing::Clear, Signing::Opaque, Signing::Never);
    let sha512 = Some(DigestName::Sha512);
    let rows: &[(&str, Signing, &[&str], Left)] = &[
        ("the default", clear, &["x@y.example"], (clear, true, sha512, None)),
        ("opaque by default", opaque, &["x@y.example"], (opaque, true, sha512, None)),
        ("opaque by default, to a list", opaque, &["x@Googlegroups.com"], (clear, true, sha512, None)),
        ("unsigned by default, to a list", never, &["x@googlegroups.com"], (never, true, sha512, None)),
        ("a domain", clear, &["x@fax.example"], (never, true, sha512, None)),
        ("a domain below", clear, &["x@a.fax.example"], (clear, true, sha512, None)),
        ("an address before its domain", clear, &["old@z.example"], (never, false, sha512, None)),
        ("the second rule", never, &["x@z.example"], (opaque, false, sha512, None)),
        ("a size", clear, &["x@small.example"], (clear, true, sha512, Some(1000))),
        ("no address", clear, &["<@relay:x@z.example>"], (clear, true, sha512, None)),
        ("what webmail takes", clear, &["x@gmail.com"], (clear, true, sha512, Some(25 * 1024 * 1024))),
    ];
    for (name, sign, to, expected) in rows {
        let policy = Policy { rules: rules.clone(), sign: *sign, ..policy(OPEN) };
        let mail = b"From: alice@a.example\r\n\r\nHello.\r\n".to_vec();
        let recipients: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let submission = Submission { recipients: &recipients, ..Submission::default() };
        let plan = planned(&policy, &mail, &submission);
        let [copy] = plan.copies.as_slice() else { panic!("{name}") };
        let all = &copy.treatment;
        let left = (all.sign.value, all.header_protection.value, all.digest.value, all.max_size.value);
        assert_eq!(left, *expected, "{name}");
        match &copy.signing {
            Ok(place) => assert_eq!(plan.signings[*place].form == Form::Opaque, left.0 == opaque, "{name}"),
            Err(passed) => assert!(matches!(passed, Passed::Unwanted(_)) && left.0 == never, "{name}: {passed}"),
        }
    }
    // Recipients under different rules get different copies, those under the same share one.
    let policy_of = |sign| Policy { rules: rules.clone(), sign, ..policy(OPEN) };
    for (name, to, expected) in [
        ("two of a kind", &["x@y.example", "z@y.example"][..], &["signed 0,1"][..]),
        ("clear beside opaque", &["x@y.example", "x@z.example", "z@y.example"], &["signed 0,2", "signed 1"]),
        ("opaque beside none", &["x@z.example", "x@fax.example"], &["signed 0", "unwanted 1"]),
        ("sizes", &["x@y.example", "x@small.example"], &["signed 0", "signed 1"]),
    ] {
        let mail = b"From: alice@a.example\r\n\r\nHello.\r\n".to_vec();
        let recipients: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let plan = planned(&policy_of(clear), &mail, &Submission { recipients: &recipients, ..Submission::default() });
        let shown = |copy: &Planned| {
            let places: Vec<String> = copy.recipients.iter().map(ToString::to_string).collect();
            format!("{} {}", if copy.signing.is_ok() { "signed" } else { "unwanted" }, places.join(","))
        };
        assert_eq!(plan.copies.iter().map(shown).collect::<Vec<_>>(), expected, "{name}");
    }
    // Another author is met by the rules alone that do not name her.
    let policy = Policy { rules, ..policy(OPEN) };
    let bob = "bob@a.example".parse().unwrap();
    let treatment = policy.treatment(Some(&bob), "x@z.example");
    assert_eq!((treatment.sign.value, treatment.digest.value), (clear, Some(DigestName::Sha384)));
}

#[test]
fn what_cannot_be_meant_is_told() {
    let refused = |json: &str| serde_json::from_str::<SenderRule>(json).unwrap_err().to_string();
    for (rule, part) in [
        (r#"{"from": ["*"]}"#, "no condition"),
        (r#"{"login": "x", "from": []}"#, "allows no From"),
        (r#"{"login": " ", "from": ["*"]}"#, "empty"),
        (r#"{"certificate": "x", "from": ["*"]}"#, "stand together"),
        (r#"{"network": "192.0.2.0/24", "from": ["own"]}"#, "needs a login"),
        (r#"{"network": "192.0.2.7/24", "from": ["*"]}"#, "behind its prefix"),
        (r#"{"login": "x", "from": ["a b"]}"#, "neither an address nor a domain"),
        (r#"{"user": "x", "from": ["*"]}"#, "user"),
    ] {
        assert!(refused(rule).contains(part), "{rule}: {}", refused(rule));
    }
    let refused = |json: &str| serde_json::from_str::<Rule>(json).unwrap_err().to_string();
    for (rule, part) in [
        (r#"{"to": ["x.example"]}"#, "says nothing"),
        (r#"{"sign": "maybe"}"#, "maybe"),
        (r#"{"sign": "never", "max_size": 0}"#, "nonzero"),
    ] {
        assert!(refused(rule).contains(part), "{rule}: {}", refused(rule));
    }
    // Well formed each, and still not meant.
    for (senders, others, host, part) in [
        (OWN, "[]", None, "submission_host"),
        (CERTIFICATE, "[]", None, "submission_host"),
        (CLASS, "[]", None, "class = \"shop\" is the class of no outbound listener"),
        (r#"[{"login": "x", "from": ["c.example"]}]"#, "[]", Some("h"), "from = \"c.example\" is in no domain"),
        (OPEN, r#"[{"from": ["c@c.example"], "sign": "never"}]"#, None, "from = \"c@c.example\" is in no domain"),
        (
            OPEN,
            r#"[{"sign": "never"}, {"to": ["x.example"], "sign": "opaque"}]"#,
            None,
            "rule 2: rule 1 says all of this",
        ),
    ] {
        let policy = Policy { submission_host: host.map(str::to_owned), rules: rules(others), ..policy(senders) };
        let problems = policy.problems(&["office"]);
        assert_eq!(problems.len(), 1, "{senders} {others}: {problems:?}");
        assert!(problems[0].contains(part), "{problems:?}");
    }
    let good =
        r#"[{"to": ["x.example"], "sign": "opaque"}, {"sign": "never"}, {"to": ["x.example"], "digest": "sha512"}]"#;
    let policy = Policy { rules: rules(good), ..policy(CLASS) };
    assert_eq!(policy.problems(&["shop"]), Vec::<String>::new());
}
