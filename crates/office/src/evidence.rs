//! The gathering of evidence: anchors and revocation lists from files, the own CA's anchors from the store; and the one
//! call by which every door gets its answer. What these lack is asked for [`outside`], by the one guarded fetcher
//! ([`fetch`]).

pub mod attached;
pub mod dns;
pub mod fetch;
pub mod outside;
mod passage;

mod lists;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use attached::Examiner;
use kakitome_pki::asn1::Malformed;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::cert::{Certificate, bundle, hex, pem, pkcs12};
use kakitome_pki::crypto::{self, SigningKey};
use kakitome_pki::path::revocation::Mode;
use kakitome_pki::path::{Anchor, AnchorSource, Known, PolicyInputs};
use kakitome_pki::roots::{ListProblem, RootList};
use kakitome_smime::budget::Budget;
use kakitome_smime::cms::recipient::Keys;
use kakitome_smime::message::open::{self, Opened};
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::answer::Basis;
use kakitome_verdict::certificate::{self, Asked, Report};
use kakitome_verdict::content;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::sender::{Evidence, Expectations, Judgement, Signer, judge};
use outside::Outside;
use zeroize::Zeroizing;

use crate::trust::{self, Operators};

/// A file of certificates or revocation lists may be this long, in octets.
pub const FILE_LIMIT: u64 = 128 * 1024 * 1024;

/// What the answers to revocation are called in [`Unusable`].
const REVOCATION_LIST: &str = "revocation list or OCSP response";

/// Whom a caller believes, and for which moment.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Files of anchors that the user chose.
    pub trust: Vec<PathBuf>,
    /// A file that takes the place of the built-in list of publicly trusted e-mail roots: a list in our form, or
    /// certificates, which are then all for e-mail.
    pub public_roots: Option<PathBuf>,
    /// Files of revocation lists and OCSP responses.
    pub crls: Vec<PathBuf>,
    /// Which policies a path must have.
    pub policy: PolicyInputs,
    /// The anchors of the own CA.
    pub own_ca: Vec<Certificate>,
    /// What they say of CAs below them that were revoked.
    pub own_lists: Vec<Crl>,
    /// What the operator of the instance added to the public list, and took out of it.
    pub operators: Operators,
    /// The moment that the caller named.
    pub at: Option<Time>,
    /// Which revocation answers are needed, where the caller says so.
    pub revocation: Option<Mode>,
    /// Whose signature is asked for.
    pub signer: Signer,
    /// What is expected of senders.
    pub expectations: Expectations,
    /// A file with more addresses that the reader writes with.
    pub correspondents: Option<PathBuf>,
    /// A file that says when signed mail was delivered.
    pub delivery_log: Option<PathBuf>,
    /// What searches before left, where the caller judges mail after mail.
    pub known: Known,
}

/// A file that the caller named is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too long.
    #[error("{}: longer than 128 MiB, which no file of certificates is", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// It holds none.
    #[error("{}: holds no {what}; PEM or DER is read", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
        /// Certificate, revocation list, or private key.
        what: &'static str,
    },
    /// Certificate and key do not make a signer.
    #[error("{}: {why}", path.display())]
    Identity {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The key opens with a password, and none was given.
    #[error("{}: the key needs a password", path.display())]
    NeedsPassword {
        /// Which file.
        path: PathBuf,
    },
    /// A line of it is not what it should be.
    #[error("{}: line {number} {why}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// It is a list of roots, and not well-formed.
    #[error("{}: {problem}", path.display())]
    List {
        /// Which file.
        path: PathBuf,
        /// Where, and what is wrong.
        problem: ListProblem,
    },
    /// One of them cannot be read.
    #[error("{}: the {what} number {number} cannot be read: {why}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Certificate or revocation list.
        what: &'static str,
        /// Which one, from 1.
        number: usize,
        /// Why.
        why: String,
    },
}

