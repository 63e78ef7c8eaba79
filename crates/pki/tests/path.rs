//! Paths: every row has one flaw at most, and names the problem that is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::{
    Anchor, AnchorSource, KNOWN_OCTETS_LIMIT, Known, PathProblem, PolicyInputs, Purpose, Question, Refusal, ValidPath,
    find,
};
use kakitome_testkit::write;
use kakitome_testkit::{Authority, BANK, CertificateFactory, Flaw, NOW, Pki, anchor, in_days, key, weak_spki};

fn ask(leaf: &Certificate, untrusted: &[Certificate], anchors: &[Anchor]) -> Result<ValidPath, Refusal> {
    find(&question(leaf, untrusted, anchors))
}

fn question<'a>(leaf: &'a Certificate, untrusted: &'a [Certificate], anchors: &'a [Anchor]) -> Question<'a> {
    Question { leaf, untrusted, anchors, at: NOW, purpose: Purpose::Email, policy: PolicyInputs::NONE }
}

/// The name of a problem without what it carries.
fn told(outcome: &Result<ValidPath, Refusal>) -> String {
    match outcome {
        Ok(path) if path.weak().is_some() => "weak".to_owned(),
        Ok(_) => "ok".to_owned(),
        Err(refusal) => {
            let text = format!("{:?}", refusal.problem);
            text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
        }
    }
}

fn sub(name: &str) -> CertificateFactory {
    Pki::sub_authority(name)
}

fn leaf() -> CertificateFactory {
    Pki::leaf(BANK, "info@bank.example", 2)
}

const UNKNOWN: Oid = Oid::new_unwrap("1.2.3.4.5");

/// A leaf under a CA under RE.
fn under(world: &Pki, issuer: CertificateFactory, name: &str, leaf: CertificateFactory) -> Result<ValidPath, Refusal> {
    let issuer = issuer.authority_by(&world.re, name);
    ask(&leaf.issued_by(&issuer), &[issuer.certificate], &world.public_anchors())
}

