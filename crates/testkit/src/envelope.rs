//! Encrypted and compressed objects of any shape, good and bad (RFC 5652 §6, RFC 5083, RFC 3274), written octet by octet.
//! What is encrypted, and for whom, comes from the caller.

use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{DecryptionKey, sha256};
use kakitome_smime::cms::recipient::Holder;

use crate::cms::Form;
use crate::{CertificateFactory, rsa_key, write};

/// The kinds of key that take a content key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Takes {
    Rsa,
    P256,
    P384,
    P521,
    X25519,
    MlKem768,
}

impl Takes {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rsa, Self::P256, Self::P384, Self::P521, Self::X25519, Self::MlKem768];

    /// The private key of this name in DER; the same in every run, but for RSA.
    pub fn key_der(self, name: &str) -> Vec<u8> {
        let private = |length: usize| {
            let hash = sha256(name.as_bytes());
            // The first octet is zero: below the order of any curve.
            [&[0][..], &hash, &hash].concat().into_iter().take(length).collect::<Vec<u8>>()
        };
        let sec1 = |length: usize, curve: Oid| {
            let private = [private(length.min(48)), vec![1; length - length.min(48)]].concat();
            der::sequence(&[&der::unsigned(&[1]), &der::octet_string(&private), &der::context(0, &[&der::oid(&curve)])])
        };
        match self {
            Self::Rsa => rsa_key(name).to_pkcs8().expect("a key is written").to_vec(),
            Self::P256 => sec1(32, oid::P256),
            Self::P384 => sec1(48, oid::P384),
            Self::P521 => sec1(66, oid::P521),
            Self::X25519 => der::sequence(&[
                &der::unsigned(&[0]),
                &der::sequence(&[&der::oid(&oid::X25519)]),
                &der::octet_string(&der::octet_string(&private(32))),
            ]),
            Self::MlKem768 => der::sequence(&[
                &der::unsigned(&[0]),
                &der::sequence(&[&der::oid(&oid::ML_KEM_768)]),
                &der::octet_string(&der::element(tag::context(0), &[&private(64)])),
            ]),
        }
    }

    /// A certificate for this key, for encryption alone, with the key.
    pub fn holder(self, name: &str) -> Holder {
        self.holder_of(name, |factory| factory)
    }

    /// The same with a certificate that was changed before it was signed.
    pub fn holder_of(self, name: &str, edit: impl FnOnce(CertificateFactory) -> CertificateFactory) -> Holder {
        let key = DecryptionKey::from_der(&self.key_der(name)).expect("a key that decrypts");
        let usage = if matches!(self, Self::Rsa | Self::MlKem768) { 2 } else { 4 };
        let mailbox = format!("{name}@mail.example");
        let factory = CertificateFactory::signer(&[(oid::COMMON_NAME, name)], &[&mailbox], name).spki(key.spki()).with(
            oid::KEY_USAGE,
            true,
            der::named_bits(&[usage]),
        );
        let certificate = edit(factory).issued_by(&CertificateFactory::authority("Test CA").self_signed("Test CA"));
        Holder { certificate, key }
    }
}

/// Builds one encrypted object. Without more said it is enveloped-data around data that is no encryption of anything.
#[derive(Clone)]
pub struct EnvelopeFactory {
    kind: Oid,
    version: Option<u8>,
    originator: Vec<u8>,
    recipients: Vec<Vec<u8>>,
    content_type: Oid,
    algorithm: Vec<u8>,
    content: Option<Vec<u8>>,
    authenticated: Vec<Vec<u8>>,
    mac: Vec<u8>,
    unprotected: Vec<Vec<u8>>,
    form: Form,
}

impl EnvelopeFactory {
    /// An object of this content type: enveloped-data, auth-enveloped-data or encrypted-data.
    pub fn new(kind: Oid) -> Self {
        let parameters = if kind == oid::AUTH_ENVELOPED_DATA {
            der::sequence(&[
                &der::oid(&oid::AES256_GCM),
                &der::sequence(&[&der::octet_string(&[7; 12]), &der::unsigned(&[16])]),
            ])
        } else {
            der::sequence(&[&der::oid(&oid::AES256_CBC), &der::octet_string(&[7; 16])])
        };
        Self {
            kind,
            version: None,
            originator: Vec::new(),
            recipients: Vec::new(),
            content_type: oid::DATA,
            algorithm: parameters,
            content: Some(vec![0x5a; 64]),
            authenticated: Vec::new(),
            mac: vec![0x5a; 16],
            unprotected: Vec::new(),
            form: Form::Der,
        }
    }

