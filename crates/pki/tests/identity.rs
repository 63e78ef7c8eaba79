//! What a certificate vouches for: the classes, row by row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;
use kakitome_pki::identity::{Class, Lint, Vouched, vouch};
use kakitome_pki::path::{PolicyInputs, Purpose, Question, find};
use kakitome_testkit::write;
use kakitome_testkit::{BANK, CertificateFactory, NOW, Pki, in_days, weak_spki};

fn of(leaf: &Certificate, untrusted: &[Certificate], at: kakitome_pki::asn1::time::Time) -> Vouched {
    let world = Pki::get();
    let anchors = [world.public_anchors(), world.private_anchors()].concat();
    vouch(
        &find(&Question {
            leaf,
            untrusted,
            anchors: &anchors,
            at,
            purpose: Purpose::Email,
            policy: PolicyInputs::NONE,
        })
        .unwrap(),
    )
}

const TARO: &[(Oid, &str)] = &[
    (oid::COUNTRY, "JP"),
    (oid::ORGANIZATION, "例示銀行"),
    (oid::ORGANIZATION_IDENTIFIER, "NTRJP-1"),
    (oid::SURNAME, "例示"),
    (oid::GIVEN_NAME, "太郎"),
];

#[test]
fn classes_and_what_is_odd() {
    let world = Pki::get();
    let mailbox = "info@bank.example";
    let se = |factory: CertificateFactory| {
        of(&factory.issued_by(&world.se), std::slice::from_ref(&world.se.certificate), NOW)
    };
    let leaf = |subject: &[(Oid, &str)], profile| Pki::leaf(subject, mailbox, profile);
    let address: &[(Oid, &str)] = &[(oid::COMMON_NAME, mailbox)];
    let with = |subject: &[(Oid, &'static str)], more: &[(Oid, &'static str)]| [subject, more].concat();
    let without = |subject: &[(Oid, &'static str)], kind| {
        subject.iter().copied().filter(|(of, _)| *of != kind).collect::<Vec<_>>()
    };
    let policy = Pki::policy;

    type Row<'a> = (&'a str, Vouched, Class, Vec<Lint>, Option<&'a str>, Option<&'a str>);
    let rows: Vec<Row<'_>> = vec![
        ("MV", se(leaf(address, 1)), Class::Mailbox, vec![], None, None),
        ("OV", se(leaf(BANK, 2)), Class::Organisation, vec![], Some("例示銀行"), None),
        ("SV", se(leaf(TARO, 3)), Class::PersonInOrganisation, vec![], Some("例示銀行"), Some("太郎 例示")),
        (
            "IV",
            se(leaf(&[(oid::GIVEN_NAME, "花子"), (oid::SURNAME, "見本"), (oid::COMMON_NAME, "見本 花子")], 4)),
            Class::Person,
            vec![],
            None,
            Some("見本 花子"),
        ),
        (
            "MV with O",
            se(leaf(&[(oid::ORGANIZATION, "例示銀行"), (oid::COMMON_NAME, mailbox)], 1)),
            Class::Mailbox,
            vec![Lint::MailboxWithNames],
            None,
            None,
        ),
        (
            "MV with a name as CN",
            se(leaf(&[(oid::COMMON_NAME, "例示銀行")], 1)),
            Class::Mailbox,
            vec![Lint::MailboxWithNames],
            None,
            None,
        ),
        (
            "OV with a given name",
            se(leaf(&with(BANK, &[(oid::GIVEN_NAME, "太郎")]), 2)),
            Class::Mailbox,
            vec![Lint::OrganisationWithPerson],
            None,
            None,
        ),
        (
            "OV with a pseudonym",
            se(leaf(&with(BANK, &[(oid::PSEUDONYM, "x")]), 2)),
            Class::Mailbox,
            vec![Lint::OrganisationWithPerson],
            None,
            None,
        ),
        (
            "OV without O",
            se(leaf(&without(BANK, oid::ORGANIZATION), 2)),
            Class::Mailbox,
            vec![Lint::OrganisationMissing],
            None,
            None,
        ),
        (
            "OV with two O",
            se(leaf(&with(BANK, &[(oid::ORGANIZATION, "別")]), 2)),
            Class::Mailbox,
            vec![Lint::OrganisationMissing],
            None,
            None,
        ),
        (
            "OV without number",
            se(leaf(&without(BANK, oid::ORGANIZATION_IDENTIFIER), 2)),
            Class::Mailbox,
            vec![Lint::OrganisationIdMissing],
            None,
            None,
        ),
        (
            "OV of another country",
            se(leaf(&[(oid::COUNTRY, "DE"), BANK[1], BANK[2]], 2)),
            Class::Mailbox,
            vec![Lint::OrganisationIdCountry],
            None,
            None,
        ),
        (
            "OV with an LEI",
            se(leaf(&[BANK[0], BANK[1], (oid::ORGANIZATION_IDENTIFIER, "LEIXG-AEYE00EKXESVZUUEBP67")], 2)),
            Class::Organisation,
            vec![],
            Some("例示銀行"),
            None,
        ),
        ("SV without a person", se(leaf(BANK, 3)), Class::Mailbox, vec![Lint::PersonMissing], None, None),
        (
            "SV with name and pseudonym",
            se(leaf(&with(TARO, &[(oid::PSEUDONYM, "x")]), 3)),
            Class::Mailbox,
            vec![Lint::PersonAndPseudonym],
            None,
            None,
        ),
        ("IV with O", se(leaf(TARO, 4)), Class::Mailbox, vec![Lint::PersonWithOrganisation], None, None),
        (
            "two policies",
            se(leaf(BANK, 2).policies(&[policy(1, 3), policy(2, 3)])),
            Class::Mailbox,
            vec![Lint::SeveralPolicies],
            None,
            None,
        ),
        (
            "no policy",
            se(leaf(BANK, 2).without(oid::CERTIFICATE_POLICIES)),
            Class::Mailbox,
            vec![Lint::NoPolicy],
            None,
            None,
        ),
        (
            "a policy outside the arc",
            se(leaf(BANK, 2).policies(&[oid::SMIME_BASELINE_ARC.child(2).unwrap().child(4).unwrap()])),
            Class::Mailbox,
            vec![Lint::NoPolicy],
            None,
            None,
        ),
        (
            "anyPolicy is none of them",
            se(leaf(BANK, 2).policies(&[oid::ANY_POLICY])),
            Class::Mailbox,
            vec![Lint::NoPolicy],
            None,
            None,
        ),
        (
            "no policy, from before",
            se(leaf(BANK, 2).without(oid::CERTIFICATE_POLICIES).valid(in_days(-1188), in_days(2))),
            Class::PreBaseline,
            vec![],
            None,
            None,
        ),
        (
            "two policies, from before",
            se(leaf(BANK, 2).policies(&[policy(1, 3), policy(2, 3)]).valid(in_days(-1188), in_days(2))),
            Class::PreBaseline,
            vec![Lint::SeveralPolicies],
            None,
            None,
        ),
        (
            "OV that contradicts itself, from before",
            se(leaf(BANK, 3).valid(in_days(-1188), in_days(2))),
            Class::Mailbox,
            vec![Lint::PersonMissing, Lint::ValidityTooLong],
            None,
            None,
        ),
        (
            "legacy, after its end",
            se(leaf(BANK, 2).policies(&[policy(2, 1)])),
            Class::Mailbox,
            vec![Lint::LegacyAfterSunset],
            None,
            None,
        ),
        (
            "legacy, before its end",
            se(leaf(BANK, 2).policies(&[policy(2, 1)]).valid(in_days(-505), in_days(100))),
            Class::Organisation,
            vec![],
            Some("例示銀行"),
            None,
        ),
        (
            "OV under a CA for MV alone",
            of(&leaf(BANK, 2).issued_by(&world.se_mv), std::slice::from_ref(&world.se_mv.certificate), NOW),
            Class::Mailbox,
            vec![Lint::NoPolicy],
            None,
            None,
        ),
        (
            "900 days",
            se(leaf(BANK, 2).valid(in_days(-100), in_days(800))),
            Class::Organisation,
            vec![Lint::ValidityTooLong],
            Some("例示銀行"),
            None,
        ),
        (
            "825 days to the second",
            se(leaf(BANK, 2).valid(in_days(-100), in_days(725).plus(-1))),
            Class::Organisation,
            vec![],
            Some("例示銀行"),
            None,
        ),
        (
            "usage any",
            se(leaf(BANK, 2).with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::ANY_EXTENDED_KEY_USAGE]))),
            Class::Mailbox,
            vec![Lint::ForeignUsage],
            None,
            None,
        ),
        (
            "usage serverAuth too",
            se(leaf(BANK, 2).with(
                oid::EXTENDED_KEY_USAGE,
                false,
                write::usages(&[oid::EMAIL_PROTECTION, oid::SERVER_AUTH]),
            )),
            Class::Mailbox,
            vec![Lint::ForeignUsage],
            None,
            None,
        ),
        (
            "an address of the subject is not listed",
            se(leaf(&with(BANK, &[(oid::EMAIL_ADDRESS, "ceo@bank.example")]), 2)),
            Class::Mailbox,
            vec![Lint::SubjectMailboxNotListed],
            None,
            None,
        ),
        (
            "no mailbox",
            se(leaf(BANK, 2).without(oid::SUBJECT_ALT_NAME)),
            Class::Mailbox,
            vec![Lint::NoMailbox],
            None,
            None,
        ),
        ("RSA of 1024 bits", se(leaf(BANK, 2).spki(&weak_spki())), Class::Mailbox, vec![Lint::Weak], None, None),
        (
            "private, with copied policy",
            of(&leaf(BANK, 2).issued_by(&world.rp), &[], NOW),
            Class::Local,
            vec![],
            Some("例示銀行"),
            Some("例示銀行"),
        ),
        ("private", of(&world.local.certificate, &[], NOW), Class::Local, vec![], None, None),
    ];
    for (name, found, class, lints, organisation, person) in rows {
        let got = (found.class, found.lints, found.organisation.as_deref(), found.person.as_deref());
        assert_eq!(got, (class, lints, organisation, person), "{name}");
        if !matches!(found.class, Class::Local | Class::Organisation | Class::PersonInOrganisation) {
            assert_eq!(found.organisation_id, None, "{name}");
        }
    }
}