#[test]
fn one_flaw_makes_one_problem() {
    let world = Pki::get();
    let public = world.public_anchors();
    let with_se = |leaf: CertificateFactory| {
        ask(&leaf.issued_by(&world.se), std::slice::from_ref(&world.se.certificate), &public)
    };
    let with_sub = |issuer: CertificateFactory| under(world, issuer, "Sub", leaf());
    let holder =
        |holder: &kakitome_testkit::Holder, anchors: &[Anchor]| ask(&holder.certificate, &holder.chain, anchors);
    let two_below = |first: CertificateFactory| {
        let first = first.authority_by(&world.re, "First");
        let second = sub("Second").authority_by(&first, "Second");
        ask(&leaf().issued_by(&second), &[second.certificate, first.certificate], &public)
    };
    let usages = |usages: &[Oid]| write::usages(usages);
    let re_with =
        |factory: CertificateFactory| vec![anchor(&factory.self_signed("RE").certificate, AnchorSource::PublicList)];
    let constrained = |permitted: &[Vec<u8>], critical| {
        sub("Sub").with(oid::NAME_CONSTRAINTS, critical, write::constraints(permitted, &[]))
    };
    let registered = der::element(0x88, &[UNKNOWN.as_bytes()]);
    let distrusted = |days| {
        let mut anchors = world.public_anchors();
        anchors[0].distrust_after = Some(in_days(days));
        holder(&world.bank, &anchors)
    };

    let rows: Vec<(&str, Result<ValidPath, Refusal>, &str)> = vec![
        ("the bank", holder(&world.bank, &public), "ok"),
        ("the mailbox", holder(&world.mbox, &public), "ok"),
        ("RP chosen", holder(&world.local, &world.private_anchors()), "ok"),
        ("RP not chosen", holder(&world.local, &public), "UnknownIssuer"),
        ("no anchor", holder(&world.bank, &[]), "UnknownIssuer"),
        ("self-signed", holder(&world.self_signed, &public), "SelfSigned"),
        ("a root that nobody knows", holder(&world.unknown, &public), "UnknownIssuer"),
        ("a root for TLS alone", holder(&world.tls, &public), "NotForEmail"),
        ("the CA is missing", ask(&world.bank.certificate, &[], &public), "UnknownIssuer"),
        ("wrong signature on the leaf", with_se(leaf().flaw(Flaw::WrongSignature)), "BadSignature"),
        ("wrong signature on the CA", with_sub(sub("Sub").flaw(Flaw::WrongSignature)), "BadSignature"),
        (
            "another key with the issuer's name",
            {
                let impostor = CertificateFactory::authority("SE").self_signed("impostor");
                ask(&leaf().issued_by(&impostor), std::slice::from_ref(&world.se.certificate), &public)
            },
            "BadSignature",
        ),
        (
            "another key with the issuer's name, and the leaf says so",
            {
                let key = key("impostor");
                let other = CertificateFactory::authority("SE").spki(key.spki()).issued_by(&world.re);
                let other = Authority { certificate: other, key };
                ask(&leaf().issued_by(&other), std::slice::from_ref(&world.se.certificate), &public)
            },
            "UnknownIssuer",
        ),
        ("MD5", with_se(leaf().flaw(Flaw::NamesMd5)), "BadSignature"),
        ("expired", holder(&world.expired, &public), "Expired"),
        ("not yet valid", holder(&world.not_yet, &public), "NotYetValid"),
        ("valid to this very second", with_se(leaf().valid(in_days(-9), NOW)), "ok"),
        ("ended a second ago", with_se(leaf().valid(in_days(-9), NOW.plus(-1))), "Expired"),
        ("the CA expired", with_sub(sub("Sub").valid(in_days(-900), in_days(-1))), "Expired"),
        (
            "issued by a leaf",
            {
                let leafs = Authority { certificate: world.eve.certificate.clone(), key: world.eve.key };
                ask(&leaf().issued_by(&leafs), &[world.eve.certificate.clone(), world.se.certificate.clone()], &public)
            },
            "NotCa",
        ),
        (
            "CA:FALSE",
            with_sub(sub("Sub").with(oid::BASIC_CONSTRAINTS, true, write::basic_constraints(false, None))),
            "NotCa",
        ),
        ("a CA of version 1", with_sub(sub("Sub").version_1()), "NotCa"),
        ("no keyCertSign", with_sub(sub("Sub").with(oid::KEY_USAGE, true, der::named_bits(&[6]))), "NotCa"),
        ("a CA without key usage", with_sub(sub("Sub").without(oid::KEY_USAGE)), "ok"),
        (
            "two CAs",
            two_below(sub("First").with(oid::BASIC_CONSTRAINTS, true, write::basic_constraints(true, Some(1)))),
            "ok",
        ),
        ("two CAs where one may be", two_below(sub("First")), "PathLength"),
        (
            "a self-issued CA does not count",
            {
                let first = sub("Roll").authority_by(&world.re, "Roll");
                let again = sub("Roll").spki(key("Roll 2").spki()).authority_by(&first, "Roll 2");
                ask(&leaf().issued_by(&again), &[again.certificate, first.certificate], &public)
            },
            "ok",
        ),
        (
            "the anchor's path length",
            {
                let short = CertificateFactory::authority("RE").with(
                    oid::BASIC_CONSTRAINTS,
                    true,
                    write::basic_constraints(true, Some(0)),
                );
                holder(&world.bank, &re_with(short))
            },
            "PathLength",
        ),
        (
            "the anchor's usages",
            {
                let other = CertificateFactory::authority("RE").with(
                    oid::EXTENDED_KEY_USAGE,
                    false,
                    usages(&[oid::SERVER_AUTH]),
                );
                holder(&world.bank, &re_with(other))
            },
            "CaExtendedKeyUsage",
        ),
        (
            "the anchor's names",
            {
                let narrow = CertificateFactory::authority("RE").with(
                    oid::NAME_CONSTRAINTS,
                    false,
                    write::constraints(&[write::mailbox("mail.example")], &[]),
                );
                holder(&world.bank, &re_with(narrow))
            },
            "NameConstraint",
        ),
        (
            "the anchor has ended",
            holder(&world.bank, &re_with(CertificateFactory::authority("RE").valid(in_days(-900), in_days(-1)))),
            "Expired",
        ),
        (
            "the anchor begins later",
            holder(&world.bank, &re_with(CertificateFactory::authority("RE").valid(in_days(1), in_days(900)))),
            "NotYetValid",
        ),
        (
            "the anchor is of version 1",
            holder(&world.bank, &re_with(CertificateFactory::authority("RE").version_1())),
            "ok",
        ),
        (
            "the anchor is no CA",
            {
                let leafs = CertificateFactory::authority("RE").with(
                    oid::BASIC_CONSTRAINTS,
                    true,
                    write::basic_constraints(false, None),
                );
                holder(&world.bank, &re_with(leafs))
            },
            "NotCa",
        ),
        ("distrusted before", distrusted(-101), "DistrustAfter"),
        ("distrusted since", distrusted(-100), "ok"),
        (
            "leaf usage clientAuth",
            with_se(leaf().with(oid::EXTENDED_KEY_USAGE, false, usages(&[oid::CLIENT_AUTH]))),
            "ExtendedKeyUsage",
        ),
        (
            "leaf usage any",
            with_se(leaf().with(oid::EXTENDED_KEY_USAGE, false, usages(&[oid::ANY_EXTENDED_KEY_USAGE]))),
            "ok",
        ),
        ("leaf without usage, public", with_se(leaf().without(oid::EXTENDED_KEY_USAGE)), "ExtendedKeyUsage"),
        (
            "leaf without usage, private",
            {
                let leaf = leaf().without(oid::EXTENDED_KEY_USAGE).issued_by(&world.rp);
                ask(&leaf, &[], &world.private_anchors())
            },
            "ok",
        ),
        (
            "CA for TLS alone",
            with_sub(sub("Sub").with(oid::EXTENDED_KEY_USAGE, false, usages(&[oid::SERVER_AUTH]))),
            "CaExtendedKeyUsage",
        ),
        ("CA without usage", with_sub(sub("Sub").without(oid::EXTENDED_KEY_USAGE)), "ok"),
        ("key usage keyEncipherment", with_se(leaf().with(oid::KEY_USAGE, true, der::named_bits(&[2]))), "KeyUsage"),
        ("key usage nonRepudiation", with_se(leaf().with(oid::KEY_USAGE, true, der::named_bits(&[1]))), "ok"),
        ("no key usage", with_se(leaf().without(oid::KEY_USAGE)), "ok"),
        ("unknown critical on the leaf", with_se(leaf().with(UNKNOWN, true, der::NULL.to_vec())), "UnknownCritical"),
        ("unknown on the leaf", with_se(leaf().with(UNKNOWN, false, der::NULL.to_vec())), "ok"),
        ("unknown critical on the CA", with_sub(sub("Sub").with(UNKNOWN, true, der::NULL.to_vec())), "UnknownCritical"),
        (
            "unknown critical on the anchor",
            holder(&world.bank, &re_with(CertificateFactory::authority("RE").with(UNKNOWN, true, der::NULL.to_vec()))),
            "UnknownCritical",
        ),
        (
            "SE-nc inside",
            ask(&leaf().issued_by(&world.se_nc), std::slice::from_ref(&world.se_nc.certificate), &public),
            "ok",
        ),
        (
            "SE-nc outside",
            {
                let eve =
                    Pki::leaf(&[(oid::COMMON_NAME, "eve@eve.example")], "eve@eve.example", 1).issued_by(&world.se_nc);
                ask(&eve, std::slice::from_ref(&world.se_nc.certificate), &public)
            },
            "NameConstraint",
        ),
        (
            "outside, and the constraint is not critical",
            with_sub(constrained(&[write::mailbox("eve.example")], false)),
            "NameConstraint",
        ),
        (
            "one of two mailboxes outside",
            {
                let two = leaf().names(&[write::mailbox("info@bank.example"), write::mailbox("eve@eve.example")]);
                under(world, constrained(&[write::mailbox("bank.example")], true), "Sub", two)
            },
            "NameConstraint",
        ),
        (
            "the subject's old e-mail attribute outside",
            {
                let subject: Vec<_> = BANK.iter().copied().chain([(oid::EMAIL_ADDRESS, "eve@eve.example")]).collect();
                under(
                    world,
                    constrained(&[write::mailbox("bank.example")], true),
                    "Sub",
                    Pki::leaf(&subject, "info@bank.example", 2),
                )
            },
            "NameConstraint",
        ),
        (
            "an SmtpUTF8Mailbox outside",
            {
                let utf8 = leaf().names(&[write::mailbox_utf8("受付@eve.example")]);
                under(world, constrained(&[write::mailbox("bank.example")], true), "Sub", utf8)
            },
            "NameConstraint",
        ),
        (
            "the subject outside a directory name",
            with_sub(constrained(&[write::directory(world.rp.certificate.subject())], true)),
            "NameConstraint",
        ),
        (
            "the subject inside a directory name",
            {
                let country = kakitome_pki::cert::name::Name::build(&[(oid::COUNTRY, "jp")]);
                with_sub(constrained(&[write::directory(&country)], true))
            },
            "ok",
        ),
        (
            "a form that cannot be compared occurs",
            {
                let names = leaf().names(&[write::mailbox("info@bank.example"), registered.clone()]);
                under(world, constrained(std::slice::from_ref(&registered), true), "Sub", names)
            },
            "NameConstraint",
        ),
        (
            "a form that cannot be compared does not occur",
            with_sub(constrained(std::slice::from_ref(&registered), true)),
            "ok",
        ),
        (
            "a URI outside",
            {
                let uri = leaf().names(&[write::mailbox("info@bank.example"), write::uri("http://eve.example/")]);
                under(world, constrained(&[write::uri(".bank.example")], true), "Sub", uri)
            },
            "NameConstraint",
        ),
        ("policies differ, none is demanded", with_sub(sub("Sub").policies(&[UNKNOWN])), "ok"),
        (
            "policies differ, one is demanded",
            with_sub(sub("Sub").policies(&[UNKNOWN]).with(oid::POLICY_CONSTRAINTS, true, write::require_explicit(0))),
            "Policy",
        ),
        (
            "a policy is demanded and holds",
            with_sub(sub("Sub").with(oid::POLICY_CONSTRAINTS, true, write::require_explicit(0))),
            "ok",
        ),
        (
            "the leaf itself demands a policy",
            under(
                world,
                sub("Sub").policies(&[UNKNOWN]),
                "Sub",
                leaf().with(oid::POLICY_CONSTRAINTS, true, write::require_explicit(0)),
            ),
            "Policy",
        ),
        ("RSA of 1024 bits", with_se(leaf().spki(&weak_spki())), "weak"),
    ];
    let wrong: Vec<_> = rows
        .iter()
        .filter(|(_, outcome, expected)| told(outcome) != *expected)
        .map(|(name, outcome, expected)| format!("{name}: {} instead of {expected}", told(outcome)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn policies_hold_only_through_the_whole_path() {
    let world = Pki::get();
    let (mv, ov) = (Pki::policy(1, 3), Pki::policy(2, 3));
    let any = oid::ANY_POLICY;
    let of = |issuer: CertificateFactory, leaf: CertificateFactory| {
        let path = under(world, issuer, "Sub", leaf).unwrap();
        path.policies().iter().copied().collect::<Vec<_>>()
    };
    let rows = [
        ("any, then OV", of(sub("Sub"), leaf()), vec![ov]),
        ("MV, then OV", of(sub("Sub").policies(&[mv]), leaf()), vec![]),
        ("MV and OV, then OV", of(sub("Sub").policies(&[mv, ov]), leaf()), vec![ov]),
        ("none, then OV", of(sub("Sub").without(oid::CERTIFICATE_POLICIES), leaf()), vec![]),
        ("MV, then any", of(sub("Sub").policies(&[mv]), leaf().policies(&[any])), vec![mv]),
        ("any, then any", of(sub("Sub"), leaf().policies(&[any])), vec![any]),
        (
            "MV, then any, inhibited",
            {
                let inhibited = sub("Sub").policies(&[mv]).with(oid::INHIBIT_ANY_POLICY, true, der::unsigned(&[0]));
                of(inhibited, leaf().policies(&[any]))
            },
            vec![],
        ),
        (
            "OV mapped to MV, then MV",
            {
                let mapped = sub("Sub").policies(&[ov]).with(oid::POLICY_MAPPINGS, true, write::mappings(&[(ov, mv)]));
                of(mapped, leaf().policies(&[mv]))
            },
            vec![ov],
        ),
        (
            "OV mapped to MV, then OV",
            {
                let mapped = sub("Sub").policies(&[ov]).with(oid::POLICY_MAPPINGS, true, write::mappings(&[(ov, mv)]));
                of(mapped, leaf())
            },
            vec![],
        ),
    ];
    for (name, found, expected) in rows {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_user_may_demand_policies() {
    let world = Pki::get();
    let (mv, ov, any) = (Pki::policy(1, 3), Pki::policy(2, 3), oid::ANY_POLICY);
    let mapped = || sub("Sub").policies(&[ov]).with(oid::POLICY_MAPPINGS, true, write::mappings(&[(ov, mv)]));
    let demand = PolicyInputs::default;
    let acceptable =
        |policies: &[Oid]| PolicyInputs { acceptable: policies.to_vec(), require_explicit: true, ..demand() };
    let explicit = || PolicyInputs { require_explicit: true, ..demand() };
    /// Name, CA, leaf, demand, the policies that hold.
    type Row<'a> = (&'a str, CertificateFactory, CertificateFactory, PolicyInputs, Result<Vec<Oid>, PathProblem>);
    let rows: Vec<Row<'_>> = vec![
        ("any is enough", sub("Sub"), leaf(), explicit(), Ok(vec![ov])),
        ("none is not", sub("Sub"), leaf().without(oid::CERTIFICATE_POLICIES), explicit(), Err(PathProblem::Policy)),
        ("the one wanted", sub("Sub"), leaf(), acceptable(&[ov]), Ok(vec![ov])),
        ("another", sub("Sub"), leaf(), acceptable(&[mv]), Err(PathProblem::Policy)),
        ("one of two", sub("Sub"), leaf(), acceptable(&[mv, ov]), Ok(vec![ov])),
        ("wanted, not demanded", sub("Sub"), leaf(), PolicyInputs { acceptable: vec![mv], ..demand() }, Ok(vec![])),
        ("anyPolicy to the end", sub("Sub"), leaf().policies(&[any]), acceptable(&[mv]), Ok(vec![mv])),
        ("anyPolicy is wanted", sub("Sub"), leaf(), acceptable(&[any]), Ok(vec![ov])),
        (
            "anyPolicy, inhibited",
            sub("Sub"),
            leaf(),
            PolicyInputs { inhibit_any: true, ..acceptable(&[ov]) },
            Err(PathProblem::Policy),
        ),
        ("mapped, by the name above", mapped(), leaf().policies(&[mv]), acceptable(&[ov]), Ok(vec![ov])),
        ("mapped, by the name below", mapped(), leaf().policies(&[mv]), acceptable(&[mv]), Err(PathProblem::Policy)),
        (
            "mapped, inhibited",
            mapped(),
            leaf().policies(&[mv]),
            PolicyInputs { inhibit_mapping: true, ..acceptable(&[ov]) },
            Err(PathProblem::Policy),
        ),
        (
            "anyPolicy may not be mapped",
            sub("Sub").with(oid::POLICY_MAPPINGS, true, write::mappings(&[(any, mv)])),
            leaf(),
            demand(),
            Err(PathProblem::PolicyMapping),
        ),
    ];
    for (name, issuer, leaf, policy, expected) in rows {
        let issuer = issuer.authority_by(&world.re, "Sub");
        let (leaf, untrusted, anchors) = (leaf.issued_by(&issuer), [issuer.certificate], world.public_anchors());
        let outcome = find(&Question { policy: &policy, ..question(&leaf, &untrusted, &anchors) });
        let found = outcome.map(|path| path.policies().iter().copied().collect::<Vec<_>>());
        assert_eq!(found.map_err(|refusal| refusal.problem), expected, "{name}");
    }
}

#[test]
fn a_mapped_policy_is_not_the_leafs_own() {
    let world = Pki::get();
    let (mv, ov) = (Pki::policy(1, 3), Pki::policy(2, 3));
    let mapped = sub("Sub").policies(&[ov]).with(oid::POLICY_MAPPINGS, true, write::mappings(&[(ov, mv)]));
    let path = under(world, mapped, "Sub", leaf().policies(&[mv])).unwrap();
    assert_eq!((path.policies().len(), path.unmapped_policies().len()), (1, 0));
    let path = under(world, sub("Sub"), "Sub", leaf()).unwrap();
    assert_eq!(path.policies(), path.unmapped_policies());
}

#[test]
fn what_no_ca_may_write_is_refused() {
    let world = Pki::get();
    let identifier = || der::octet_string(&[7; 20]);
    let constraints = || write::constraints(&[write::mailbox("bank.example")], &[]);
    let nameless = kakitome_pki::cert::name::Name::build(&[]);
    for (name, issuer, leaf) in [
        ("critical key identifier", sub("Sub"), leaf().with(oid::SUBJECT_KEY_IDENTIFIER, true, identifier())),
        ("the same of a CA", sub("Sub").with(oid::SUBJECT_KEY_IDENTIFIER, true, identifier()), leaf()),
        ("a leaf that limits names", sub("Sub"), leaf().with(oid::NAME_CONSTRAINTS, true, constraints())),
        ("an issuer without a name", sub("Sub").subject(&nameless), leaf()),
    ] {
        assert_eq!(told(&under(world, issuer, "Sub", leaf)), "Profile", "{name}");
    }
}

#[test]
fn a_self_issued_ca_does_not_count_for_policies() {
    let world = Pki::get();
    let mv = Pki::policy(1, 3);
    let through = |first: CertificateFactory, again: CertificateFactory, leaf: CertificateFactory| {
        let first = first.authority_by(&world.re, "Roll");
        let again = again.spki(key("Roll 2").spki()).authority_by(&first, "Roll 2");
        ask(&leaf.issued_by(&again), &[again.certificate, first.certificate], &world.public_anchors())
    };
    // RFC 5280 §6.1.3 d 2: anyPolicy counts in it even where it is inhibited.
    let inhibited = sub("Roll").policies(&[mv]).with(oid::INHIBIT_ANY_POLICY, true, der::unsigned(&[0]));
    let path = through(inhibited, sub("Roll"), leaf().policies(&[mv])).unwrap();
    assert_eq!(path.policies().iter().collect::<Vec<_>>(), [&mv]);
    // §6.1.4 h: it does not use up the certificates after which a policy is demanded.
    for (after, expected) in [(1, "Policy"), (2, "ok")] {
        let demanding = sub("Roll").policies(&[mv]).with(oid::POLICY_CONSTRAINTS, true, write::require_explicit(after));
        assert_eq!(told(&through(demanding, sub("Roll"), leaf())), expected, "{after}");
    }
}

#[test]
fn any_certificate_may_be_an_anchor() {
    let world = Pki::get();
    let bank = &world.bank;
    // an intermediate
    let path = ask(&bank.certificate, &[], &[anchor(&world.se.certificate, AnchorSource::User)]).unwrap();
    assert_eq!(path.certificates(), std::slice::from_ref(&bank.certificate));
    assert_eq!(path.anchor().certificate, world.se.certificate);
    // the leaf itself, whoever issued it
    for leaf in [&bank.certificate, &world.self_signed.certificate] {
        let path = ask(leaf, &[], &[anchor(leaf, AnchorSource::User)]).unwrap();
        assert!(path.is_anchor_alone());
        assert_eq!(path.certificates(), std::slice::from_ref(leaf));
        assert!(path.policies().is_empty());
    }
    // but not for ever
    let ended = &world.expired.certificate;
    assert_eq!(told(&ask(ended, &[], &[anchor(ended, AnchorSource::User)])), "Expired");
    // a leaf that is an anchor issues nothing
    let eve = Authority { certificate: world.eve.certificate.clone(), key: world.eve.key };
    let below = ask(&leaf().issued_by(&eve), &[], &[anchor(&eve.certificate, AnchorSource::User)]);
    assert_eq!(told(&below), "NotCa");
    // its usages still count
    let server = leaf().with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::SERVER_AUTH])).issued_by(&world.rp);
    assert_eq!(told(&ask(&server, &[], &[anchor(&server, AnchorSource::User)])), "ExtendedKeyUsage");
    let anchors = world.private_anchors();
    assert!(find(&Question { purpose: Purpose::Any, ..question(&server, &[], &anchors) }).is_ok());
}

