//! Certificates of any shape, good and bad, written octet by octet.

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::name::Name;
use kakitome_pki::crypto::SigningKey;

use crate::write;
use crate::{in_days, key, sign};

/// A CA: its certificate and its key.
#[derive(Clone)]
pub struct Authority {
    /// The certificate.
    pub certificate: Certificate,
    /// The key.
    pub key: &'static SigningKey,
}

/// What is done to a certificate that no CA would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// One bit of the signature is flipped.
    WrongSignature,
    /// The two algorithm identifiers differ.
    TwoAlgorithms,
    /// It says that it is signed with MD5 and RSA.
    NamesMd5,
}

/// Builds one certificate. Every setter replaces what stood there.
#[derive(Clone)]
pub struct CertificateFactory {
    version: u8,
    serial: Option<Vec<u8>>,
    subject: Name,
    issuer: Option<Name>,
    not_before: Time,
    not_after: Time,
    spki: Vec<u8>,
    extensions: Vec<(Oid, bool, Vec<u8>)>,
    authority_key_id: bool,
    flaw: Option<Flaw>,
}

impl CertificateFactory {
    /// A certificate of version 3 without extensions but the key identifiers, valid from 100 days before
    /// [`NOW`](crate::NOW) to 265 after, for the key of this name.
    pub fn new(subject: &[(Oid, &str)], key_name: &str) -> Self {
        let spki = key(key_name).spki().to_vec();
        let identifier = key_identifier(&spki).expect("a key has an identifier");
        Self {
            version: 3,
            serial: None,
            subject: Name::build(subject),
            issuer: None,
            not_before: in_days(-100),
            not_after: in_days(265),
            spki,
            extensions: vec![(oid::SUBJECT_KEY_IDENTIFIER, false, der::octet_string(&identifier))],
            authority_key_id: true,
            flaw: None,
        }
    }

    /// A signer of mail: key usage digitalSignature, extended key usage emailProtection, these mailboxes.
    pub fn signer(subject: &[(Oid, &str)], mailboxes: &[&str], key_name: &str) -> Self {
        let names: Vec<Vec<u8>> = mailboxes.iter().map(|mailbox| write::mailbox(mailbox)).collect();
        let factory = Self::new(subject, key_name).with(oid::KEY_USAGE, true, der::named_bits(&[0])).with(
            oid::EXTENDED_KEY_USAGE,
            false,
            write::usages(&[oid::EMAIL_PROTECTION]),
        );
        if names.is_empty() { factory } else { factory.with(oid::SUBJECT_ALT_NAME, false, write::list(&names)) }
    }

    /// A CA of this common name, whose key has the same name, for ten years.
    pub fn authority(name: &str) -> Self {
        Self::new(&[(oid::COUNTRY, "JP"), (oid::ORGANIZATION, "Example Trust"), (oid::COMMON_NAME, name)], name)
            .valid(in_days(-1500), in_days(2150))
            .with(oid::BASIC_CONSTRAINTS, true, write::basic_constraints(true, None))
            .with(oid::KEY_USAGE, true, der::named_bits(&[5, 6]))
    }

    /// An extension, replacing one of the same name; the value in DER.
    #[must_use]
    pub fn with(mut self, id: Oid, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.retain(|(other, ..)| *other != id);
        self.extensions.push((id, critical, value));
        self
    }

    /// Without an extension.
    #[must_use]
    pub fn without(mut self, id: Oid) -> Self {
        self.extensions.retain(|(other, ..)| *other != id);
        self.authority_key_id &= id != oid::AUTHORITY_KEY_IDENTIFIER;
        self
    }

    /// Another validity.
    #[must_use]
    pub fn valid(mut self, not_before: Time, not_after: Time) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    /// These policies.
    #[must_use]
    pub fn policies(self, policies: &[Oid]) -> Self {
        self.with(oid::CERTIFICATE_POLICIES, false, write::policies(policies))
    }

    /// These GeneralNames as subject alternative names.
    #[must_use]
    pub fn names(self, names: &[Vec<u8>]) -> Self {
        self.with(oid::SUBJECT_ALT_NAME, false, write::list(names))
    }

    /// Another public key.
    #[must_use]
    pub fn spki(mut self, spki: &[u8]) -> Self {
        spki.clone_into(&mut self.spki);
        self
    }

