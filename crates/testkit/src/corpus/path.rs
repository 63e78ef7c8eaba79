//! E: path, certificate, revocation.

use crate::cms::{SignedFactory, SignerFactory};
use crate::mail::Mail;
use crate::{
    Authority, BANK, CertificateFactory, CrlFactory, Flaw, Holder, NOW, OcspFactory, Pki, Says, anchor, in_days, key,
    write,
};
use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::cert::extension::NameConstraints;
use kakitome_pki::crypto::SigningKey;
use kakitome_pki::path::{Anchor, AnchorSource, Standing, mailboxes};

use super::{Row, issued, under};

fn leaf() -> CertificateFactory {
    Pki::leaf(BANK, "info@bank.example", 2)
}

fn mail_of(holder: &Holder) -> Vec<u8> {
    Mail::of(holder).clear_by(holder)
}

fn signed_at(holder: &Holder, days: i64) -> Vec<u8> {
    let mail = Mail::of(holder).dated(in_days(days));
    let signer = SignerFactory::new(holder).at(in_days(days));
    mail.clear(&SignedFactory::new(mail.payload()).signer(&signer).holder(holder).der())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = paths();
    rows.extend(certificates());
    rows.extend(revocation());
    rows
}

fn paths() -> Vec<Row> {
    let world = Pki::get();
    let key: &'static SigningKey = key("info@bank.example");
    let unknown = |id, holder: &Holder, code| Row::new(id, mail_of(holder), "ISSUER_UNKNOWN", code);
    let not_valid = |id, holder: &Holder, code| Row::new(id, mail_of(holder), "CERT_NOT_VALID_THEN", code);
    let sub = |name: &str| Pki::sub_authority(name).authority_by(&world.re, name);
    let eve_as_ca = Authority { certificate: world.eve.certificate.clone(), key: world.eve.key };
    let by_leaf = under(&eve_as_ca, leaf(), key);
    let by_leaf = Holder { chain: [by_leaf.chain, world.eve.chain.clone()].concat(), ..by_leaf };
    let first = sub("First");
    let second = Pki::sub_authority("Second").authority_by(&first, "Second");
    let too_long = under(&second, leaf(), key);
    let too_long = Holder { chain: vec![second.certificate, first.certificate], ..too_long };
    let tls_sub = Pki::sub_authority("TLS")
        .with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::SERVER_AUTH]))
        .authority_by(&world.re, "TLS");
    // Cross-signed: the same name and key under a root that is no anchor any more.
    let cross = Pki::sub_authority("SE").authority_by(&world.rx, "SE");
    let cross = Holder { chain: vec![cross.certificate, world.se.certificate.clone()], ..world.bank.clone() };
    let distrusted = || {
        vec![Anchor { distrust_after: Some(in_days(-183)), ..anchor(&world.re.certificate, AnchorSource::PublicList) }]
    };
    let taken_out = |other: Option<&Certificate>| {
        let re = anchor(&world.re.certificate, AnchorSource::PublicList);
        let other = other.map(|other| anchor(other, AnchorSource::PublicList));
        [Anchor { standing: Standing::Distrusted, ..re }].into_iter().chain(other).collect::<Vec<_>>()
    };
    let crossed = CertificateFactory::authority("RE").issued_by(&world.rx);
    let crossed = Holder { chain: vec![world.se.certificate.clone(), crossed], ..world.bank.clone() };
    let private = anchor(&world.rp.certificate, AnchorSource::User);
    let limited = |domain: &str| {
        let permitted = mailboxes(domain).into_iter().collect();
        vec![Anchor { limits: NameConstraints { permitted, excluded: Vec::new() }, ..private.clone() }]
    };
    let local = |leaf: CertificateFactory| under(&world.rp, leaf, key);
    let claims = local(leaf());
    vec![
        unknown("E01", &world.self_signed, "path.selfsigned"),
        unknown("E02", &world.unknown, "path.unknown"),
        unknown("E02r", &Holder { chain: vec![world.rx.certificate.clone()], ..world.unknown.clone() }, "path.unknown"),
        unknown("E03", &world.tls, "path.no-email-purpose"),
        Row::new("E04", mail_of(&world.local), "LOCAL_CONFIRMED", "ok").private().note("path.local"),
        unknown("E04n", &world.local, "path.unknown"),
        unknown("E04a", &world.local, "path.unknown").anchors(Vec::new()),
        Row::new("E05", mail_of(&claims), "LOCAL_CONFIRMED", "ok").private().note("class.oid-private"),
        unknown("E06", &by_leaf, "path.notca"),
        unknown("E07", &too_long, "path.pathlen"),
        not_valid(
            "E08",
            &under(&world.se_nc, Pki::leaf(&[], "eve@eve.example", 1), world.eve.key),
            "path.nameconstraint",
        ),
        not_valid("E09", &under(&tls_sub, leaf(), key), "path.eku"),
        Row::new("E32", mail_of(&cross), "ORG_CONFIRMED", "ok"),
        unknown("E33", &issued(leaf().valid(in_days(-153), in_days(200)), "E33"), "path.distrust-after")
            .anchors(distrusted()),
        Row::new("E33b", mail_of(&issued(leaf().valid(in_days(-214), in_days(200)), "E33")), "ORG_CONFIRMED", "ok")
            .anchors(distrusted()),
        // The issuer's name and not its signature.
        unknown("X34", &issued(leaf().flaw(Flaw::WrongSignature), "X34"), "path.invalid"),
        // RE taken out by the operator; by the certificate of another root for its name and key it does not come back.
        unknown("X31", &world.bank, "path.distrusted").anchors(taken_out(None)),
        unknown("X31c", &crossed, "path.distrusted").anchors(taken_out(Some(&world.rx.certificate))),
        // An issuer chosen here, for some domains alone; and one of whom it is said that he checks names.
        Row::new("X32", mail_of(&world.local), "LOCAL_CONFIRMED", "ok").anchors(limited("local.example")),
        not_valid("X32n", &world.local, "path.nameconstraint").anchors(limited("*.local.example")),
        Row::new("X33", mail_of(&claims), "LOCAL_CONFIRMED", "ok")
            .anchors(vec![Anchor { names_verified: true, ..private.clone() }])
            .note("class.local-names"),
        // A stranger's certificate and a good one: From is not bound, but nothing is known of the signer either.
        Row::new("X30", Mail::of(&world.eve).clear_by(&world.unknown), "ISSUER_UNKNOWN", "path.unknown")
            .note("bind.none"),
    ]
}