#[test]
fn the_best_of_several_paths_is_taken() {
    let world = Pki::get();
    // SE's key is certified by RP too, and by a root that was removed, and once for too short a time.
    let cross = |issuer: &Authority| sub("SE").issued_by(issuer);
    let old = sub("SE").valid(in_days(-900), in_days(-1)).issued_by(&world.re);
    let mut bag = vec![cross(&world.rx), old, cross(&world.rp), world.se.certificate.clone()];
    let mut anchors = [world.private_anchors(), world.public_anchors()].concat();
    for _ in 0..2 {
        let path = ask(&world.bank.certificate, &bag, &anchors).unwrap();
        assert_eq!(path.anchor().source, AnchorSource::PublicList);
        assert_eq!(path.certificates(), [world.bank.certificate.clone(), world.se.certificate.clone()]);
        bag.reverse();
        anchors.reverse();
    }
    let private = ask(&world.bank.certificate, &bag, &world.private_anchors()).unwrap();
    assert_eq!(private.anchor().source, AnchorSource::User);
    // the most useful reason survives: one path is only expired, the others reach nothing
    bag.retain(|certificate| *certificate != world.se.certificate);
    let refusal = ask(&world.bank.certificate, &bag, &world.public_anchors()).unwrap_err();
    assert!(matches!(refusal.problem, PathProblem::Expired { .. }), "{refusal:?}");
    assert_eq!(refusal.partial.len(), 2);
    assert_eq!(refusal.anchor.map(|anchor| anchor.certificate), Some(world.re.certificate.clone()));
}