#[test]
fn a_pseudonym_stands_alone() {
    let world = Pki::get();
    let leaf =
        Pki::leaf(&[(oid::PSEUDONYM, "筆名"), (oid::COMMON_NAME, "筆名")], "a@mail.example", 4).issued_by(&world.se);
    let vouched = of(&leaf, std::slice::from_ref(&world.se.certificate), NOW);
    assert_eq!((vouched.class, vouched.person, vouched.pseudonym.as_deref()), (Class::Person, None, Some("筆名")));
}

#[test]
fn mailboxes_come_from_the_alternative_names() {
    let world = Pki::get();
    let old = [(oid::COMMON_NAME, "staff"), (oid::EMAIL_ADDRESS, "old@bank.example")];
    let names =
        [write::mailbox("a@bank.example"), write::mailbox_utf8("受付@bank.example"), write::dns("bank.example")];
    let several = CertificateFactory::signer(&old, &[], "several").names(&names).issued_by(&world.rp);
    assert_eq!(of(&several, &[], NOW).mailboxes, ["a@bank.example", "受付@bank.example"]);
    // D18: the old attribute counts under a private anchor alone
    let attribute = |issuer| CertificateFactory::signer(&old, &[], "old").issued_by(issuer);
    let private = of(&attribute(&world.rp), &[], NOW);
    assert_eq!(
        (private.mailboxes, private.lints),
        (vec!["old@bank.example".to_owned()], vec![Lint::MailboxInSubjectOnly])
    );
    let public = of(&attribute(&world.se), std::slice::from_ref(&world.se.certificate), NOW);
    assert!(public.mailboxes.is_empty() && public.lints.contains(&Lint::MailboxInSubjectOnly));
}