    /// Another issuer's name than the issuer's own.
    #[must_use]
    pub fn issuer_name(mut self, name: &Name) -> Self {
        self.issuer = Some(name.clone());
        self
    }

    /// Another subject.
    #[must_use]
    pub fn subject(mut self, name: &Name) -> Self {
        self.subject = name.clone();
        self
    }

    /// This serial number, contents octets.
    #[must_use]
    pub fn serial(mut self, serial: &[u8]) -> Self {
        self.serial = Some(serial.to_vec());
        self
    }

    /// Version 1, which has no extensions.
    #[must_use]
    pub fn version_1(mut self) -> Self {
        self.version = 1;
        self
    }

    /// With a flaw.
    #[must_use]
    pub fn flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// Signed by its own key, the one of this name.
    pub fn self_signed(self, key_name: &str) -> Authority {
        let key = key(key_name);
        let (subject, spki) = (self.subject.clone(), self.spki.clone());
        Authority { certificate: self.sign(&subject, &spki, key), key }
    }

    /// Issued by a CA, or by anyone.
    pub fn issued_by(self, issuer: &Authority) -> Certificate {
        self.sign(issuer.certificate.subject(), issuer.certificate.spki(), issuer.key)
    }

    /// Issued by a CA, and itself one, whose key has this name.
    pub fn authority_by(self, issuer: &Authority, key_name: &str) -> Authority {
        Authority { certificate: self.issued_by(issuer), key: key(key_name) }
    }

    /// The octets of the certificate, well-formed or not.
    pub fn der(&self, issuer_name: &Name, issuer_spki: &[u8], issuer_key: &SigningKey) -> Vec<u8> {
        let mut algorithm = issuer_key.algorithm().identifier().expect("a signing key has an identifier");
        if self.flaw == Some(Flaw::NamesMd5) {
            algorithm = AlgorithmIdentifier { oid: oid::MD5_WITH_RSA, parameters: Some(der::NULL.to_vec()) };
        }
        // The default serial number depends on what is certified, so that it is the same in every run.
        let serial = self.serial.clone().unwrap_or_else(|| {
            let hash =
                kakitome_pki::crypto::sha256(&[self.subject.raw(), &self.spki, &self.not_before.to_der()].concat());
            [&[0x40], &hash[..15]].concat()
        });
        let mut extensions = self.extensions.clone();
        if self.authority_key_id && !extensions.iter().any(|(id, ..)| *id == oid::AUTHORITY_KEY_IDENTIFIER) {
            let identifier = key_identifier(issuer_spki).unwrap_or_default();
            let value = der::sequence(&[&der::element(tag::context(0), &[&identifier])]);
            extensions.push((oid::AUTHORITY_KEY_IDENTIFIER, false, value));
        }
        let extensions: Vec<Vec<u8>> = extensions
            .iter()
            .map(|(id, critical, value)| {
                let critical = if *critical { der::boolean(true) } else { Vec::new() };
                der::sequence(&[&der::oid(id), &critical, &der::octet_string(value)])
            })
            .collect();
        let (version, extensions) = match self.version {
            1 => (Vec::new(), Vec::new()),
            version => {
                (der::context(0, &[&der::unsigned(&[version - 1])]), der::context(3, &[&write::list(&extensions)]))
            }
        };
        let signed = der::sequence(&[
            &version,
            &der::element(tag::INTEGER, &[&serial]),
            &algorithm.to_der(),
            self.issuer.as_ref().unwrap_or(issuer_name).raw(),
            &der::sequence(&[&self.not_before.to_der(), &self.not_after.to_der()]),
            self.subject.raw(),
            &self.spki,
            &extensions,
        ]);
        let mut signature = sign(issuer_key, &signed);
        if self.flaw == Some(Flaw::WrongSignature) {
            *signature.last_mut().expect("a signature has octets") ^= 1;
        }
        if self.flaw == Some(Flaw::TwoAlgorithms) {
            algorithm = AlgorithmIdentifier { oid: oid::SHA256_WITH_RSA, parameters: None };
        }
        der::sequence(&[&signed, &algorithm.to_der(), &der::bit_string(&signature)])
    }

    fn sign(self, issuer_name: &Name, issuer_spki: &[u8], issuer_key: &SigningKey) -> Certificate {
        Certificate::parse(&self.der(issuer_name, issuer_spki, issuer_key)).expect("the factory makes what can be read")
    }
}
