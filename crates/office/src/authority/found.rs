//! The first start: a root and an issuing CA.

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{KeyKind, Random, SigningKey};
use kakitome_pki::issue::{ISSUING_LIFETIME, Issuance, Issuer, Profile, ROOT_LIFETIME, Serial};

use super::{BACKDATED, ORGANISATION_LIMIT};
use crate::fault::Fault;
use crate::store::{AuthorityRow, KeyRow, Role, Store};
use crate::vault::{KeyId, Vault};

/// Every mail program reads RSA; 3072 bits last beyond 2030 (NIST SP 800-57 part 1, table 2).
const AUTHORITY_KEY: KeyKind = KeyKind::Rsa3072;
/// Random octets in the names, so that two instances of one organisation differ.
const NAME_OCTETS: usize = 4;

/// Makes the own CA and stores all of it in one step. A crash before that leaves nothing: the keys are gone, and with
/// them whatever they signed.
pub(super) fn found(
    store: &Store,
    vault: &Vault,
    organisation: &str,
    now: Time,
    random: &dyn Random,
) -> Result<(), Fault> {
    let count = organisation.chars().count();
    if count == 0 || count > ORGANISATION_LIMIT || organisation.chars().any(char::is_control) {
        return Err(Fault::OrganisationName { limit: ORGANISATION_LIMIT });
    }
    let mut tag = [0; NAME_OCTETS];
    random.fill(&mut tag)?;
    let tag = hex(&tag);
    let name = |what: &str| {
        let common_name = format!("Kakitome private {what} {tag}");
        Name::build(&[(oid::ORGANIZATION, organisation), (oid::COMMON_NAME, &common_name)])
    };
    let make = |profile: &Profile, lifetime: i64, issuer: Option<(&Certificate, &SigningKey)>| {
        let key = SigningKey::generate(AUTHORITY_KEY).map_err(Fault::bug)?;
        let serial = Serial::random(random)?;
        let (issuer, signs) = issuer.map_or((Issuer::Itself, &key), |(ca, key)| (Issuer::Certificate(ca), key));
        let (not_before, not_after) = (now.plus(-BACKDATED), now.plus(lifetime));
        let der = Issuance::new(profile, &serial, not_before, not_after, key.spki(), issuer)
            .and_then(|issuance| issuance.sign(signs))
            .map_err(Fault::bug)?;
        Ok::<_, Fault>((Certificate::parse(&der).map_err(Fault::bug)?, key))
    };
    let (root, root_key) = make(&Profile::root(&name("root")), ROOT_LIFETIME, None)?;
    let domains = []; // Members' domains are a setting that changes; the CA's certificate does not.
    let (issuing, issuing_key) =
        make(&Profile::issuing(&name("issuing CA"), &domains), ISSUING_LIFETIME, Some((&root, &root_key)))?;
    let row =
        |role, certificate: &Certificate, key: &SigningKey, label: &str| -> Result<(KeyRow, AuthorityRow), Fault> {
            let sealed = vault.seal(label, key, now)?;
            let row =
                AuthorityRow { role, certificate: certificate.raw().to_vec(), key_id: KeyId::of(key).to_string() };
            Ok((sealed, row))
        };
    store.found_authority(&[
        row(Role::Root, &root, &root_key, "root of the own CA")?,
        row(Role::Issuing, &issuing, &issuing_key, "issuing CA of the own CA")?,
    ])?;
    tracing::info!(root = %root.subject(), "made the own CA");
    Ok(())
}
