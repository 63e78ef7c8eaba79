//! Signed-data of any shape, good and bad (RFC 5652 §5), written octet by octet.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{self, SigningKey};

use kakitome_smime::cms::signer::SignerInfo;

use crate::{Holder, NOW, RawRsa, sign, write};

/// How the outer layers are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// DER.
    Der,
    /// BER as streaming programs write it: indefinite lengths, the content in pieces of this many octets.
    Indefinite(usize),
    /// Definite lengths, the content in pieces of this many octets.
    Pieces(usize),
}

/// In which order the signed attributes stand, and in which they are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Der,
    /// They stand reversed, and the signature is over DER, as RFC 5652 §5.4 says.
    Reversed,
    /// They stand reversed, and the signature is over that.
    ReversedAndSignedSo,
}

#[derive(Clone)]
enum Hand {
    Library(&'static SigningKey),
    Pkcs1(RawRsa, Digest),
    Pss(RawRsa),
    /// Makes the signature from the octets to sign.
    Forger(fn(&[u8]) -> Vec<u8>),
}

#[derive(Clone)]
enum Edit {
    Without(Oid),
    Set(Oid, Vec<Vec<u8>>),
    Again(Oid, Vec<Vec<u8>>),
}

/// Builds one signer info. Without more said it is what a good program writes: content type, message digest, signing
/// time ([`NOW`]), CMS algorithm protection and signing-certificate-v2.
#[derive(Clone)]
pub struct SignerFactory {
    certificate: Certificate,
    hand: Hand,
    digest: Digest,
    digest_label: Option<Digest>,
    algorithm_label: Option<AlgorithmIdentifier>,
    by_key_id: bool,
    version: Option<u8>,
    has_attributes: bool,
    signing_time: Option<Time>,
    names: Certificate,
    edits: Vec<Edit>,
    order: Order,
    unsigned: Vec<(Oid, Vec<u8>)>,
    signature: Option<Vec<u8>>,
}

impl SignerFactory {
    /// A signer info of this person.
    pub fn new(holder: &Holder) -> Self {
        let digest = holder.key.algorithm().digest().unwrap_or(Digest::Sha512);
        Self {
            certificate: holder.certificate.clone(),
            hand: Hand::Library(holder.key),
            digest,
            digest_label: None,
            algorithm_label: None,
            by_key_id: false,
            version: None,
            has_attributes: true,
            signing_time: Some(NOW),
            names: holder.certificate.clone(),
            edits: Vec::new(),
            order: Order::Der,
            unsigned: Vec::new(),
            signature: None,
        }
    }

    /// RSASSA-PSS by the holder's RSA key.
    #[must_use]
    pub fn pss(mut self) -> Self {
        let Hand::Library(key) = self.hand else { panic!("PSS by a key of the library") };
        self.hand = Hand::Pss(RawRsa::of(key));
        self
    }

    /// RSA PKCS#1 v1.5 by this key with this digest, for the message digest too.
    #[must_use]
    pub fn pkcs1(mut self, key: RawRsa, digest: Digest) -> Self {
        (self.hand, self.digest) = (Hand::Pkcs1(key, digest), digest);
        self
    }

    /// Another message digest than goes with the key.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// What makes the signature from the octets to sign, under the name of RSA with SHA-256.
    #[must_use]
    pub fn forger(mut self, forger: fn(&[u8]) -> Vec<u8>) -> Self {
        self.hand = Hand::Forger(forger);
        self
    }

    /// Named by key identifier instead of issuer and serial number.
    #[must_use]
    pub fn by_key_id(mut self) -> Self {
        self.by_key_id = true;
        self
    }

    /// Of another version.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// The digest algorithm says something else than what was done.
    #[must_use]
    pub fn label_digest(mut self, digest: Digest) -> Self {
        self.digest_label = Some(digest);
        self
    }

    /// The signature algorithm says something else than what was done.
    #[must_use]
    pub fn label_algorithm(mut self, oid: Oid) -> Self {
        self.algorithm_label = Some(AlgorithmIdentifier { oid, parameters: None });
        self
    }

    /// No signed attributes: the signature is over the content.
    #[must_use]
    pub fn no_attributes(mut self) -> Self {
        self.has_attributes = false;
        self
    }

    /// This signing time, or none.
    #[must_use]
    pub fn at(mut self, time: impl Into<Option<Time>>) -> Self {
        self.signing_time = time.into();
        self
    }

    /// signing-certificate-v2 names this certificate.
    #[must_use]
    pub fn names(mut self, certificate: &Certificate) -> Self {
        self.names = certificate.clone();
        self
    }

