//! Configuration profiles for iPhone, iPad and Mac: the member's identities, the CA's certificates, and the mail account
//! where its servers are known, in one file that is signed.
//!
//! The keys are those of Apple's device management reference (`com.apple.security.pkcs12`, `com.apple.security.root`,
//! `com.apple.security.pkcs1`, `com.apple.mail.managed`, `com.apple.eas.account`). The password of the identities is not
//! in the profile: the device asks for it.

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{self, SigningKey, sha256};
use kakitome_smime::cms::write::Signer;

use super::plist::Plist;
use crate::fault::Fault;

/// IMAP over TLS (RFC 8314 §3.2).
const IMAPS: i64 = 993;
/// Submission (RFC 6409 §3.1).
const SUBMISSION: i64 = 587;

/// Where a member's mail lies, for the account in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// IMAP and submission.
    Imap {
        /// The host that keeps the mail, at [`IMAPS`].
        incoming: String,
        /// The host that takes mail, at [`SUBMISSION`].
        outgoing: String,
    },
    /// Exchange ActiveSync.
    Exchange {
        /// The host.
        host: String,
    },
}

/// An identity in a profile.
#[derive(Clone, Debug)]
pub(super) struct Identity<'a> {
    /// Its certificate.
    pub(super) certificate: &'a Certificate,
    /// Key and certificate, under a password (PKCS#12).
    pub(super) pkcs12: Vec<u8>,
    /// Does it sign?
    pub(super) signs: bool,
    /// Does it open mail?
    pub(super) opens: bool,
    /// Is it only kept to open old mail?
    pub(super) is_retired: bool,
}

/// What goes into a profile.
#[derive(Clone, Debug)]
pub(super) struct Profile<'a> {
    pub(super) address: &'a str,
    /// The person's name, if it is known.
    pub(super) name: Option<&'a str>,
    /// Whose members they are.
    pub(super) organisation: &'a str,
    pub(super) identities: &'a [Identity<'a>],
    /// The CA's certificates, the root among them.
    pub(super) chain: &'a [Certificate],
    pub(super) account: Option<&'a Account>,
}

