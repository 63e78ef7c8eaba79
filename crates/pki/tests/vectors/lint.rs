//! What other linters find in certificates by the S/MIME Baseline Requirements: zlint's tests (one finding of one
//! certificate at a time) and pkilint's (all findings of a certificate).

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::identity::{Lint, lint};
use kakitome_testkit::{BANK, Pki, in_days, write};
use serde_json::Value;

use crate::corpus::{self, Answer, Comparison};

/// zlint's names, and what we call the same; several of ours where theirs is wider.
const ZLINT: &[(&str, &[Lint])] = &[
    ("e_legacy_generation_deprecated", &[Lint::LegacyAfterSunset]),
    ("e_rsa_key_usage_strict", &[Lint::KeyUsageForeign]),
    ("e_rsa_key_usage_legacy_multipurpose", &[Lint::KeyUsageForeign]),
    ("e_rsa_other_key_usages", &[Lint::KeyUsageForeign]),
    ("e_ecpublickey_key_usages", &[Lint::KeyUsageForeign]),
    ("e_ec_other_key_usages", &[Lint::KeyUsageForeign]),
    ("e_edwardspublickey_key_usages", &[Lint::KeyUsageForeign]),
    ("e_key_usage_presence", &[Lint::NoKeyUsage]),
    ("w_key_usage_criticality", &[Lint::KeyUsageNotCritical]),
    ("e_invalid_spki_algoid", &[Lint::KeyAlgorithm]),
    ("e_invalid_legacy_spki_algoid", &[Lint::KeyAlgorithm]),
    ("e_commonname_mailbox_validated", &[Lint::CommonName]),
    ("e_org_validated_invalid_cn", &[Lint::CommonName]),
    ("w_san_should_not_be_critical", &[Lint::SanCritical]),
    ("e_smime_qc_statements_must_not_be_critical", &[Lint::QcCritical]),
    ("e_strict_multipurpose_smime_ext_subject_directory_attr", &[Lint::DirectoryAttributes]),
    ("e_legal_entity_identifier", &[Lint::LeiExtension]),
    ("e_smime_strict_eku_check", &[Lint::StrictUsage, Lint::NoEmailUsage]),
    ("e_smime_legacy_multipurpose_eku_check", &[Lint::ForeignUsage, Lint::NoEmailUsage]),
    ("e_san_shall_be_present", &[Lint::NoMailbox, Lint::MailboxInSubjectOnly]),
    ("e_registration_scheme_id_matches_subject_country", &[Lint::OrganisationIdCountry]),
    ("e_subscribers_crl_distribution_points_are_http", &[Lint::CrlPointScheme]),
    ("e_subscribers_shall_have_crl_distribution_points", &[Lint::NoCrlPoint]),
    ("e_smime_strict_aia_shall_have_http_only", &[Lint::AccessScheme]),
    ("e_smime_legacy_aia_shall_have_one_http", &[Lint::AccessScheme]),
    ("e_subject_country_name", &[Lint::Country]),
    ("e_authority_key_identifier_correct", &[Lint::AuthorityKeyIdentifier]),
    ("e_exactly_one_smime_policy", &[Lint::NoPolicy, Lint::SeveralPolicies]),
    ("e_single_email_subject_if_present", &[Lint::SubjectMailboxes]),
    ("e_mailbox_validated_allowed_subjectdn_attributes", &[Lint::MailboxAttribute]),
    ("e_mailbox_validated_enforce_subject_field_restrictions", &[Lint::MailboxAttribute]),
    ("e_adobe_extensions_legacy_multipurpose_criticality", &[Lint::AdobeExtension]),
    ("e_adobe_extensions_strict_presence", &[Lint::AdobeExtension]),
];

/// zlint's that have no counterpart: about names of hosts, other extensions than ours, or forms that we do not read.
const ZLINT_OTHERS: &[&str] = &[
    "w_smime_aia_contains_internal_names",
    "e_single_email_if_present",
    "e_ext_san_rfc822_format_invalid",
    "e_ext_ian_rfc822_format_invalid",
    "e_subject_email_max_length",
];

