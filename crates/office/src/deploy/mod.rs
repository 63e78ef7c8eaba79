//! Files for members who want to use S/MIME in their own mail program: keys with certificates, and what makes each
//! program believe the CA.
//!
//! Made anew each time from what the store holds sealed; a file with a key exists nowhere but where it was asked for. Its
//! password is made with it and is told apart ([`Code`]). An offer ([`pickup`]) is a link and a code on another channel.

mod apple;
mod code;
pub mod pickup;
mod plist;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::pkcs12::{self, Contents, Form};
use kakitome_pki::cert::{Certificate, bundle, pem};
use kakitome_pki::crypto::Random;
use zeroize::Zeroizing;

use crate::fault::Fault;

pub use apple::{Account, Sealer};
pub use code::Code;

/// A mail program, or what is set up for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// Mail on iPhone, iPad and Mac.
    Apple,
    /// Thunderbird.
    Thunderbird,
    /// Outlook on Windows.
    Outlook,
    /// Mail programs on Android.
    Android,
    /// Exchange and Exchange Online, for Outlook on the web: the CA alone, set up by an administrator.
    Exchange,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Apple, Self::Thunderbird, Self::Outlook, Self::Android, Self::Exchange];

    /// The name on the command line and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Thunderbird => "thunderbird",
            Self::Outlook => "outlook",
            Self::Android => "android",
            Self::Exchange => "exchange",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.name() == name)
    }

    /// How its key files are encrypted. Apple's systems and older Androids refuse what today's others read.
    pub const fn form(self) -> Form {
        match self {
            Self::Apple | Self::Android => Form::Compatible,
            Self::Thunderbird | Self::Outlook | Self::Exchange => Form::Modern,
        }
    }

    /// Does it need the member's keys?
    pub const fn needs_keys(self) -> bool {
        !matches!(self, Self::Exchange)
    }
}

/// A key of a member, with its certificate.
#[derive(Clone)]
pub struct Identity {
    /// The private key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
    /// Its certificate.
    pub certificate: Certificate,
    /// The CA certificates between it and the root.
    pub chain: Vec<Certificate>,
    /// Does it sign?
    pub signs: bool,
    /// Does it open mail?
    pub opens: bool,
    /// Is it only kept to open old mail?
    pub is_retired: bool,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.certificate.serial_hex())
    }
}

/// Whose files are made, and of what.
#[derive(Debug)]
pub struct Member<'a> {
    /// The address.
    pub address: &'a str,
    /// The name, where it is known.
    pub name: Option<&'a str>,
    /// The organisation.
    pub organisation: &'a str,
    /// The keys, the current ones first.
    pub identities: &'a [Identity],
    /// The roots of the own CA, which the program must be made to believe; the newest last.
    pub roots: &'a [Certificate],
    /// Where the mail lies, for programs that take a whole account.
    pub account: Option<&'a Account>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name; plain ASCII without a path.
    pub name: String,
    /// What it holds.
    pub octets: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// The serial numbers of the certificates whose private keys it holds.
    pub keys: Vec<String>,
}

/// The one file that a program cannot do without, for a download: the profile, or the keys; for Exchange the CA.
/// `sealer` signs profiles.
///
/// # Errors
/// As for [`files`].
pub fn file(
    program: Program,
    member: &Member<'_>,
    password: &Code,
    sealer: Option<&Sealer<'_>>,
    now: Time,
    random: &dyn Random,
) -> Result<File, Fault> {
    match program {
        Program::Apple => {
            let unsigned = || Fault::NoKeyToDeploy { address: member.address.to_owned() };
            profile(member, password, sealer.ok_or_else(unsigned)?, now, random)
        }
        Program::Thunderbird | Program::Outlook | Program::Android => keys(program, member, password, random),
        Program::Exchange => Ok(store(member)),
    }
}

/// All files for a program.
///
/// # Errors
/// The member has no key, a key cannot be written, or there is no randomness.
pub fn files(
    program: Program,
    member: &Member<'_>,
    password: &Code,
    sealer: Option<&Sealer<'_>>,
    now: Time,
    random: &dyn Random,
) -> Result<Vec<File>, Fault> {
    let mut files = vec![file(program, member, password, sealer, now, random)?];
    match program {
        Program::Apple => {}
        Program::Thunderbird => files.extend([policies(), in_pem(member.roots)]),
        Program::Outlook | Program::Android | Program::Exchange => {
            files.extend((1..).zip(member.roots).map(|(number, root)| authority(number, root)));
        }
    }
    Ok(files)
}

fn serials(member: &Member<'_>) -> Vec<String> {
    member.identities.iter().map(|identity| identity.certificate.serial_hex()).collect()
}

fn profile(
    member: &Member<'_>,
    password: &Code,
    sealer: &Sealer<'_>,
    now: Time,
    random: &dyn Random,
) -> Result<File, Fault> {
    let mut identities = Vec::new();
    for identity in member.identities {
        let pkcs12 = pack(Program::Apple, member, std::slice::from_ref(identity), password, random)?;
        identities.push(apple::Identity {
            certificate: &identity.certificate,
            pkcs12,
            signs: identity.signs,
            opens: identity.opens,
            is_retired: identity.is_retired,
        });
    }
    let profile = apple::Profile {
        address: member.address,
        name: member.name,
        organisation: member.organisation,
        identities: &identities,
        chain: &chain(member),
        account: member.account,
    };
    let signed = sealer.sign(profile.document().as_bytes(), now)?;
    Ok(File {
        name: format!("{}.mobileconfig", stem(member.address)),
        octets: signed,
        media_type: "application/x-apple-aspen-config",
        keys: serials(member),
    })
}