impl Profile<'_> {
    /// The property list, unsigned.
    pub(super) fn document(&self) -> String {
        let identifier = format!("kakitome.{}", self.uuid("identifier", &[]).to_lowercase());
        let mut payloads: Vec<Plist> = Vec::new();
        for certificate in self.chain {
            let is_root = certificate.is_self_issued();
            let kind = if is_root { "com.apple.security.root" } else { "com.apple.security.pkcs1" };
            let uuid = self.uuid("ca", certificate.raw());
            let name = certificate.subject().short();
            let mut payload = payload(kind, &identifier, &uuid, &name);
            payload.push(("PayloadCertificateFileName", format!("{}.cer", &uuid).as_str().into()));
            payload.push(("PayloadContent", Plist::Octets(certificate.raw().to_vec())));
            payloads.push(Plist::Dictionary(payload));
        }
        for identity in self.identities {
            let uuid = self.identity(identity);
            let what = match (identity.is_retired, identity.signs, identity.opens) {
                (true, ..) => "old key",
                (_, true, true) => "sign and encrypt",
                (_, true, _) => "sign",
                _ => "encrypt",
            };
            let name = format!("{} ({what})", self.address);
            let mut payload = payload("com.apple.security.pkcs12", &identifier, &uuid, &name);
            payload.push(("PayloadCertificateFileName", format!("{uuid}.p12").as_str().into()));
            payload.push(("PayloadContent", Plist::Octets(identity.pkcs12.clone())));
            payloads.push(Plist::Dictionary(payload));
        }
        payloads.extend(self.account.map(|account| self.mail(account, &identifier)));
        let uuid = self.uuid("profile", &[]);
        let mut profile = payload("Configuration", &identifier, &uuid, &format!("{} – S/MIME", self.address));
        if let Some((_, first)) = profile.iter_mut().find(|(key, _)| *key == "PayloadIdentifier") {
            *first = identifier.as_str().into();
        }
        profile.push(("PayloadOrganization", self.organisation.into()));
        profile.push((
            "PayloadDescription",
            "Certificates and keys for signed and encrypted mail. \
             署名メールと暗号化メールのための証明書と鍵。"
                .into(),
        ));
        profile.push(("PayloadRemovalDisallowed", Plist::Flag(false)));
        profile.push(("PayloadContent", Plist::List(payloads)));
        Plist::Dictionary(profile).document()
    }

    fn mail(&self, account: &Account, identifier: &str) -> Plist {
        let text = |text: &str| Plist::from(text);
        let (kind, uuid) = match account {
            Account::Imap { .. } => ("com.apple.mail.managed", self.uuid("imap", &[])),
            Account::Exchange { .. } => ("com.apple.eas.account", self.uuid("exchange", &[])),
        };
        let mut payload = payload(kind, identifier, &uuid, self.address);
        payload.push(("EmailAddress", text(self.address)));
        match account {
            Account::Imap { incoming, outgoing } => {
                payload.extend([
                    ("EmailAccountDescription", text(self.address)),
                    ("EmailAccountName", text(self.name.unwrap_or(self.address))),
                    ("EmailAccountType", text("EmailTypeIMAP")),
                    ("IncomingMailServerAuthentication", text("EmailAuthPassword")),
                    ("IncomingMailServerHostName", text(incoming)),
                    ("IncomingMailServerPortNumber", Plist::Integer(IMAPS)),
                    ("IncomingMailServerUseSSL", Plist::Flag(true)),
                    ("IncomingMailServerUsername", text(self.address)),
                    ("OutgoingMailServerAuthentication", text("EmailAuthPassword")),
                    ("OutgoingMailServerHostName", text(outgoing)),
                    ("OutgoingMailServerPortNumber", Plist::Integer(SUBMISSION)),
                    ("OutgoingMailServerUseSSL", Plist::Flag(true)),
                    ("OutgoingMailServerUsername", text(self.address)),
                    ("OutgoingPasswordSameAsIncomingPassword", Plist::Flag(true)),
                ]);
            }
            Account::Exchange { host } => {
                payload.extend([("Host", text(host)), ("UserName", text(self.address)), ("SSL", Plist::Flag(true))]);
            }
        }
        let current = |is_wanted: fn(&Identity<'_>) -> bool| {
            self.identities.iter().find(|one| !one.is_retired && is_wanted(one)).map(|one| self.identity(one))
        };
        if let Some(signing) = current(|one| one.signs) {
            payload.extend([
                ("SMIMESigningEnabled", Plist::Flag(true)),
                ("SMIMESigningCertificateUUID", text(&signing)),
                ("SMIMESigningUserOverrideable", Plist::Flag(true)),
                ("SMIMESigningCertificateUUIDUserOverrideable", Plist::Flag(true)),
            ]);
        }
        if let Some(opening) = current(|one| one.opens) {
            payload.extend([
                ("SMIMEEncryptionCertificateUUID", text(&opening)),
                ("SMIMEEncryptionCertificateUUIDUserOverrideable", Plist::Flag(true)),
                ("SMIMEEncryptByDefault", Plist::Flag(false)),
                ("SMIMEEncryptByDefaultUserOverrideable", Plist::Flag(true)),
                ("SMIMEEnableEncryptionPerMessageSwitch", Plist::Flag(true)),
            ]);
        }
        Plist::Dictionary(payload)
    }

    fn identity(&self, identity: &Identity<'_>) -> String {
        self.uuid("identity", identity.certificate.raw())
    }

    /// The same thing of the same address has the same UUID always, so that a newer profile takes the older one's place
    /// (RFC 9562 §5.8: version 8, by SHA-256).
    fn uuid(&self, what: &str, octets: &[u8]) -> String {
        let name = [b"kakitome-profile", what.as_bytes(), self.address.as_bytes(), octets];
        let name: Vec<u8> = name.iter().flat_map(|part| [&sha256(part)[..]].concat()).collect();
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = sha256(&name);
        let groups: [&[u8]; 5] =
            [&[a, b, c, d], &[e, f], &[g & 0x0f | 0x80, h], &[i & 0x3f | 0x80, j], &[k, l, m, n, o, p]];
        groups.map(|group| hex(group).to_uppercase()).join("-")
    }
}

/// What every payload has.
fn payload(kind: &str, identifier: &str, uuid: &str, name: &str) -> Vec<(&'static str, Plist)> {
    vec![
        ("PayloadType", kind.into()),
        ("PayloadVersion", Plist::Integer(1)),
        ("PayloadIdentifier", format!("{identifier}.{uuid}").as_str().into()),
        ("PayloadUUID", uuid.into()),
        ("PayloadDisplayName", name.into()),
    ]
}

/// Who signs a profile.
#[derive(Debug)]
pub struct Sealer<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// What travels along, the certificate itself among it.
    pub chain: &'a [Certificate],
    /// Its key.
    pub key: &'a SigningKey,
}

impl Sealer<'_> {
    /// The signed form (CMS signed-data with the content inside, in DER).
    ///
    /// # Errors
    /// A bug: the key signs everything else of ours.
    pub(super) fn sign(&self, content: &[u8], now: Time) -> Result<Vec<u8>, Fault> {
        let algorithm = self.key.algorithm();
        let digest = algorithm.digest().unwrap_or(Digest::Sha256);
        let signer = Signer::new(self.certificate, self.chain, algorithm, digest)
            .map_err(|_| Fault::bug("a profile cannot be signed by this key"))?;
        let octets = signer.octets(crypto::digest(digest, content).as_ref(), Some(now));
        let signature = self.key.sign(algorithm, &octets).map_err(Fault::bug)?;
        let (mut file, tail) = signer.assemble(&octets, &signature, Some(content.len()));
        file.extend_from_slice(content);
        file.extend(tail);
        Ok(file)
    }
}