/// pkilint's codes, and what we call the same.
const PKILINT: &[(&str, &[Lint])] = &[
    ("cabf.smime.legacy_generation_certificate_issued_after_prohibition", &[Lint::LegacyAfterSunset]),
    ("cabf.aia_ca_issuers_missing", &[Lint::NoIssuerUrl]),
    ("cabf.aia_extension_missing", &[Lint::NoIssuerUrl]),
    ("cabf.smime.san_extension_missing", &[Lint::NoMailbox, Lint::MailboxInSubjectOnly]),
    (
        "cabf.smime.common_name_value_unknown_source",
        &[Lint::CommonName, Lint::MailboxWithNames, Lint::SubjectMailboxNotListed],
    ),
    ("pkix.subject_email_address_not_in_san", &[Lint::SubjectMailboxNotListed]),
    ("cabf.smime.prohibited_signature_algorithm_encoding", &[Lint::Weak]),
    ("cabf.smime.email_address_in_attribute_not_in_san", &[Lint::SubjectMailboxNotListed]),
    ("cabf.smime.certificate_validity_period_exceeds_1185_days", &[Lint::ValidityTooLong]),
    ("cabf.smime.certificate_validity_period_exceeds_825_days", &[Lint::ValidityTooLong]),
    ("cabf.smime.prohibited_ku_present", &[Lint::KeyUsageForeign]),
    ("cabf.smime.mixed_name_and_pseudonym_attributes", &[Lint::PersonAndPseudonym]),
    ("cabf.smime.prohibited_eku_present", &[Lint::StrictUsage, Lint::ForeignUsage]),
    ("cabf.smime.prohibited_othername_type_present", &[Lint::OtherName]),
    ("cabf.smime.lei_extension_prohibited", &[Lint::LeiExtension]),
    ("cabf.smime.lei_role_extension_prohibited", &[Lint::LeiExtension]),
    ("iso.lei.invalid_lei_checksum", &[Lint::LeiChecksum]),
    ("cabf.invalid_subject_organization_identifier_format", &[Lint::OrganisationIdMissing]),
    ("cabf.organization_identifier_reference_missing_for_scheme", &[Lint::OrganisationIdMissing]),
    ("cabf.smime.prohibited_organization_identifier_reference_present_for_scheme", &[Lint::OrganisationIdReference]),
    ("cabf.invalid_country_code", &[Lint::Country]),
    (
        "cabf.smime.org_identifier_and_country_name_attribute_inconsistent",
        &[Lint::OrganisationIdCountry, Lint::OrganisationIdMissing],
    ),
    ("cabf.invalid_subject_organization_identifier_state_province_for_scheme", &[Lint::OrganisationIdState]),
    ("cabf.invalid_organization_identifier_country", &[Lint::OrganisationIdUnknownCountry]),
    ("cabf.smime.required_attribute_missing_for_dependent_attribute", &[Lint::StateWithoutCountry]),
    ("cabf.smime.missing_required_attribute", &[Lint::OrganisationIdMissing, Lint::PersonMissing]),
    ("cabf.smime.no_required_reserved_policy_oid", &[Lint::NoPolicy]),
    ("cabf.smime.prohibited_attribute", &[Lint::StrictAttribute, Lint::MailboxAttribute]),
];

fn certificate(text: &[u8]) -> Option<Certificate> {
    let block = pem::read(text).into_iter().find(pem::Block::is_certificate)?;
    Certificate::parse(&block.der).ok()
}

#[test]
fn zlint() {
    let Some(folder) = corpus::folder("zlint") else { return };
    let rows: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("expected-results.json")).unwrap()).unwrap();
    let mut comparison = Comparison::of("zlint");
    for row in rows {
        let [file, name, expected] = ["file", "lint", "expected"].map(|key| row[key].as_str().unwrap());
        let Some((_, ours)) = ZLINT.iter().find(|(theirs, _)| *theirs == name) else {
            assert!(ZLINT_OTHERS.contains(&name), "nothing is known of {name}");
            continue;
        };
        // "Not applicable" and "not effective" say nothing: ours may be wider, and know no first day.
        let expected = match expected {
            "Pass" => Answer::Good,
            "Error" | "Warn" => Answer::Refused,
            _ => continue,
        };
        let case = format!("{file} {name}");
        let answer = match certificate(&std::fs::read(folder.join(file)).unwrap()) {
            None => Err("it cannot be read".to_owned()),
            Some(certificate) => match lint(&certificate).into_iter().find(|found| ours.contains(found)) {
                Some(found) => Err(found.code().to_owned()),
                None => Ok(()),
            },
        };
        comparison.case(&case, expected, &answer);
    }
    comparison.finish();
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "crttest") {
            found.push(path);
        }
    }
}

/// Each certificate twice: is everything found that they find, and nothing that they do not?
#[test]
fn pkilint() {
    let Some(folder) = corpus::folder("pkilint/smime_br") else { return };
    let mut all = Vec::new();
    files(&folder, &mut all);
    all.sort();
    let mut comparison = Comparison::of("pkilint");
    for path in all {
        let text = std::fs::read(&path).unwrap();
        let name = path.strip_prefix(&folder).unwrap().with_extension("").to_str().unwrap().to_owned();
        let Some(certificate) = certificate(&text) else {
            comparison.case(&name, Answer::Good, &Err("it cannot be read".to_owned()));
            continue;
        };
        comparison.case(&name, Answer::Good, &compared(&certificate, &String::from_utf8_lossy(&text)));
    }
    comparison.finish();
}

/// Do we find in a certificate what pkilint's report names, and nothing else?
fn compared(certificate: &Certificate, report: &str) -> Result<(), String> {
    let ours: BTreeSet<&str> = lint(certificate).into_iter().map(Lint::code).collect();
    let theirs: Vec<&[Lint]> =
        PKILINT.iter().filter(|(code, _)| report.contains(code)).map(|(_, ours)| *ours).collect();
    let missed: Vec<&str> = theirs
        .iter()
        .filter(|either| !either.iter().any(|lint| ours.contains(lint.code())))
        .filter_map(|either| either.first().map(|lint| lint.code()))
        .collect();
    let extra: Vec<&str> = ours
        .into_iter()
        .filter(|code| !theirs.iter().any(|either| either.iter().any(|lint| lint.code() == *code)))
        .collect();
    if missed.is_empty() && extra.is_empty() {
        return Ok(());
    }
    Err(format!("missed {missed:?}, found beside {extra:?}"))
}