fn certificates() -> Vec<Row> {
    let world = Pki::get();
    let not_valid = |id, leaf: CertificateFactory, code| {
        Row::new(id, mail_of(&issued(leaf, "certificates")), "CERT_NOT_VALID_THEN", code)
    };
    let usages = |usages: &[Oid]| leaf().with(oid::EXTENDED_KEY_USAGE, false, write::usages(usages));
    let any = || usages(&[oid::ANY_EXTENDED_KEY_USAGE]);
    let critical = Oid::new_unwrap("1.2.3.4.5");
    let mailbox = |id, leaf: CertificateFactory, lint| {
        Row::new(id, mail_of(&issued(leaf, "certificates")), "MAILBOX_CONFIRMED", "ok").note(lint)
    };
    let address: &[(Oid, &str)] = &[(oid::COMMON_NAME, "user@mail.example")];
    let named: &[(Oid, &str)] = &[(oid::ORGANIZATION, "例示銀行"), (oid::GIVEN_NAME, "太郎")];
    let two = [Pki::policy(1, 3), Pki::policy(2, 3)];
    let mv_list = CrlFactory::default().signed_by(&world.se_mv);
    let ov_by_mv = under(&world.se_mv, leaf(), key("info@bank.example"));
    // The same subject and key, twice: one ended, one goes on.
    let ended = issued(leaf().valid(in_days(-375), in_days(-10)), "E34");
    let current = issued(leaf(), "E34");
    let both = |named: &Holder, other: &Holder, days: i64| {
        let mail = Mail::of(named).dated(in_days(days));
        let signer = SignerFactory::new(named).at(in_days(days));
        let cms = SignedFactory::new(mail.payload()).signer(&signer).certificate(other.certificate.raw());
        mail.clear(&cms.holder(named).der())
    };
    vec![
        not_valid("E10", usages(&[oid::CLIENT_AUTH]), "cert.eku"),
        not_valid("E11", leaf().with(oid::KEY_USAGE, true, der::named_bits(&[2])), "cert.ku"),
        Row::new(
            "E11n",
            mail_of(&issued(leaf().with(oid::KEY_USAGE, true, der::named_bits(&[1])), "E11n")),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new("E12", mail_of(&under(&world.rp, any().spki(key("E12").spki()), key("E12"))), "LOCAL_CONFIRMED", "ok")
            .private(),
        mailbox("E12p", any(), "lint.eku"),
        not_valid("E13", leaf().with(critical, true, der::NULL.to_vec()), "cert.critical"),
        Row::new("E14", signed_at(&world.expired, 0), "CERT_NOT_VALID_THEN", "time.expired-at-signing"),
        Row::new("E15", signed_at(&world.expired, -20), "OLD_SIGNATURE", "time.expired-since"),
        Row::new("E15o", signed_at(&world.expired, -20), "OLD_SIGNATURE", "time.expired-since").lists(Vec::new()),
        Row::new("E16", signed_at(&world.expired, -20), "ORG_CONFIRMED", "ok").delivered(in_days(-19)).lists(
            [&world.re, &world.se]
                .map(|issuer| CrlFactory::default().dated(in_days(-20), Some(in_days(-13))).signed_by(issuer))
                .to_vec(),
        ),
        Row::new("E16l", signed_at(&world.expired, -20), "CHECK_INCOMPLETE", "rev.unavailable")
            .delivered(in_days(-19))
            .lists(Vec::new()),
        Row::new("E17", mail_of(&world.not_yet), "CERT_NOT_VALID_THEN", "time.notyet"),
        Row::new("E17b", signed_at(&world.bank, -101), "CERT_NOT_VALID_THEN", "time.notyet"),
        mailbox("E27", Pki::leaf(named, "user@mail.example", 1), "lint.mv-names"),
        mailbox("E28", Pki::leaf(address, "user@mail.example", 1).policies(&two), "lint.multi-oid"),
        mailbox("E29", Pki::leaf(address, "user@mail.example", 1).policies(&[Pki::policy(1, 1)]), "lint.legacy-sunset"),
        Row::new("E30", mail_of(&ov_by_mv), "MAILBOX_CONFIRMED", "ok").list(mv_list).note("lint.no-oid"),
        Row::new("E31", mail_of(&issued(leaf().valid(in_days(-100), in_days(800)), "E31")), "ORG_CONFIRMED", "ok")
            .note("lint.validity"),
        Row::new("E34", both(&current, &ended, 0), "ORG_CONFIRMED", "ok"),
        Row::new("E34e", both(&ended, &current, 0), "CERT_NOT_VALID_THEN", "time.expired-at-signing"),
        Row::new("E34o", both(&ended, &current, -20), "OLD_SIGNATURE", "time.expired-since"),
    ]
}

fn revocation() -> Vec<Row> {
    let world = Pki::get();
    let bank = &world.bank;
    let re_list = || CrlFactory::default().signed_by(&world.re);
    let revoked = |days: i64, reason: Option<Reason>| {
        let list = CrlFactory::default().revoking(&bank.certificate, in_days(days), reason);
        vec![re_list(), list.signed_by(&world.se)]
    };
    // The lists of the day of the delivery, and later ones.
    let then_and = |lists: Vec<_>| {
        let then = |issuer| CrlFactory::default().dated(in_days(-5), Some(in_days(2))).signed_by(issuer);
        [vec![then(&world.re), then(&world.se)], lists].concat()
    };
    let row = |id, signed: i64, lists, state, code| Row::new(id, signed_at(bank, signed), state, code).lists(lists);
    let se_rev = Pki::sub_authority("SE-rev").authority_by(&world.re, "SE-rev");
    let below = under(&se_rev, leaf(), key("info@bank.example"));
    let ca_list = CrlFactory::default().revoking(&se_rev.certificate, in_days(-3), None).signed_by(&world.re);
    let se_rev_list = CrlFactory::default().signed_by(&se_rev);
    let stale = CrlFactory::default().dated(in_days(-20), Some(in_days(-10))).signed_by(&world.se);
    let stale_revoking = CrlFactory::default()
        .dated(in_days(-20), Some(in_days(-10)))
        .revoking(&bank.certificate, in_days(-21), None)
        .signed_by(&world.se);
    let impostor = Authority { certificate: world.se.certificate.clone(), key: key("impostor") };
    let forged = CrlFactory::default().signed_by(&impostor);
    let forged_revoking = CrlFactory::default().revoking(&bank.certificate, in_days(-3), None).signed_by(&impostor);
    let incomplete = |id, lists, code| row(id, 0, lists, "CHECK_INCOMPLETE", code);
    let se_answers = |holder: &Holder, says| {
        OcspFactory::default().about(&holder.certificate, &world.se.certificate, says).der(&world.se)
    };
    let stapled = |id, response: Vec<u8>, state, code| {
        let mail = Mail::of(bank);
        let signed = SignedFactory::by(bank, mail.payload()).stapled(&response);
        Row::new(id, mail.clear(&signed.der()), state, code).lists(vec![re_list()])
    };
    vec![
        // The responder says good, the list says revoked, and the other way round.
        stapled("E25", se_answers(bank, Says::Good), "REVOKED", "rev.before")
            .lists(revoked(-20, None))
            .note("rev.conflict"),
        stapled("E25o", se_answers(bank, Says::Revoked(in_days(-20), None)), "REVOKED", "rev.before")
            .lists(world.lists())
            .note("rev.conflict"),
        row("E18", -5, revoked(-1, Some(Reason::Superseded)), "REVOKED", "rev.before"),
        row("E18d", -5, then_and(revoked(-1, Some(Reason::Superseded))), "ORG_CONFIRMED", "ok")
            .delivered(in_days(-4))
            .note("rev.after"),
        row("E19d", -5, then_and(revoked(-1, Some(Reason::KeyCompromise))), "REVOKED", "rev.keycompromise")
            .delivered(in_days(-4)),
        row("E20d", -5, then_and(revoked(-5, None)), "REVOKED", "rev.before").delivered(in_days(-4)),
        row("E18f", -5, revoked(1, Some(Reason::Superseded)), "ORG_CONFIRMED", "ok"),
        row("E19", -5, revoked(-1, Some(Reason::KeyCompromise)), "REVOKED", "rev.keycompromise"),
        row("E19f", -5, revoked(1, Some(Reason::KeyCompromise)), "REVOKED", "rev.keycompromise"),
        row("E20", 0, revoked(-20, None), "REVOKED", "rev.before"),
        row("E21", 0, revoked(-2, Some(Reason::CertificateHold)), "REVOKED", "rev.hold"),
        Row::new("E22", mail_of(&below), "REVOKED", "rev.ca").lists(vec![ca_list, se_rev_list]),
        incomplete("E23", vec![re_list(), stale], "rev.stale"),
        incomplete("E23n", vec![re_list()], "rev.unavailable"),
        incomplete("E23c", vec![CrlFactory::default().signed_by(&world.se)], "rev.unavailable"),
        row("E23r", 0, vec![re_list(), stale_revoking], "REVOKED", "rev.before"),
        incomplete("E24", vec![re_list(), forged], "rev.unavailable"),
        incomplete("E24r", vec![re_list(), forged_revoking], "rev.unavailable"),
        row("X40", 0, revoked(-2, Some(Reason::RemoveFromCrl)), "ORG_CONFIRMED", "ok"),
        // A revoked certificate of somebody else: the revocation is told first.
        Row::new("X41", Mail::of(&world.eve).clear_by(bank), "REVOKED", "rev.before").lists(revoked(-20, None)),
        // OCSP responses that travel with the signature (RFC 5940); RE's list answers for SE.
        stapled("X43", se_answers(bank, Says::Good), "ORG_CONFIRMED", "ok").note("rev.ocsp.good"),
        stapled("X44", se_answers(bank, Says::Revoked(in_days(-2), None)), "REVOKED", "rev.before"),
        stapled("X45", se_answers(&world.eve, Says::Good), "CHECK_INCOMPLETE", "rev.unavailable"),
        stapled("X46", se_answers(bank, Says::Unknown), "CHECK_INCOMPLETE", "rev.unavailable"),
        Row::new("X42", mail_of(bank), "CHECK_INCOMPLETE", "rev.stale").at(NOW.plus(7 * crate::DAY)),
    ]
}
