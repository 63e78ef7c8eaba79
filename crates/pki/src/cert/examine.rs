//! A certificate taken apart as far as it goes, to be shown: every flaw is named, and what can be read in spite of it is
//! there. Nothing here is ever believed; [`Certificate::parse`] decides what is read.

use super::extension::{Extensions, TWICE};
use super::flaw::{Flaw, Found};
use super::name::Name;
use super::{CERTIFICATE_LIMIT, Certificate};
use crate::algorithm::{AlgorithmIdentifier, MlDsa, MlKem, Signature};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::time::Time;
use crate::asn1::{Malformed, ber, oid, tag, write};
use crate::crypto::{self, Curve, PublicKey, RSA_MODULUS_LIMIT, RSA_MODULUS_STRONG};

/// As many flaws are told of one certificate.
pub const FLAW_LIMIT: usize = 64;
/// RFC 5280 §4.1.2.2: a serial number has at most this many octets.
const SERIAL_OCTETS_LIMIT: usize = 20;
/// An RSA modulus is tried with the primes below this.
const TRIED: u32 = 1000;

/// What stands in a certificate, field by field; `None` where a field cannot be read.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// What is wrong with it, in the order of the octets.
    pub flaws: Vec<Found>,
    /// The certificate, where it is read in spite of its flaws.
    pub certificate: Option<Certificate>,
    /// SHA-256 over the octets as they came.
    pub fingerprint: [u8; 32],
    /// 1, 2 or 3, or what stands there.
    pub version: Option<u32>,
    /// The contents octets of the serial number.
    pub serial: Option<Vec<u8>>,
    /// How the issuer signed.
    pub algorithm: Option<AlgorithmIdentifier>,
    /// The issuer's name.
    pub issuer: Option<Name>,
    /// The subject's name.
    pub subject: Option<Name>,
    /// The beginning of the validity.
    pub not_before: Option<Time>,
    /// The end of the validity.
    pub not_after: Option<Time>,
    /// The SubjectPublicKeyInfo.
    pub spki: Option<Vec<u8>>,
    /// The public key.
    pub key: Option<PublicKey>,
    /// The extensions that can be read.
    pub extensions: Extensions,
}

/// Takes a certificate apart.
pub fn examine(raw: &[u8]) -> Examined {
    let mut out = Examined { fingerprint: crypto::sha256(raw), ..Examined::default() };
    if raw.len() > CERTIFICATE_LIMIT {
        out.found(Flaw::TooLarge, format!("{} octets", raw.len()));
        return out;
    }
    out.form(raw);
    match ber::first_to_der(raw) {
        Ok((der, rest)) => {
            if !rest.is_empty() {
                out.found(Flaw::Trailing, format!("{} octets", rest.len()));
            }
            if let Err(malformed) = out.fields(&der) {
                out.found(Flaw::Structure, malformed.to_string());
            }
        }
        Err(malformed) => {
            if out.flaws.is_empty() {
                out.found(Flaw::Cut, malformed.to_string());
            }
        }
    }
    match Certificate::parse(raw) {
        Ok(certificate) => out.certificate = Some(certificate),
        // What refuses it has a name of its own, or this one.
        Err(malformed) if !out.flaws.iter().any(|found| found.flaw.is_refused()) => {
            out.found(Flaw::Structure, malformed.to_string());
        }
        Err(_) => {}
    }
    out
}

impl Examined {
    fn found(&mut self, flaw: Flaw, detail: impl Into<String>) {
        if self.flaws.len() < FLAW_LIMIT {
            self.flaws.push(Found { flaw, detail: detail.into() });
        }
    }

    /// Once, however often it occurs.
    fn found_once(&mut self, flaw: Flaw, detail: impl Into<String>) {
        if !self.flaws.iter().any(|found| found.flaw == flaw) {
            self.found(flaw, detail);
        }
    }