fn keys(program: Program, member: &Member<'_>, password: &Code, random: &dyn Random) -> Result<File, Fault> {
    Ok(File {
        name: format!("{}.p12", stem(member.address)),
        octets: pack(program, member, member.identities, password, random)?,
        media_type: "application/x-pkcs12",
        keys: serials(member),
    })
}

/// A PKCS#12 file of some of the keys. Nothing is handed out that does not open.
fn pack(
    program: Program,
    member: &Member<'_>,
    identities: &[Identity],
    password: &Code,
    random: &dyn Random,
) -> Result<Vec<u8>, Fault> {
    if identities.is_empty() {
        return Err(Fault::NoKeyToDeploy { address: member.address.to_owned() });
    }
    let names: Vec<String> = identities.iter().map(|one| known_as(member.address, one)).collect();
    let contents: Vec<Contents<'_>> = identities
        .iter()
        .zip(&names)
        .map(|(one, name)| Contents {
            key: &one.key,
            certificate: &one.certificate,
            chain: &one.chain,
            friendly_name: name,
        })
        .collect();
    let file = pkcs12::write_all(&contents, password.reveal(), program.form(), None, random).map_err(Fault::bug)?;
    let opened = pkcs12::open(&file, password.reveal()).map_err(Fault::bug)?;
    if opened.keys().count() == identities.len() {
        Ok(file)
    } else {
        Err(Fault::bug("a PKCS#12 file that was written does not hold what it should"))
    }
}

/// What a key is called in a file. No two in one file are called the same: Java, and Android with it, would keep one of
/// them alone.
fn known_as(address: &str, identity: &Identity) -> String {
    let serial = identity.certificate.serial_hex();
    match (identity.is_retired, identity.signs) {
        (true, _) => format!("{address} (old mail, {})", serial.get(..8).unwrap_or(&serial)),
        (false, true) => address.to_owned(),
        (false, false) => format!("{address} (encryption)"),
    }
}

/// Every CA certificate once, the roots first.
fn chain(member: &Member<'_>) -> Vec<Certificate> {
    let mut chain = member.roots.to_vec();
    for certificate in member.identities.iter().flat_map(|identity| &identity.chain) {
        if !chain.contains(certificate) && member.identities.iter().all(|one| one.certificate != *certificate) {
            chain.push(certificate.clone());
        }
    }
    chain
}

/// The CA for Exchange, as a serialised certificate store: `Set-SmimeConfig -SMIMECertificateIssuingCA` takes it.
fn store(member: &Member<'_>) -> File {
    let chain = chain(member);
    File {
        name: "kakitome-ca.sst".to_owned(),
        octets: bundle::write_store(chain.iter().map(Certificate::raw)),
        media_type: "application/vnd.ms-pki.certstore",
        keys: Vec::new(),
    }
}

/// How files with a root are called.
const ROOT_NAME: &str = "kakitome-ca";

/// Roots as programs take them: each by itself, and all of them in PEM.
pub fn authorities(roots: &[Certificate]) -> Vec<File> {
    let each = (1..).zip(roots).map(|(number, root)| authority(number, root));
    each.chain([in_pem(roots)]).collect()
}

/// One root, as Windows and Android take it.
fn authority(number: usize, root: &Certificate) -> File {
    let number = if number == 1 { String::new() } else { format!("-{number}") };
    File {
        name: format!("{ROOT_NAME}{number}.cer"),
        octets: root.raw().to_vec(),
        media_type: "application/pkix-cert",
        keys: Vec::new(),
    }
}

/// All roots in PEM.
fn in_pem(roots: &[Certificate]) -> File {
    let text: String = roots.iter().map(|root| pem::write("CERTIFICATE", root.raw())).collect();
    File {
        name: format!("{ROOT_NAME}.pem"),
        octets: text.into_bytes(),
        media_type: "application/x-pem-file",
        keys: Vec::new(),
    }
}

/// Thunderbird's enterprise policies: the roots are installed from the folders in which it looks for certificates by
/// name.
fn policies() -> File {
    let text = format!(
        "{{\n  \"policies\": {{\n    \"Certificates\": {{\n      \"Install\": [\"{ROOT_NAME}.pem\"]\n    }}\n  }}\n}}\n"
    );
    File {
        name: "policies.json".to_owned(),
        octets: text.into_bytes(),
        media_type: "application/json",
        keys: Vec::new(),
    }
}

/// An address as the beginning of a file name that every system takes.
fn stem(address: &str) -> String {
    const LONGEST: usize = 64;
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let plain = |letter: char| if is_plain(&letter) { letter } else { '_' };
    let stem: String = address.replace('@', "-at-").chars().take(LONGEST).map(plain).collect();
    let stem = stem.trim_start_matches('.');
    if stem.is_empty() { "member".to_owned() } else { stem.to_owned() }
}