    /// Without a signed attribute.
    #[must_use]
    pub fn without(mut self, kind: Oid) -> Self {
        self.edits.push(Edit::Without(kind));
        self
    }

    /// A signed attribute with other values, in DER.
    #[must_use]
    pub fn with(mut self, kind: Oid, values: Vec<Vec<u8>>) -> Self {
        self.edits.push(Edit::Set(kind, values));
        self
    }

    /// A signed attribute more, even if one of its kind is there.
    #[must_use]
    pub fn again(mut self, kind: Oid, values: Vec<Vec<u8>>) -> Self {
        self.edits.push(Edit::Again(kind, values));
        self
    }

    /// The signed attributes stand in the wrong order; the signature is over the right one.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.order = Order::Reversed;
        self
    }

    /// The signed attributes stand in the wrong order, and the signature is over that.
    #[must_use]
    pub fn reversed_and_signed_so(mut self) -> Self {
        self.order = Order::ReversedAndSignedSo;
        self
    }

    /// An unsigned attribute.
    #[must_use]
    pub fn unsigned(mut self, kind: Oid, value: Vec<u8>) -> Self {
        self.unsigned.push((kind, value));
        self
    }

    /// This signature instead of a made one.
    #[must_use]
    pub fn signature(mut self, signature: Vec<u8>) -> Self {
        self.signature = Some(signature);
        self
    }

    /// The octets that are signed over `content`: the SET OF attributes.
    pub fn attributes(&self, content_type: Oid, content: &[u8]) -> Vec<u8> {
        der::set_of(self.attribute_list(content_type, content))
    }

    /// The signer info over `content`.
    pub fn der(&self, content_type: Oid, content: &[u8]) -> Vec<u8> {
        let mut stands = self.attribute_list(content_type, content);
        stands.sort();
        if self.order != Order::Der {
            stands.reverse();
        }
        let stands: Vec<&[u8]> = stands.iter().map(Vec::as_slice).collect();
        let set = der::element(tag::SET, &stands);
        let to_sign = match self.order {
            _ if !self.has_attributes => content.to_vec(),
            Order::ReversedAndSignedSo => set.clone(),
            _ => self.attributes(content_type, content),
        };
        let attributes = if self.has_attributes { der::context(0, &stands) } else { Vec::new() };
        let signature = self.signature.clone().unwrap_or_else(|| self.hand.sign(&to_sign));
        let (version, sid) = if self.by_key_id {
            let id = self.certificate.extensions().subject_key_id.clone().expect("a key identifier");
            (3, der::element(tag::context(0), &[&id]))
        } else {
            let serial = der::element(tag::INTEGER, &[self.certificate.serial()]);
            (1, der::sequence(&[self.certificate.issuer().raw(), &serial]))
        };
        let unsigned: Vec<Vec<u8>> =
            self.unsigned.iter().map(|(kind, value)| attribute(*kind, std::slice::from_ref(value))).collect();
        let unsigned: Vec<&[u8]> = unsigned.iter().map(Vec::as_slice).collect();
        let unsigned = if unsigned.is_empty() { Vec::new() } else { der::context(1, &unsigned) };
        der::sequence(&[
            &der::unsigned(&[self.version.unwrap_or(version)]),
            &sid,
            &digest_identifier(self.digest_label.unwrap_or(self.digest)),
            &attributes,
            &self.identifier().to_der(),
            &der::octet_string(&signature),
            &unsigned,
        ])
    }

    fn identifier(&self) -> AlgorithmIdentifier {
        self.algorithm_label.clone().unwrap_or_else(|| self.hand.identifier())
    }

    fn attribute_list(&self, content_type: Oid, content: &[u8]) -> Vec<Vec<u8>> {
        // The library computes no MD5; whoever says so cannot have digested.
        let value = crypto::digest(self.digest, content).as_ref().to_vec();
        let digest = digest_identifier(self.digest);
        let identifier = self.hand.identifier();
        let parameters = identifier.parameters.as_deref().unwrap_or_default();
        let protection = der::sequence(&[&digest, &der::context(1, &[&der::oid(&identifier.oid), parameters])]);
        let id = der::sequence(&[&der::octet_string(&crypto::sha256(self.names.raw()))]);
        let mut list: Vec<(Oid, Vec<Vec<u8>>)> = vec![
            (oid::CONTENT_TYPE, vec![der::oid(&content_type)]),
            (oid::MESSAGE_DIGEST, vec![der::octet_string(&value)]),
            (oid::CMS_ALGORITHM_PROTECTION, vec![protection]),
            (oid::SIGNING_CERTIFICATE_V2, vec![der::sequence(&[&der::sequence(&[&id])])]),
        ];
        if let Some(time) = self.signing_time {
            list.push((oid::SIGNING_TIME, vec![time.to_der()]));
        }
        for edit in self.edits.clone() {
            match edit {
                Edit::Without(kind) => list.retain(|(other, _)| *other != kind),
                Edit::Set(kind, values) => {
                    list.retain(|(other, _)| *other != kind);
                    list.push((kind, values));
                }
                Edit::Again(kind, values) => list.push((kind, values)),
            }
        }
        list.into_iter().map(|(kind, values)| attribute(kind, &values)).collect()
    }
}