    /// One more recipient info, in DER.
    #[must_use]
    pub fn recipient(mut self, info: Vec<u8>) -> Self {
        self.recipients.push(info);
        self
    }

    /// Another version.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// Certificates of the originator.
    #[must_use]
    pub fn originator(mut self, certificates: &[Certificate]) -> Self {
        let certificates: Vec<&[u8]> = certificates.iter().map(Certificate::raw).collect();
        self.originator = der::context(0, &[&der::context(0, &certificates)]);
        self
    }

    /// Another content type of what is inside.
    #[must_use]
    pub fn content_type(mut self, oid: Oid) -> Self {
        self.content_type = oid;
        self
    }

    /// Another content-encryption algorithm, an AlgorithmIdentifier in DER.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Vec<u8>) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Other encrypted content; `None` leaves it out.
    #[must_use]
    pub fn content(mut self, content: Option<&[u8]>) -> Self {
        self.content = content.map(<[u8]>::to_vec);
        self
    }

    /// One more authenticated attribute, in DER.
    #[must_use]
    pub fn authenticated(mut self, attribute: Vec<u8>) -> Self {
        self.authenticated.push(attribute);
        self
    }

    /// Another message authentication code.
    #[must_use]
    pub fn mac(mut self, mac: &[u8]) -> Self {
        self.mac = mac.to_vec();
        self
    }

    /// One more unprotected attribute, in DER.
    #[must_use]
    pub fn unprotected(mut self, attribute: Vec<u8>) -> Self {
        self.unprotected.push(attribute);
        self
    }

    /// In another encoding.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The octets.
    pub fn der(&self) -> Vec<u8> {
        let element = |tag, parts: &[&[u8]]| match self.form {
            Form::Indefinite(_) => [&[tag, 0x80][..], &parts.concat(), &[0, 0]].concat(),
            Form::Der | Form::Pieces(_) => der::element(tag, parts),
        };
        let set = |tag, parts: &[Vec<u8>]| if parts.is_empty() { Vec::new() } else { element(tag, &[&parts.concat()]) };
        let content = self.content.as_ref().map(|content| match self.form {
            Form::Der => der::element(0x80, &[content]),
            Form::Indefinite(size) | Form::Pieces(size) => {
                let pieces: Vec<Vec<u8>> = content.chunks(size).map(der::octet_string).collect();
                element(0xa0, &[&pieces.concat()])
            }
        });
        let info = element(
            tag::SEQUENCE,
            &[&der::oid(&self.content_type), &self.algorithm, content.as_deref().unwrap_or_default()],
        );
        let is_authenticated = self.kind == oid::AUTH_ENVELOPED_DATA;
        let recipients =
            if self.kind == oid::ENCRYPTED_DATA { Vec::new() } else { element(tag::SET, &[&self.recipients.concat()]) };
        let (authenticated, mac) = if is_authenticated {
            (set(0xa1, &self.authenticated), der::octet_string(&self.mac))
        } else {
            (Vec::new(), Vec::new())
        };
        let object = element(
            tag::SEQUENCE,
            &[
                &der::unsigned(&[self.version.unwrap_or_default()]),
                &self.originator,
                &recipients,
                &info,
                &authenticated,
                &mac,
                &set(if is_authenticated { 0xa2 } else { 0xa1 }, &self.unprotected),
            ],
        );
        element(tag::SEQUENCE, &[&der::oid(&self.kind), &element(0xa0, &[&object])])
    }
}

/// A key-transport recipient info (RSA PKCS#1 v1.5 unless another algorithm is given) by issuer and serial number.
pub fn key_transport(certificate: &Certificate, algorithm: Option<&[u8]>, encrypted_key: &[u8]) -> Vec<u8> {
    let rsa = write::sequence(&[&der::oid(&oid::RSA_ENCRYPTION), der::NULL]);
    let serial = der::element(tag::INTEGER, &[certificate.serial()]);
    der::sequence(&[
        &der::unsigned(&[0]),
        &der::sequence(&[certificate.issuer().raw(), &serial]),
        algorithm.unwrap_or(&rsa),
        &der::octet_string(encrypted_key),
    ])
}

/// Compressed-data around what the caller compressed.
pub fn compressed(content_type: Oid, content: &[u8]) -> Vec<u8> {
    let explicit = der::context(0, &[&der::octet_string(content)]);
    let object = der::sequence(&[
        &der::unsigned(&[0]),
        &der::sequence(&[&der::oid(&oid::ZLIB_COMPRESSION)]),
        &der::sequence(&[&der::oid(&content_type), &explicit]),
    ]);
    der::sequence(&[&der::oid(&oid::COMPRESSED_DATA), &der::context(0, &[&object])])
}