impl Unusable {
    /// Is it a revocation list that cannot be read? Then what it would have said is not known.
    pub fn is_revocation(&self) -> bool {
        matches!(self, Self::Malformed { what: REVOCATION_LIST, .. })
    }
}

/// Reads what a choice names.
///
/// # Errors
/// A named file is not what it should be.
pub fn gather(choice: &Choice, now: Time) -> Result<Evidence, Unusable> {
    let (evidence, unreadable) = gather_readable(choice, now)?;
    unreadable.into_iter().next().map_or(Ok(evidence), Err)
}

/// Reads what can be read of what a choice names, and says what could not: each an [`Unusable::Malformed`].
///
/// # Errors
/// A file cannot be read at all, or holds nothing of its kind.
pub fn gather_readable(choice: &Choice, now: Time) -> Result<(Evidence, Vec<Unusable>), Unusable> {
    let mut unreadable = Vec::new();
    let (roots, name) = match &choice.public_roots {
        Some(path) => {
            let bytes = read(path)?;
            let list = root_list(path, &bytes, &mut unreadable)?;
            let hash: String = hex(&crypto::sha256(&bytes)).chars().take(16).collect();
            let name = format!("{} (SHA-256 {hash})", list.header().name);
            (list, name)
        }
        None => {
            let list = trust::built_in();
            let name = list.header().name.clone();
            (list, name)
        }
    };
    let roots = roots.distrusting(choice.operators.distrusted.iter().copied());
    let mut anchors = Vec::new();
    for path in &choice.trust {
        anchors.extend(root_list(path, &read(path)?, &mut unreadable)?.anchors(AnchorSource::User));
    }
    anchors.extend(choice.operators.anchors.iter().cloned());
    anchors.extend(choice.own_ca.iter().map(|root| Anchor::new(root.clone(), AnchorSource::OwnCa)));
    let taken_out = roots.roots_distrusted();
    let trust_list = trust::label(&name, anchors.len(), taken_out);
    let (mut crls, mut responses) = (choice.own_lists.clone(), Vec::new());
    for path in &choice.crls {
        for answer in revocation_answers(path, &mut unreadable)? {
            match answer {
                RevocationAnswer::List(list) => crls.push(list),
                RevocationAnswer::Response(response) => responses.push(response),
            }
        }
    }
    let mut expectations = choice.expectations.clone();
    if let Some(path) = &choice.correspondents {
        expectations.correspondents.extend(lists::correspondents(path)?);
    }
    let deliveries = choice.delivery_log.as_deref().map(lists::deliveries).transpose()?.unwrap_or_default();
    let evidence = Evidence {
        roots,
        anchors,
        hints: Vec::new(),
        known: choice.known.clone(),
        crls,
        responses,
        lookups: Vec::new(),
        passage: Passage::default(),
        contents: Vec::new(),
        policy: choice.policy.clone(),
        revocation: choice.revocation,
        at: choice.at.unwrap_or(now),
        basis: if choice.at.is_some() { Basis::Given } else { Basis::Now },
        signer: choice.signer.clone(),
        expectations,
        deliveries,
        trust_list,
    };
    Ok((evidence, unreadable))
}

/// The answer about a mail, and about each that is attached to it: the one call that every door makes. What is encrypted is
/// opened with `keys`; what the judge lacks is asked for `outside`, where that may be.
///
/// # Errors
/// The environment's; what is wrong with the mail is in the answer.
pub fn examine(
    mail: &dyn Octets,
    spools: &dyn Spools,
    keys: &dyn Keys,
    evidence: &Evidence,
    outside: Option<&Outside>,
) -> io::Result<Judgement> {
    Ok(examined(mail, spools, keys, keys, evidence, outside)?.1)
}