impl Hand {
    fn sign(&self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Library(key) => sign(key, octets),
            Self::Pkcs1(key, digest) => key.pkcs1(*digest, octets),
            Self::Pss(key) => key.pss(octets),
            Self::Forger(forger) => forger(octets),
        }
    }

    fn identifier(&self) -> AlgorithmIdentifier {
        let rsa = |oid| AlgorithmIdentifier { oid, parameters: Some(der::NULL.to_vec()) };
        match self {
            Self::Library(key) => key.algorithm().identifier().expect("a signing key has an identifier"),
            Self::Pkcs1(_, Digest::Md5) => rsa(oid::MD5_WITH_RSA),
            Self::Pkcs1(_, Digest::Sha1) => rsa(oid::SHA1_WITH_RSA),
            Self::Pkcs1(_, Digest::Sha224) => rsa(oid::SHA224_WITH_RSA),
            Self::Pkcs1(_, Digest::Sha384) => rsa(oid::SHA384_WITH_RSA),
            Self::Pkcs1(_, Digest::Sha512) => rsa(oid::SHA512_WITH_RSA),
            Self::Pkcs1(..) => rsa(oid::SHA256_WITH_RSA),
            Self::Forger(_) => rsa(oid::SHA256_WITH_RSA),
            Self::Pss(_) => {
                let hash = digest_identifier(Digest::Sha256);
                let mask = der::sequence(&[&der::oid(&oid::MGF1), &hash]);
                let parameters = der::sequence(&[
                    &der::context(0, &[&hash]),
                    &der::context(1, &[&mask]),
                    &der::context(2, &[&der::unsigned(&[32])]),
                ]);
                AlgorithmIdentifier { oid: oid::RSASSA_PSS, parameters: Some(parameters) }
            }
        }
    }
}

/// An attribute.
pub fn attribute(kind: Oid, values: &[Vec<u8>]) -> Vec<u8> {
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    der::sequence(&[&der::oid(&kind), &der::element(tag::SET, &values)])
}

fn digest_identifier(digest: Digest) -> Vec<u8> {
    der::sequence(&[&der::oid(&digest.oid())])
}

/// Builds one CMS object. Without more said it is detached, in DER, and signed by nobody.
#[derive(Clone)]
pub struct SignedFactory {
    content: Vec<u8>,
    embedded: Option<Vec<u8>>,
    kind: Oid,
    content_type: Oid,
    certificates: Vec<Vec<u8>>,
    revocation: Vec<Vec<u8>>,
    signers: Vec<Vec<u8>>,
    version: Option<u8>,
    digests: Option<Vec<Digest>>,
    form: Form,
    trailing: Vec<u8>,
}

impl SignedFactory {
    /// A signature over `content`.
    pub fn new(content: &[u8]) -> Self {
        Self {
            content: content.to_vec(),
            embedded: None,
            kind: oid::SIGNED_DATA,
            content_type: oid::DATA,
            certificates: Vec::new(),
            revocation: Vec::new(),
            signers: Vec::new(),
            version: None,
            digests: None,
            form: Form::Der,
            trailing: Vec::new(),
        }
    }

    /// By this person, with his certificates.
    pub fn by(holder: &Holder, content: &[u8]) -> Self {
        Self::new(content).signer(&SignerFactory::new(holder)).holder(holder)
    }

    /// A signer info more.
    #[must_use]
    pub fn signer(mut self, signer: &SignerFactory) -> Self {
        self.signers.push(signer.der(self.content_type, &self.content));
        self
    }

    /// Of another version than the signer infos ask for.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// Names these digest algorithms, not those of the signer infos.
    #[must_use]
    pub fn digests(mut self, digests: &[Digest]) -> Self {
        self.digests = Some(digests.to_vec());
        self
    }

    /// A signer info of octets.
    #[must_use]
    pub fn signer_der(mut self, der: Vec<u8>) -> Self {
        self.signers.push(der);
        self
    }

