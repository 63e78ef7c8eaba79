//! What a signer says of its own program: the algorithms that it can read, and the certificate to encrypt to
//! (RFC 8551 §2.5.2, §2.5.3).

use std::fmt::{self, Display};

use kakitome_pki::algorithm::{AlgorithmIdentifier, Cipher};
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, oid, tag, write};
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, hex};

use super::ess::{each, issuer_and_serial};

/// `SMIMECapabilities ::= SEQUENCE OF SMIMECapability`, best first. Each is an algorithm with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(pub Vec<AlgorithmIdentifier>);

impl Capabilities {
    /// Reads them.
    ///
    /// # Errors
    /// They are malformed.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let list = Der::only(value)?.of(tag::SEQUENCE, "S/MIME capabilities are not a SEQUENCE")?;
        Ok(Self(each(&list, |list| AlgorithmIdentifier::parse(&list.element()?))?))
    }

    /// Those of this program, best first: what its `decrypt` opens and a careful sender should choose.
    pub fn own() -> Self {
        use Cipher::{Aes128Cbc, Aes128Gcm, Aes192Cbc, Aes256Cbc, Aes256Gcm};
        let ciphers = [Aes256Gcm, Aes128Gcm, Aes256Cbc, Aes192Cbc, Aes128Cbc];
        Self(ciphers.map(|cipher| AlgorithmIdentifier { oid: cipher.oid(), parameters: None }).to_vec())
    }

    /// As DER.
    pub fn to_der(&self) -> Vec<u8> {
        let listed: Vec<Vec<u8>> = self.0.iter().map(AlgorithmIdentifier::to_der).collect();
        let listed: Vec<&[u8]> = listed.iter().map(Vec::as_slice).collect();
        write::sequence(&listed)
    }
}

impl Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|algorithm| oid::describe(&algorithm.oid)).collect();
        f.write_str(&names.join(", "))
    }
}

/// `SMIMEEncryptionKeyPreference`: which certificate of the signer is to be encrypted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionKeyPreference {
    /// By issuer and serial number.
    IssuerAndSerial(Name, Vec<u8>),
    /// By subject key identifier.
    KeyIdentifier(Vec<u8>),
}

impl EncryptionKeyPreference {
    /// The preference for a certificate, by issuer and serial number, the form that every reader knows.
    pub fn of(certificate: &Certificate) -> Self {
        Self::IssuerAndSerial(certificate.issuer().clone(), certificate.serial().to_vec())
    }

    /// As DER, under the implicit tags of RFC 8551 §2.5.3.
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                let serial = write::element(tag::INTEGER, &[serial]);
                write::element(tag::context_constructed(0), &[issuer.raw(), &serial])
            }
            Self::KeyIdentifier(id) => write::element(tag::context(2), &[id]),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let element = Der::only(value)?;
        match element.tag {
            0xa0 => issuer_and_serial(&element).map(|(issuer, serial)| Self::IssuerAndSerial(issuer, serial)),
            // RecipientKeyIdentifier: the identifier first, then a date and more.
            0xa1 => {
                let id = element.inside().expect(tag::OCTET_STRING, "an encryption key has no identifier")?;
                Ok(Self::KeyIdentifier(id.value.to_vec()))
            }
            0x82 => Ok(Self::KeyIdentifier(element.value.to_vec())),
            _ => Err(Malformed::new("an encryption key preference has an unknown form")),
        }
    }

    /// Does it name this certificate?
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.issuer() == issuer && certificate.serial() == serial.as_slice()
            }
            Self::KeyIdentifier(id) => certificate.extensions().subject_key_id.as_ref() == Some(id),
        }
    }
}

impl Display for EncryptionKeyPreference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuerAndSerial(issuer, serial) => write!(f, "{issuer}, serial {}", hex(serial)),
            Self::KeyIdentifier(id) => write!(f, "key {}", hex(id)),
        }
    }
}