/// The same, with the mail as it was opened, for whoever hands on what was inside; attached mails are opened with keys of
/// their own.
///
/// # Errors
/// As [`examine`].
pub fn examined(
    mail: &dyn Octets,
    spools: &dyn Spools,
    keys: &dyn Keys,
    attached_keys: &dyn Keys,
    evidence: &Evidence,
    outside: Option<&Outside>,
) -> io::Result<(Opened, Judgement)> {
    let budget = Budget::default();
    let opened = open::open_within(mail, spools, keys, &budget)?;
    let contents = content::examine(mail, &opened)?;
    let passage = match outside {
        Some(outside) => Some(outside.passage(mail, &opened, evidence.at)?),
        None => None,
    };
    let mut judgement = match passage {
        None if contents.is_empty() => judged(&opened, evidence, None),
        passage => {
            let passage = passage.unwrap_or_else(|| evidence.passage.clone());
            judged(&opened, &Evidence { passage, contents, ..evidence.clone() }, outside)
        }
    };
    Examiner::new(spools, attached_keys, evidence, outside).below(mail, &opened, &budget, &mut judgement.answer)?;
    Ok((opened, judgement))
}

/// The same about a mail that was opened already, for whoever asks about its signature alone: what its way tells is not
/// looked up.
pub fn judged(opened: &Opened, evidence: &Evidence, outside: Option<&Outside>) -> Judgement {
    let judge = |evidence: &Evidence| judge(opened, evidence);
    match outside {
        Some(outside) => outside.judged(evidence, judge, |judgement| &judgement.wants),
        None => judge(evidence),
    }
}

/// The report about one certificate.
pub fn report(asked: &Asked<'_>, evidence: &Evidence, outside: Option<&Outside>) -> Report {
    let judge = |evidence: &Evidence| certificate::judge(asked, evidence);
    match outside {
        Some(outside) => outside.judged(evidence, judge, |report| &report.wants),
        None => judge(evidence),
    }
}

/// The certificates of a file, PEM (many), DER (one) or a PKCS#7 bundle.
///
/// # Errors
/// [`Unusable`].
pub fn certificates(path: &Path) -> Result<Vec<Certificate>, Unusable> {
    let mut unreadable = Vec::new();
    let certificates = parse_certificates(path, &read(path)?, &mut unreadable)?;
    unreadable.into_iter().next().map_or(Ok(certificates), Err)
}

/// The roots of a file, with their conditions where it is a list in our form.
///
/// # Errors
/// [`Unusable`].
pub fn roots(path: &Path) -> Result<RootList, Unusable> {
    let mut unreadable = Vec::new();
    let roots = root_list(path, &read(path)?, &mut unreadable)?;
    unreadable.into_iter().next().map_or(Ok(roots), Err)
}

/// The certificates of a file from anybody, PEM, DER or a PKCS#7 bundle: each as it could be read, or why not.
///
/// # Errors
/// [`Unusable`]: the file cannot be read, or holds no certificate at all.
pub fn any_certificates(path: &Path) -> Result<Vec<Result<Certificate, Malformed>>, Unusable> {
    certificates_in(path, &read(path)?)
}

/// As [`any_certificates`], of a file that was read already; `path` is for the message.
///
/// # Errors
/// [`Unusable::Empty`].
pub fn certificates_in(path: &Path, bytes: &[u8]) -> Result<Vec<Result<Certificate, Malformed>>, Unusable> {
    let mut found = Vec::new();
    let wanted = |block: &pem::Block| block.is_certificate() || is_bundle(block);
    for block in blocks(bytes, wanted, "CERTIFICATE") {
        match bundle::open(&block.der) {
            Ok(bundle) => found.extend(bundle.certificates.into_iter().map(Certificate::parse)),
            Err(_) => found.push(Certificate::parse(block.certificate())),
        }
    }
    if found.is_empty() { Err(Unusable::Empty { path: path.to_owned(), what: "certificate" }) } else { Ok(found) }
}