/// What is remembered makes a search faster, and changes none of its answers.
#[test]
fn the_arithmetic_alone_is_remembered() {
    let world = Pki::get();
    let anchors = world.public_anchors();
    let (leaf, chain) = (leaf().issued_by(&world.se), [world.se.certificate.clone()]);
    let count = |known: &Known| format!("{known:?}");
    let nothing = Known::default();
    let known = Known::remembering();
    let path = ask(&leaf, &chain, &anchors).unwrap();
    nothing.keep(&path);
    known.keep(&path);
    known.clone().keep(&path);
    assert_eq!([count(&nothing), count(&known)], ["Known(None)", "Known(Some(2))"]);

    let (recalled, issuers) = (known.recall(&leaf), chain.each_ref().map(|issuer| known.recall(issuer)));
    assert!(recalled == leaf && issuers == chain && nothing.recall(&leaf) == leaf);
    assert!(recalled.verify_signature(world.se.certificate.key()).is_ok());
    assert!(recalled.verify_signature(world.re.certificate.key()).is_err(), "by another key it is what it was");
    let at = |leaf: &Certificate, untrusted: &[Certificate], days| {
        told(&find(&Question { at: in_days(days), ..question(leaf, untrusted, &anchors) }))
    };
    for days in [-10_000, 0, 10_000] {
        assert_eq!(at(&recalled, &issuers, days), at(&leaf, &chain, days), "{days}");
    }
    assert_eq!(told(&ask(&recalled, &issuers, &[])), told(&ask(&leaf, &chain, &[])));

    // Another signature makes another certificate.
    let mut octets = leaf.raw().to_vec();
    *octets.last_mut().unwrap() ^= 1;
    let forged = Certificate::parse(&octets).unwrap();
    assert_eq!(told(&ask(&known.recall(&forged), &issuers, &anchors)), "BadSignature");

    // Nobody verifies an anchor's own signature, so nobody says that it verified.
    let alone = Known::remembering();
    alone.keep(&ask(&leaf, &[], &[anchor(&leaf, AnchorSource::User)]).unwrap());
    assert_eq!(count(&alone), "Known(Some(0))");
}

