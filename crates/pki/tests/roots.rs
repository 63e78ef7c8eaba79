//! Lists of roots: what is read, what is refused, and which anchors a search gets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_pki::cert::{hex, pem};
use kakitome_pki::path::{AnchorSource, PathProblem, PolicyInputs, Purpose, Question, Standing, find, mailboxes};
use kakitome_pki::roots::{self, Header, Root, RootList, Uses, fingerprint};
use kakitome_testkit::{NOW, Pki, in_days};

/// What a search under this list says about the leaf of a holder.
fn ask(list: &RootList, holder: &kakitome_testkit::Holder) -> String {
    let question = Question {
        leaf: &holder.certificate,
        untrusted: &holder.chain,
        anchors: &list.anchors_for(&holder.certificate, holder.chain.iter()),
        at: NOW,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    };
    match find(&question).map_err(|refusal| refusal.problem) {
        Ok(path) => format!("{:?}", path.anchor().source),
        Err(PathProblem::NotForEmail(name)) => format!("not for e-mail: {name}"),
        Err(PathProblem::Distrusted(name)) => format!("distrusted: {name}"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn a_list_is_written_and_read_back() {
    let world = Pki::get();
    let mut re = Root::new(&world.re.certificate);
    re.distrust_after = Some(in_days(-7));
    re.only_for = vec!["bank.example".to_owned(), "*.例.example".to_owned()];
    re.names_verified = true;
    let mut rp = Root::new(&world.rp.certificate);
    // A name cannot begin a line of its own.
    rp.name = "RP\nfor: email".to_owned();
    rp.uses = Uses::default();
    let header = Header {
        name: "test-1".to_owned(),
        date: Some(NOW),
        source: "hands: two".to_owned(),
        source_sha256: "00".repeat(32),
    };
    let text = roots::write(&header, &["A remark.", ""], &[re.clone(), rp]);
    let list = RootList::parse(&text).unwrap();
    assert_eq!(list.header(), &header);
    assert_eq!(list.roots().len(), 2);
    assert_eq!(list.roots()[0], re);
    assert_eq!(list.roots()[1].name, "RP for: email");
    let again = roots::write(list.header(), &["A remark.", ""], list.roots());
    assert_eq!(again, text);
    // Another reader of PEM finds the root for e-mail and no other.
    let certificates = pem::read(text.as_bytes()).into_iter().filter(pem::Block::is_certificate).count();
    assert_eq!(certificates, 1);
    // The same list, read at first need.
    let embedded = RootList::embedded(Box::leak(text.into_boxed_str()), &[]);
    assert_eq!((embedded.header(), embedded.roots()), (list.header(), list.roots()));
}

#[test]
fn one_flaw_in_a_list_is_told_with_its_line() {
    let world = Pki::get();
    let good = world.public_list();
    assert!(RootList::is_list(good.as_bytes()) && RootList::parse(&good).is_ok());
    let hash = hex(world.re.certificate.fingerprint());
    let other = hex(world.rp.certificate.fingerprint());
    let block = |text: &str| {
        let (_, rest) = text.split_once("name: ").unwrap();
        format!("name: {}", rest.split_once("\n\n").unwrap().0)
    };
    let upper = hash.to_uppercase();
    for (what, text, expected) in [
        ("another version", good.replacen("version 1", "version 2", 1), "line 1: version 2"),
        ("plain PEM", pem::write("CERTIFICATE", world.re.certificate.raw()), "line 1: a list begins with"),
        ("no name", good.replacen("list: ", "#list: ", 1), "a list has a name"),
        ("no count", good.replacen("roots: 2", "", 1), "says how many roots"),
        ("another count", good.replacen("roots: 2", "roots: 3", 1), "cut short or changed"),
        ("another count for e-mail", good.replacen("for-email: 1", "for-email: 2", 1), "cut short or changed"),
        (
            "an unknown attribute",
            good.replacen("list: ", "signed: yes\nlist: ", 1),
            "\"signed\" of a list is not known",
        ),
        ("an unknown attribute of a root", good.replacen("for: ", "never: x\nfor: ", 1), "\"never\" stands twice"),
        ("twice the same attribute", good.replacen("for: email", "for: email\nfor: tls", 1), "\"for\" stands twice"),
        ("an unknown use", good.replacen("for: email", "for: e-mail", 1), "is none of"),
        ("no use", good.replacen("for: email\n", "", 1), "what the root is for"),
        ("no hash", good.replacen(&format!("sha256: {hash}\n"), "", 1), "SHA-256 of the root is missing"),
        ("another hash", good.replacen(&hash, &other, 1), "not the one of this SHA-256"),
        ("capitals", good.replacen(&hash, &upper, 1), "64 digits"),
        ("no key", good.replacen("subject: ", "subject: 0", 1), "16 digits"),
        (
            "another key",
            good.replacen("subject: ", "subject: 0123456789abcdef\n#subject: ", 1),
            "the name of \"RE\" has another key",
        ),
        ("no day", good.replacen("for: email", "distrust-after: soon\nfor: email", 1), "RFC 3339"),
        ("no domain", good.replacen("for: email", "only-for: @\nfor: email", 1), "neither a domain"),
        ("names by half", good.replacen("for: email", "names: perhaps\nfor: email", 1), "\"names\" stands twice"),
        ("a bare word", good.replacen("for: email", "email", 1), "not an attribute"),
        // A root for TLS under the label of one for e-mail, and the other way round.
        ("promoted", good.replacen("for: tls", "for: email", 1), "is not the label"),
        ("demoted", good.replacen("for: email", "for: tls", 1), "is not the label"),
        ("a root twice", format!("{good}\n{}", block(&good)), "stands here twice"),
        ("no base64", good.replacen("-----\nM", "-----\n!", 1), "not base64"),
        ("cut in a block", good[..good.len() - 60].to_owned(), "ends inside a certificate"),
        ("cut before a block", good.split("-----BEGIN").next().unwrap().to_owned(), "ends before its last root"),
        (
            "another end",
            good.replacen("-----END CERTIFICATE-----", "-----END X-----", 1),
            "not labelled as its beginning",
        ),
        ("no list at all", String::new(), "line 1"),
    ] {
        let problem = RootList::parse(&text).map(|_| ()).unwrap_err().to_string();
        assert!(problem.starts_with("line ") && problem.contains(expected), "{what}: {problem}");
    }
    assert_eq!(fingerprint(&hash), Some(*world.re.certificate.fingerprint()));
    for text in ["", &hash[1..], &upper, &format!("{hash}00"), &"zz".repeat(32)] {
        assert_eq!(fingerprint(text), None, "{text}");
    }
}

#[test]
fn a_search_gets_the_roots_that_it_can_meet() {
    let world = Pki::get();
    let list = RootList::parse(&world.public_list()).unwrap();
    let without_re = list.distrusting([*world.re.certificate.fingerprint()]);
    assert_eq!((list.roots_distrusted(), without_re.roots_distrusted()), (0, 1));
    for (list, holder, expected) in [
        (&list, &world.bank, "PublicList"),
        (&list, &world.tls, "not for e-mail: RT"),
        (&list, &world.local, "the issuer is not known"),
        (&without_re, &world.bank, "distrusted: RE"),
        (&without_re, &world.tls, "not for e-mail: RT"),
        (&RootList::default(), &world.bank, "the issuer is not known"),
    ] {
        assert_eq!(ask(list, holder), expected);
    }
    // Not one root more is read than the search has a use for.
    let met = list.anchors_for(&world.bank.certificate, world.bank.chain.iter());
    let met: Vec<_> = met.iter().map(|anchor| (anchor.certificate.subject().short(), anchor.standing)).collect();
    assert_eq!(met, [("RE".to_owned(), Standing::Counts)]);
    assert!(list.anchors_for(&world.local.certificate, world.local.chain.iter()).is_empty());
    // A root that is itself asked about.
    assert_eq!(list.anchors_for(&world.re.certificate, [].iter()).len(), 1);
    // As somebody's own choice: what is not for mail, or was taken out, is not chosen.
    let chosen = |list: &RootList| list.anchors(AnchorSource::User).len();
    assert_eq!((chosen(&list), chosen(&without_re)), (1, 0));
}

#[test]
fn limits_of_a_root_hold() {
    let world = Pki::get();
    for (only_for, distrust_after, expected) in [
        (&[][..], None, "PublicList"),
        (&["bank.example"], None, "PublicList"),
        (&["other.example", "bank.example"], None, "PublicList"),
        (&["info@bank.example"], None, "PublicList"),
        (&["*.bank.example"], None, "a name is outside what a certificate authority may vouch for: info@bank.example"),
        (&["other.example"], None, "a name is outside what a certificate authority may vouch for: info@bank.example"),
        // A list that cannot be read is empty.
        (&["bank.example", "@"], None, "the issuer is not known"),
        (&[], Some(world.bank.certificate.not_before()), "PublicList"),
        (
            &[],
            Some(world.bank.certificate.not_before().plus(-1)),
            "the anchor is no longer trusted for certificates issued as late as this one",
        ),
    ] {
        let mut root = Root::new(&world.re.certificate);
        root.only_for = only_for.iter().map(|domain| (*domain).to_owned()).collect();
        root.distrust_after = distrust_after;
        let header = Header { name: "test-1".to_owned(), ..Header::default() };
        let text = roots::write(&header, &[], &[root]);
        let list = RootList::embedded(Box::leak(text.into_boxed_str()), &[]);
        assert_eq!(ask(&list, &world.bank), expected, "{only_for:?} {distrust_after:?}");
    }
}

#[test]
fn domains_and_mailboxes_are_read_as_people_write_them() {
    for (text, expected) in [
        ("example.jp", Some("example.jp")),
        ("*.example.jp", Some(".example.jp")),
        (".example.jp", Some(".example.jp")),
        ("例.example", Some("xn--fsq.example")),
        ("*.例.example", Some(".xn--fsq.example")),
        ("info@example.jp", Some("info@example.jp")),
        ("\"a b\"@example.jp", Some("\"a b\"@example.jp")),
        ("受付@example.jp", None),
        ("", None),
        ("*", None),
        ("@", None),
        ("@example.jp", None),
        ("*@example.jp", Some("*@example.jp")),
        ("a..b", None),
        ("-a.example", None),
        ("exa mple.jp", None),
        ("example.jp.", None),
    ] {
        assert_eq!(mailboxes(text).map(|name| name.to_string()).as_deref(), expected, "{text:?}");
    }
}