/// The private key blocks of a file, PEM or DER, in order; not yet looked into.
///
/// # Errors
/// [`Unusable`].
fn private_keys(path: &Path) -> Result<Vec<pem::Block>, Unusable> {
    let blocks = blocks(&read(path)?, |block| block.label.ends_with("PRIVATE KEY"), "PRIVATE KEY");
    if blocks.is_empty() { Err(Unusable::Empty { path: path.to_owned(), what: "private key" }) } else { Ok(blocks) }
}

/// The private keys of a file in the clear, DER.
///
/// # Errors
/// [`Unusable`]; [`Unusable::NeedsPassword`] where there is no key in the clear and no password was given.
pub fn opened_keys(path: &Path, password: Option<&str>) -> Result<Vec<Zeroizing<Vec<u8>>>, Unusable> {
    let refused = |why: String| Unusable::Identity { path: path.to_owned(), why };
    let mut keys = Vec::new();
    let mut is_closed = false;
    for block in private_keys(path)? {
        match (crypto::is_encrypted_key(&block.der), password) {
            (false, _) => keys.push(block.der),
            (true, Some(password)) => {
                let opened = crypto::decrypt_private_key(&block.der, password);
                keys.push(opened.map_err(|error| refused(error.to_string()))?);
            }
            (true, None) => is_closed = true,
        }
    }
    if keys.is_empty() && is_closed { Err(Unusable::NeedsPassword { path: path.to_owned() }) } else { Ok(keys) }
}

/// A certificate's owner as files hold him: his certificates and his key.
pub struct Identity {
    /// The signer's certificate, the one that the key fits.
    pub signer: Certificate,
    /// What travels along: the signer's certificate and the intermediates, no root.
    pub chain: Vec<Certificate>,
    /// The key.
    pub key: SigningKey,
}

impl Identity {
    fn new(path: &Path, certificates: &[Certificate], keys: &[&[u8]]) -> Result<Self, Unusable> {
        let refused = |why: &str| Unusable::Identity { path: path.to_owned(), why: why.to_owned() };
        let mut why = refused("holds no private key");
        for key in keys {
            match SigningKey::from_der(key) {
                Ok(key) => match certificates.iter().find(|certificate| certificate.spki() == key.spki()) {
                    Some(signer) => {
                        let travels = |one: &&Certificate| *one == signer || !one.is_self_issued();
                        let chain = certificates.iter().filter(travels).cloned().collect();
                        return Ok(Self { signer: signer.clone(), chain, key });
                    }
                    None => why = refused("none of the certificates is for this key"),
                },
                Err(error) => why = refused(&error.to_string()),
            }
        }
        Err(why)
    }

    /// From a file of certificates and one with the key, which may need a password.
    ///
    /// # Errors
    /// [`Unusable`]; [`Unusable::NeedsPassword`] where there is no key in the clear and no password was given.
    pub fn from_files(certificate: &Path, key: &Path, password: Option<&str>) -> Result<Self, Unusable> {
        let certificates = certificates(certificate)?;
        let keys = opened_keys(key, password)?;
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_slice()).collect();
        Self::new(key, &certificates, &keys)
    }

    /// From a PKCS#12 file.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn from_pkcs12(path: &Path, password: &str) -> Result<Self, Unusable> {
        let refused = |why: String| Unusable::Identity { path: path.to_owned(), why };
        let opened = pkcs12::open(&read(path)?, password).map_err(|error| refused(error.to_string()))?;
        let parse = |der| Certificate::parse(der).map_err(|malformed| refused(malformed.to_string()));
        let certificates = opened.certificates().map(parse).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<&[u8]> = opened.keys().map(|key| key.as_slice()).collect();
        Self::new(path, &certificates, &keys)
    }
}