    /// The certificates of this person.
    #[must_use]
    pub fn holder(self, holder: &Holder) -> Self {
        let all = std::iter::once(&holder.certificate).chain(&holder.chain);
        all.fold(self, |this, certificate| this.certificate(certificate.raw()))
    }

    /// A certificate more, or what poses as one.
    #[must_use]
    pub fn certificate(mut self, der: &[u8]) -> Self {
        self.certificates.push(der.to_vec());
        self
    }

    /// With a revocation list, or other revocation information.
    #[must_use]
    pub fn revocation(mut self, der: &[u8]) -> Self {
        self.revocation.push(der.to_vec());
        self
    }

    /// With an OCSP response beside the certificates (RFC 5940).
    #[must_use]
    pub fn stapled(self, response: &[u8]) -> Self {
        self.revocation(&der::context(1, &[&der::oid(&oid::RI_OCSP_RESPONSE), response]))
    }

    /// Its certificates in the reverse order.
    #[must_use]
    pub fn reversed_certificates(mut self) -> Self {
        self.certificates.reverse();
        self
    }

    /// The content is inside.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.embedded = Some(self.content.clone());
        self
    }

    /// Another content than the signed one is inside.
    #[must_use]
    pub fn embedding(mut self, content: &[u8]) -> Self {
        self.embedded = Some(content.to_vec());
        self
    }

    /// Another eContentType; signers that are added later sign it.
    #[must_use]
    pub fn content_type(mut self, oid: Oid) -> Self {
        self.content_type = oid;
        self
    }

    /// Another content type of the whole object.
    #[must_use]
    pub fn kind(mut self, oid: Oid) -> Self {
        self.kind = oid;
        self
    }

    /// In another encoding.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// With octets behind it.
    #[must_use]
    pub fn trailing(mut self, octets: &[u8]) -> Self {
        self.trailing = octets.to_vec();
        self
    }

    /// The octets.
    pub fn der(&self) -> Vec<u8> {
        let element = |tag, parts: &[&[u8]]| match self.form {
            Form::Indefinite(_) => [&[tag, 0x80][..], &parts.concat(), &[0, 0]].concat(),
            Form::Der | Form::Pieces(_) => der::element(tag, parts),
        };
        let content = self.embedded.as_ref().map(|content| {
            let string = match self.form {
                Form::Der => der::octet_string(content),
                Form::Indefinite(size) | Form::Pieces(size) => {
                    let pieces: Vec<Vec<u8>> = content.chunks(size).map(der::octet_string).collect();
                    element(tag::CONSTRUCTED_OCTET_STRING, &[&pieces.concat()])
                }
            };
            element(tag::context_constructed(0), &[&string])
        });
        let content_info =
            element(tag::SEQUENCE, &[&der::oid(&self.content_type), content.as_deref().unwrap_or_default()]);
        let infos: Vec<SignerInfo> = self.signers.iter().filter_map(|info| SignerInfo::parse(info).ok()).collect();
        let digests = self.digests.clone().unwrap_or_else(|| {
            Digest::ALL
                .into_iter()
                .filter(|one| infos.iter().any(|info| info.digest_algorithm.oid == one.oid()))
                .collect()
        });
        let digests = der::set_of(digests.into_iter().map(digest_identifier).collect());
        // RFC 5652 §5.1.
        let is_3 = self.content_type != oid::DATA || infos.iter().any(|info| info.version == 3);
        let is_5 = self.revocation.iter().any(|one| one.first() != Some(&tag::SEQUENCE));
        let version = self.version.unwrap_or(if is_5 {
            5
        } else if is_3 {
            3
        } else {
            1
        });
        let certificates = self.certificates.concat();
        let certificates =
            if certificates.is_empty() { Vec::new() } else { element(tag::context_constructed(0), &[&certificates]) };
        let revocation = self.revocation.concat();
        let revocation =
            if revocation.is_empty() { Vec::new() } else { element(tag::context_constructed(1), &[&revocation]) };
        let signers = element(tag::SET, &[&self.signers.concat()]);
        let version = der::unsigned(&[version]);
        let signed = element(tag::SEQUENCE, &[&version, &digests, &content_info, &certificates, &revocation, &signers]);
        let explicit = element(tag::context_constructed(0), &[&signed]);
        [element(tag::SEQUENCE, &[&der::oid(&self.kind), &explicit]), self.trailing.clone()].concat()
    }
}

/// A CMS object of another kind around anything.
pub fn object(kind: Oid) -> Vec<u8> {
    der::sequence(&[&der::oid(&kind), &write::context(0, &[&der::sequence(&[&der::unsigned(&[0])])])])
}