    /// Whether the encoding is DER, looked at in every element.
    fn form(&mut self, raw: &[u8]) {
        // What is open, innermost last: the octets that are left, and whether they end at a mark.
        let mut open: Vec<(&[u8], bool)> = vec![(raw, false)];
        let mut is_first = true;
        while let Some((bytes, ends_at_mark)) = open.pop() {
            if bytes.is_empty() && !ends_at_mark {
                continue;
            }
            let place = format!("at octet {}", raw.len().saturating_sub(bytes.len()));
            let Ok(header) = ber::Header::parse(bytes) else {
                self.found_once(Flaw::Cut, place);
                return;
            };
            let start = usize::try_from(header.header).unwrap_or(usize::MAX);
            let Some(inside) = bytes.get(start..) else { return };
            if ends_at_mark && header.is_end_of_contents() {
                // What follows the mark is the rest of the element around it; around the whole there is none.
                match open.as_mut_slice() {
                    [_, .., around] => around.0 = inside,
                    _ => return,
                }
                continue;
            }
            let (contents, rest) = match header.length {
                None => {
                    self.found_once(Flaw::Indefinite, place);
                    (inside, &[][..])
                }
                Some(length) => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    let Some(parts) = inside.split_at_checked(length) else {
                        self.found_once(Flaw::Cut, place);
                        return;
                    };
                    if write::header(header.tag, length).len() != start {
                        self.found_once(Flaw::Length, place);
                    }
                    parts
                }
            };
            // Behind the first element nothing may stand, whatever it is.
            if !is_first {
                open.push((rest, ends_at_mark));
            } else if header.length.is_none() {
                open.push((&[], false));
            }
            is_first = false;
            match (header.tag, contents) {
                (tag::BOOLEAN, contents) if !matches!(contents, [0 | 0xff]) => {
                    self.found_once(Flaw::Boolean, String::new());
                }
                (tag::INTEGER, [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]) => {
                    self.found_once(Flaw::Integer, String::new());
                }
                (tag::SET, contents) if !is_sorted(contents) => self.found_once(Flaw::SetOrder, String::new()),
                _ => {}
            }
            if header.tag & tag::CONSTRUCTED != 0 {
                if open.len() > ber::DEPTH_LIMIT {
                    return;
                }
                open.push((contents, header.length.is_none()));
            }
        }
    }

    /// The fields of a certificate in DER; an error is one behind which nothing can be found.
    fn fields(&mut self, der: &[u8]) -> Result<(), Malformed> {
        let mut outer = Der::only(der)?.of(tag::SEQUENCE, "a certificate is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a certificate has no TBSCertificate")?;
        self.signed(&signed)?;
        let identifier = AlgorithmIdentifier::parse(&outer.element()?)?;
        if self.algorithm.as_ref().is_some_and(|own| *own != identifier) {
            let own = self.algorithm.as_ref().map(|own| own.oid);
            let names = own.map(|own| oid::describe(&own)).unwrap_or_default();
            self.found(Flaw::AlgorithmsDiffer, format!("{names}, {}", oid::describe(&identifier.oid)));
        }
        let signature = outer.expect(tag::BIT_STRING, "a certificate has no signature")?;
        if der::whole_bits(signature.value).is_err() {
            self.found(Flaw::SignatureBits, String::new());
        }
        outer.finish()
    }

    fn signed(&mut self, signed: &Tlv<'_>) -> Result<(), Malformed> {
        let mut fields = signed.inside();
        self.version(&mut fields)?;
        let serial = fields.expect(tag::INTEGER, "a certificate has no serial number")?.value;
        match serial {
            [] => self.found(Flaw::Structure, "the serial number has no octets"),
            [first, ..] if *first >= 0x80 => self.found(Flaw::SerialNegative, String::new()),
            octets if octets.iter().all(|octet| *octet == 0) => self.found(Flaw::SerialZero, String::new()),
            _ => {}
        }
        if serial.len() > SERIAL_OCTETS_LIMIT {
            self.found(Flaw::SerialLong, format!("{} octets", serial.len()));
        }
        self.serial = Some(serial.to_vec());
        let algorithm = AlgorithmIdentifier::parse(&fields.element()?)?;
        if !has_its_parameters(&algorithm) {
            self.found(Flaw::AlgorithmParameters, oid::describe(&algorithm.oid));
        }
        self.algorithm = Some(algorithm);
        self.issuer = self.name(&fields.element()?, "issuer");
        if self.issuer.as_ref().is_some_and(Name::is_empty) {
            self.found(Flaw::IssuerEmpty, String::new());
        }
        self.validity(&fields.expect(tag::SEQUENCE, "a certificate has no validity")?)?;
        self.subject = self.name(&fields.element()?, "subject");
        let spki = fields.expect(tag::SEQUENCE, "a certificate has no public key")?;
        self.spki = Some(spki.raw.to_vec());
        match PublicKey::parse(spki.raw) {
            Ok(key) => {
                self.key_flaws(&spki);
                if !key.is_possible() {
                    self.found(Flaw::KeyImpossible, key.describe());
                }
                self.key = Some(key);
            }
            Err(malformed) => {
                let before = self.flaws.len();
                self.key_flaws(&spki);
                if !self.flaws.iter().skip(before).any(|found| found.flaw.is_refused()) {
                    self.found(Flaw::Key, malformed.to_string());
                }
            }
        }
        for number in [1, 2] {
            if fields.optional(tag::context(number))?.is_some() {
                self.found_once(Flaw::UniqueIdentifiers, String::new());
            }
        }
        if let Some(extensions) = fields.optional(tag::context_constructed(3))? {
            // A version that is wrong itself is told once.
            let is_told = self.flaws.iter().any(|found| found.flaw == Flaw::Version);
            if matches!(self.version, Some(1 | 2)) && !is_told {
                self.found(Flaw::ExtensionsVersion, String::new());
            }
            let list = Der::only(extensions.value)?.of(tag::SEQUENCE, "extensions are not a SEQUENCE")?;
            self.extension_flaws(&list);
        }
        if self.subject.as_ref().is_some_and(Name::is_empty) {
            let stands_in = self.extensions.listed.contains(&(oid::SUBJECT_ALT_NAME, true));
            if !stands_in || self.extensions.subject_alt_names.is_empty() {
                self.found(Flaw::SubjectEmpty, String::new());
            }
        }
        fields.finish()
    }

    fn version(&mut self, fields: &mut Der<'_>) -> Result<(), Malformed> {
        let Some(version) = fields.optional(tag::context_constructed(0))? else {
            self.version = Some(1);
            return Ok(());
        };
        let number = Der::new(version.value).small();
        match number {
            Ok(0) => self.found(Flaw::Version, "version 1, which DER leaves out"),
            Ok(1 | 2) => {}
            Ok(_) | Err(_) => self.found(Flaw::Version, String::new()),
        }
        self.version = number.ok().map(|number| number.saturating_add(1));
        Ok(())
    }

    fn name(&mut self, element: &Tlv<'_>, whose: &str) -> Option<Name> {
        Name::parse(element).map_err(|malformed| self.found(Flaw::Name, format!("{whose}: {malformed}"))).ok()
    }

    fn validity(&mut self, element: &Tlv<'_>) -> Result<(), Malformed> {
        let mut times = element.inside();
        let mut next = |whose: &str| -> Result<Option<Time>, Malformed> {
            let element = times.element()?;
            match Time::from_der(&element) {
                Ok(time) => {
                    if time.to_der() != element.raw {
                        self.found_once(Flaw::TimeForm, whose);
                    }
                    Ok(Some(time))
                }
                Err(malformed) => {
                    self.found(Flaw::Time, format!("{whose}: {malformed}"));
                    Ok(None)
                }
            }
        };
        let (not_before, not_after) = (next("notBefore")?, next("notAfter")?);
        (self.not_before, self.not_after) = (not_before, not_after);
        if not_before.zip(not_after).is_some_and(|(begins, ends)| ends < begins) {
            self.found(Flaw::ValidityReversed, String::new());
        }
        times.finish()
    }

    fn extension_flaws(&mut self, list: &Tlv<'_>) {
        if list.value.is_empty() {
            self.found(Flaw::ExtensionsEmpty, String::new());
        }
        let (extensions, wrong) = Extensions::parse_readable(list);
        for (id, malformed) in wrong {
            let name = id.map(|id| oid::describe(&id)).unwrap_or_default();
            if malformed == TWICE {
                self.found(Flaw::ExtensionTwice, name);
            } else if malformed == der::BOOLEAN {
                self.found_once(Flaw::Boolean, name);
            } else {
                let gap = if name.is_empty() { "" } else { ": " };
                self.found(Flaw::Extension, format!("{name}{gap}{malformed}"));
            }
        }
        for id in &extensions.unknown_critical {
            self.found(Flaw::ExtensionUnknown, oid::describe(id));
        }
        // X.690 §11.5: critical FALSE and cA FALSE are defaults.
        let mut each = list.inside();
        while let Ok(extension) = each.element() {
            let mut fields = extension.inside();
            let Ok(id) = fields.oid() else { continue };
            let written = fields.optional(tag::BOOLEAN).ok().flatten().is_some_and(|critical| critical.value == [0]);
            let value = fields.element().map(|value| value.value);
            if written || (id == oid::BASIC_CONSTRAINTS && value == Ok(&[0x30, 3, 1, 1, 0])) {
                self.found_once(Flaw::DefaultWritten, oid::describe(&id));
            }
        }
        let lists_names = extensions.listed.iter().any(|(id, _)| *id == oid::SUBJECT_ALT_NAME);
        let is_malformed = self.flaws.iter().any(|found| matches!(found.flaw, Flaw::Extension));
        if lists_names && extensions.subject_alt_names.is_empty() && !is_malformed {
            self.found(Flaw::NamesEmpty, String::new());
        }
        let is_ca = extensions.basic_constraints.is_some_and(|constraints| constraints.ca);
        match extensions.key_usage.map(|usage| usage.signs_certificates()) {
            Some(true) if !is_ca => self.found(Flaw::Authority, "keyCertSign, but no CA"),
            Some(false) if is_ca => self.found(Flaw::Authority, "a CA without keyCertSign"),
            _ => {}
        }
        if !is_ca && extensions.basic_constraints.is_some_and(|constraints| constraints.path_length.is_some()) {
            self.found(Flaw::PathLength, String::new());
        }
        self.extensions = extensions;
    }

    /// What can be said of a key whether it is read or not.
    fn key_flaws(&mut self, spki: &Tlv<'_>) {
        let mut fields = spki.inside();
        let Ok(algorithm) = fields.element().and_then(|element| AlgorithmIdentifier::parse(&element)) else { return };
        let bits = fields.expect(tag::BIT_STRING, "").ok().and_then(|bits| der::whole_bits(bits.value).ok());
        let parameters = algorithm.parameters.as_deref();
        match algorithm.oid {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS | oid::RSAES_OAEP => {
                // RFC 3279 §2.3.1: NULL.
                if algorithm.oid == oid::RSA_ENCRYPTION && parameters != Some(write::NULL) {
                    self.found(Flaw::KeyParameters, "RSA");
                }
                if let Some(bits) = bits {
                    self.rsa_flaws(bits);
                }
            }
            oid::EC_PUBLIC_KEY => match parameters.map(Der::only) {
                Some(Ok(named)) if named.tag == tag::OID => {
                    if let Ok(named) = der::oid(named.value)
                        && Curve::from_oid(&named).is_none()
                    {
                        self.found(Flaw::KeyUnknown, format!("EC on {}", oid::describe(&named)));
                    }
                }
                Some(_) => self.found(Flaw::KeyCurve, String::new()),
                None => {}
            },
            oid::ED25519 | oid::X25519 => {
                // RFC 8410 §3: absent.
                if parameters.is_some() {
                    self.found(Flaw::KeyParameters, oid::describe(&algorithm.oid));
                }
                if bits.is_some_and(|bits| bits.len() != 32) {
                    self.found(Flaw::KeyImpossible, oid::describe(&algorithm.oid));
                }
            }
            oid::DSA => {}
            other if MlDsa::from_oid(&other).is_some() || MlKem::from_oid(&other).is_some() => {}
            other => self.found(Flaw::KeyUnknown, oid::describe(&other)),
        }
    }

    fn rsa_flaws(&mut self, key: &[u8]) {
        let Ok(outer) = Der::only(key) else { return };
        let mut numbers = outer.inside();
        let (Ok(modulus), Ok(exponent)) = (numbers.unsigned(), numbers.unsigned()) else { return };
        let bits = crypto::magnitude_bits(modulus);
        if bits > RSA_MODULUS_LIMIT {
            self.found(Flaw::KeyHuge, format!("{bits} bits"));
        } else if bits < RSA_MODULUS_STRONG {
            self.found(Flaw::KeyShort, format!("{bits} bits"));
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            self.found(Flaw::KeyEven, String::new());
        } else if bits <= RSA_MODULUS_LIMIT
            && let Some(factor) = small_factor(modulus)
        {
            self.found(Flaw::KeyFactor, format!("{factor}"));
        }
        let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
        if !is_odd || exponent == [1] || exponent.len() > 8 {
            let shown = if exponent.len() > 8 { "long".to_owned() } else { super::hex(exponent) };
            self.found(Flaw::KeyExponent, shown);
        }
    }
}