fn parse_certificates(path: &Path, bytes: &[u8], unreadable: &mut Vec<Unusable>) -> Result<Vec<Certificate>, Unusable> {
    let mut found = Vec::new();
    for block in blocks(bytes, |block| block.is_certificate() || is_bundle(block), "CERTIFICATE") {
        match bundle::open(&block.der) {
            Ok(bundle) => found.extend(bundle.certificates.into_iter().map(|one| pem::Block::new("CERTIFICATE", one))),
            Err(_) => found.push(block),
        }
    }
    let parse = |block: &pem::Block| Certificate::parse(block.certificate()).map_err(|malformed| malformed.to_string());
    each(path, &found, "certificate", parse, unreadable)
}

/// The roots of a file: a list in our form, or certificates, all for e-mail and named by the file.
fn root_list(path: &Path, bytes: &[u8], unreadable: &mut Vec<Unusable>) -> Result<RootList, Unusable> {
    if RootList::is_list(bytes) {
        let problem = |problem| Unusable::List { path: path.to_owned(), problem };
        return RootList::parse(&String::from_utf8_lossy(bytes)).map_err(problem);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(RootList::of(&name, &parse_certificates(path, bytes, unreadable)?))
}

enum RevocationAnswer {
    List(Crl),
    Response(OcspResponse),
}

/// Revocation lists and OCSP responses, PEM or DER, which tell themselves apart; and the lists of PKCS#7 bundles.
fn revocation_answers(path: &Path, unreadable: &mut Vec<Unusable>) -> Result<Vec<RevocationAnswer>, Unusable> {
    let bytes = read(path)?;
    let wanted =
        |block: &pem::Block| matches!(block.label.as_str(), "X509 CRL" | "CRL" | "OCSP RESPONSE") || is_bundle(block);
    let mut found = Vec::new();
    for block in blocks(&bytes, wanted, "X509 CRL") {
        match bundle::open(&block.der) {
            Ok(bundle) => found.extend(bundle.lists.into_iter().map(|list| pem::Block::new("X509 CRL", list))),
            Err(_) => found.push(block),
        }
    }
    let parse = |block: &pem::Block| match Crl::parse(&block.der) {
        Ok(list) => Ok(RevocationAnswer::List(list)),
        Err(malformed) => {
            OcspResponse::parse(&block.der).map(RevocationAnswer::Response).map_err(|_| malformed.to_string())
        }
    };
    each(path, &found, REVOCATION_LIST, parse, unreadable)
}

fn is_bundle(block: &pem::Block) -> bool {
    matches!(block.label.as_str(), "PKCS7" | "CMS")
}

fn each<T>(
    path: &Path,
    blocks: &[pem::Block],
    what: &'static str,
    parse: impl Fn(&pem::Block) -> Result<T, String>,
    unreadable: &mut Vec<Unusable>,
) -> Result<Vec<T>, Unusable> {
    if blocks.is_empty() {
        return Err(Unusable::Empty { path: path.to_owned(), what });
    }
    let mut found = Vec::new();
    for (block, number) in blocks.iter().zip(1..) {
        match parse(block) {
            Ok(one) => found.push(one),
            Err(why) => unreadable.push(Unusable::Malformed { path: path.to_owned(), what, number, why }),
        }
    }
    Ok(found)
}

fn blocks(bytes: &[u8], wanted: impl Fn(&pem::Block) -> bool, der_label: &str) -> Vec<pem::Block> {
    if pem::is_pem(bytes) {
        return pem::read(bytes).into_iter().filter(wanted).collect();
    }
    // DER begins with a SEQUENCE, and a store says what it is; anything else holds nothing.
    let is_one = bytes.first() == Some(&0x30) || bundle::is_store(bytes);
    is_one.then(|| pem::Block::new(der_label, bytes)).into_iter().collect()
}

/// The octets of a file.
///
/// # Errors
/// [`Unusable`]: it cannot be read, or is longer than [`FILE_LIMIT`].
pub fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    let fault = |source| Unusable::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(fault)?.len();
    if size > FILE_LIMIT {
        return Err(Unusable::TooLong { path: path.to_owned() });
    }
    fs::read(path).map_err(fault)
}