/// Certificates of ours, each with one oddity, before pkilint as it runs today.
#[test]
fn pkilint_itself() {
    const RUN: &str = "import sys\nfrom pkilint.bin import lint_cabf_smime_cert as tool\nfor name in sys.argv[1:]:\n    \
        print('==', flush=True)\n    tool.main(['lint', '-d', '-s', 'NOTICE', '-f', 'JSON', name])";
    let python = |script: &str, arguments: &[PathBuf]| {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/python");
        Command::new("python3").env("PYTHONPATH", packages).args(["-c", script]).args(arguments).output()
    };
    if !python("import pkilint", &[]).is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("KAKITOME_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "python3 has no module pkilint");
        let _ = writeln!(std::io::stderr(), "SKIPPED: pkilint itself: not installed; ./test --install brings it");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pkilint");
    std::fs::create_dir_all(&folder).unwrap();
    let certificates = odd();
    let files: Vec<PathBuf> = certificates
        .iter()
        .enumerate()
        .map(|(number, (_, certificate))| {
            let file = folder.join(format!("{number}.pem"));
            std::fs::write(&file, pem::write("CERTIFICATE", certificate.raw())).unwrap();
            file
        })
        .collect();
    let output = String::from_utf8(python(RUN, &files).unwrap().stdout).unwrap();
    let reports: Vec<&str> = output.split("==\n").skip(1).collect();
    assert_eq!(reports.len(), certificates.len(), "{output}");
    let mut comparison = Comparison::of("pkilint itself");
    for ((name, certificate), report) in certificates.iter().zip(reports) {
        assert!(report.contains("results"), "{name}: {report}");
        comparison.case(name, Answer::Good, &compared(certificate, report));
    }
    comparison.finish();
}

fn odd() -> Vec<(&'static str, Certificate)> {
    let se = &Pki::get().se;
    let access = |url: &str| {
        let pair = |kind: &Oid, url: &str| der::sequence(&[&der::oid(kind), &write::uri(url)]);
        der::sequence(&[&pair(&oid::AD_CA_ISSUERS, url)])
    };
    let with = |subject: &[(Oid, &str)], profile| {
        let leaf = Pki::leaf(subject, "info@bank.example", profile);
        leaf.with(oid::AUTHORITY_INFO_ACCESS, false, access("http://se.example/se.cer"))
    };
    let mailbox = || with(&[(oid::COMMON_NAME, "info@bank.example")], 1);
    let bank = |more: &[(Oid, &str)]| with(&[BANK, more].concat(), 2);
    let person: &[(Oid, &str)] = &[(oid::GIVEN_NAME, "Taro"), (oid::SURNAME, "Yamada")];
    let rows = [
        ("a mailbox", mailbox()),
        ("a bank", bank(&[])),
        ("a person of a bank", with(&[BANK, person].concat(), 3)),
        ("a person", with(person, 4)),
        ("no issuer's URL", Pki::leaf(BANK, "info@bank.example", 2)),
        ("a mailbox with an organisation", with(BANK, 1)),
        ("a name as of nobody", with(&[(oid::COMMON_NAME, "Somebody")], 1)),
        ("legacy", mailbox().policies(&[Pki::policy(1, 1)])),
        ("multipurpose", mailbox().policies(&[Pki::policy(1, 2)])),
        (
            "for servers too",
            mailbox().with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::EMAIL_PROTECTION, oid::SERVER_AUTH])),
        ),
        (
            "for clients too, multipurpose",
            mailbox().policies(&[Pki::policy(1, 2)]).with(
                oid::EXTENDED_KEY_USAGE,
                false,
                write::usages(&[oid::EMAIL_PROTECTION, oid::CLIENT_AUTH]),
            ),
        ),
        ("keyCertSign", mailbox().with(oid::KEY_USAGE, true, der::named_bits(&[0, 5]))),
        ("three years", mailbox().valid(in_days(-10), in_days(1085))),
        ("a street, strict", bank(&[(oid::STREET, "1-1")])),
        ("a country that is none", with(&[(oid::COUNTRY, "ZZ"), (oid::ORGANIZATION, "Bank")], 2)),
        ("an organisation without its identifier", with(&[(oid::COUNTRY, "JP"), (oid::ORGANIZATION, "Bank")], 2)),
        ("a mailbox in the subject that is not listed", bank(&[(oid::EMAIL_ADDRESS, "eve@eve.example")])),
        ("no mailbox", mailbox().without(oid::SUBJECT_ALT_NAME)),
    ];
    rows.into_iter().map(|(name, leaf)| (name, leaf.issued_by(se))).collect()
}