/// The smallest odd factor below [`TRIED`], if there is one.
fn small_factor(modulus: &[u8]) -> Option<u32> {
    let rest = |divisor: u32| {
        modulus.iter().fold(0u32, |rest, octet| {
            // Below 1000 * 256: no overflow.
            rest.wrapping_mul(256).wrapping_add(u32::from(*octet)).checked_rem(divisor).unwrap_or_default()
        })
    };
    (3..TRIED).step_by(2).find(|divisor| rest(*divisor) == 0)
}

/// Are the elements of a SET OF in the order of X.690 §11.6? What is no DER is no matter of this.
fn is_sorted(contents: &[u8]) -> bool {
    let mut elements = Der::new(contents);
    let mut before: &[u8] = &[];
    while let Ok(element) = elements.element() {
        if element.raw < before {
            return false;
        }
        before = element.raw;
    }
    true
}

/// NULL for RSA (RFC 4055 §5), nothing for ECDSA, EdDSA and ML-DSA (RFC 5758 §3.2, RFC 8410 §3, RFC 9881 §2).
fn has_its_parameters(algorithm: &AlgorithmIdentifier) -> bool {
    match Signature::from_identifier(algorithm, None) {
        Ok(Some(Signature::RsaPkcs1(_))) => algorithm.parameters.as_deref() == Some(write::NULL),
        Ok(Some(Signature::Ecdsa(_) | Signature::Ed25519 | Signature::MlDsa(_))) => algorithm.parameters.is_none(),
        Ok(_) => true,
        Err(_) => false,
    }
}