#[test]
fn what_is_remembered_is_bounded() {
    let world = Pki::get();
    let (anchors, known) = (world.public_anchors(), Known::remembering());
    let large = |number: u8| leaf().with(UNKNOWN, false, vec![number; 200_000]).issued_by(&world.re);
    let fit = KNOWN_OCTETS_LIMIT / large(0).raw().len();
    for number in 0..fit + 3 {
        known.keep(&ask(&large(u8::try_from(number).unwrap()), &[], &anchors).unwrap());
    }
    assert_eq!(format!("{known:?}"), "Known(Some(3))");
}

#[test]
fn a_search_ends() {
    let world = Pki::get();
    // Two CAs that certify each other, and nobody above.
    let one = CertificateFactory::authority("One").self_signed("One");
    let two = CertificateFactory::authority("Two").self_signed("Two");
    let ring =
        [CertificateFactory::authority("One").issued_by(&two), CertificateFactory::authority("Two").issued_by(&one)];
    let refusal = ask(&leaf().issued_by(&one), &ring, &world.public_anchors()).unwrap_err();
    assert_eq!((&refusal.problem, refusal.partial.len()), (&PathProblem::UnknownIssuer, 3));
    // Hundreds of certificates with the issuer's name and other keys.
    let many: Vec<_> =
        (0..150).map(|n| CertificateFactory::authority("One").self_signed(&format!("One {n}")).certificate).collect();
    let refusal = ask(&leaf().issued_by(&one), &many, &world.public_anchors()).unwrap_err();
    assert_eq!(refusal.problem, PathProblem::Budget);
    // The real ones are found among them all the same: the key identifier leads.
    let bag = [many, vec![one.certificate.clone()]].concat();
    assert!(ask(&leaf().issued_by(&one), &bag, &[anchor(&one.certificate, AnchorSource::User)]).is_ok());
    // A chain that is longer than any.
    let mut above = world.re.clone();
    let mut chain = Vec::new();
    for n in 0..13 {
        let name = format!("Step {n}");
        above = CertificateFactory::authority(&name).authority_by(&above, &name);
        chain.push(above.certificate.clone());
        let outcome = ask(&leaf().issued_by(&above), &chain, &world.public_anchors());
        assert_eq!(told(&outcome), if n < 11 { "ok" } else { "Budget" }, "{n}");
    }
}
