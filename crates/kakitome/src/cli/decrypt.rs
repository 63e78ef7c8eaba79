//! `kakitome decrypt`: the mail that is inside an encrypted one.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use kakitome_pki::cert::hex;
use kakitome_pki::cert::name::Name;
use kakitome_smime::Finding;
use kakitome_smime::cms::enveloped::Opening;
use kakitome_smime::cms::recipient::{HeldKeys, RecipientIdentifier, RecipientInfo, Recipients};
use kakitome_smime::message::decrypt::{self, Found, Sealed, Taken};
use kakitome_smime::message::open::{self, Form, Layer, Opened, Seal, SealedLayer};
use kakitome_smime::octets::{Spool, copy_range};
use kakitome_verdict::safe::Safe;

use super::keys::Keys;
use super::output::Output;
use super::{Ended, Everywhere, Failure, input};

/// So many of a mail's recipients are named where none of them is here.
const NAMED: usize = 5;

/// Decrypt a mail with certificates and keys in files.
///
/// Writes the mail that was inside: the header of the mail around it, with what the content says of itself, and with the
/// header fields that were protected inside in place of those outside. A CMS object that came alone (smime.p7m, in DER,
/// BER or PEM) gives its content as it is. Nothing is shown before all of it was found good; what the cipher does not
/// protect from changes (AES-CBC and older) is said on standard error.
///
/// A signature inside is kept and not checked: that is for `kakitome check` and `verify`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome decrypt --p12 reader.p12 --password-file password.txt -o opened.eml sealed.eml
  kakitome decrypt --cert reader.pem --key reader.key sealed.eml
  kakitome decrypt --cert old.pem --key old.key --cert reader.pem --key reader.key sealed.eml
  kakitome decrypt --mail-password-file password.txt -o opened.eml sealed.eml")]
pub(super) struct Decrypt {
    /// The mail, as a file in .eml form, or a CMS object; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// Write the decrypted mail to this file, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

impl Decrypt {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let keys = self.keys.held()?;
        if keys.is_empty() {
            return Err(Failure::usage("give --p12, --cert and --key, or --mail-password-file"));
        }
        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let found = match decrypt::find(&*mail, &spools)? {
            Found::Sealed(sealed) => Inside::Root(sealed),
            // Somebody signed or compressed what is encrypted.
            Found::Other => Inside::Layers(Box::new(open::open(&*mail, &spools, &keys)?)),
            Found::Refused(finding) => return Err(refused(&finding)),
        };
        let mut output = Output::open(self.output.as_deref())?;
        let findings = if output.is_seen_at_once() {
            // Whoever reads the output must not see what is not known to be good.
            let mut spool: Box<dyn Spool> = Box::new(spools.create());
            let findings = found.write(&keys, &mut spool)?;
            let content = spool.finish()?;
            if findings.is_some() {
                copy_range(&*content, 0..content.len(), &mut output)?;
            }
            findings
        } else {
            found.write(&keys, &mut output)?
        };
        let Some(findings) = findings else { return Ok(Ended::Answer(50)) };
        output.finish()?;
        if !everywhere.quiet {
            findings.iter().for_each(|finding| eprintln!("kakitome: {}", said(finding)));
        }
        Ok(Ended::Done)
    }
}

/// Where what is encrypted stands.
enum Inside<'a> {
    /// At the root: it is decrypted as it is written.
    Root(Sealed<'a>),
    /// Inside other layers, which were opened to find it.
    Layers(Box<Opened>),
}

impl Inside<'_> {
    /// Writes the decrypted mail, and says what is to be said of it; `None` where there is no key here.
    fn write(&self, keys: &HeldKeys<'_>, to: &mut dyn Write) -> Result<Option<Vec<Finding>>, Failure> {
        match self {
            Self::Root(sealed) => match sealed.write(keys, to)? {
                Opening::Open(decrypted) => Ok(Some(decrypted.findings().to_vec())),
                Opening::NoKey => Ok(closed(&sealed.enveloped.recipients)),
                Opening::Failed(_) => Err(failed()),
                Opening::Refused(finding) => Err(refused(&finding)),
            },
            Self::Layers(mail) => {
                let Some((layer, inner)) = sealed_layer(mail) else {
                    return Err(Failure::unreadable(
                        "this is not an encrypted mail; `kakitome inspect` shows what it is",
                    ));
                };
                match &layer.seal {
                    Seal::Closed => return Ok(closed(&layer.enveloped.recipients)),
                    Seal::Failed(_) => return Err(failed()),
                    Seal::Refused(finding) => return Err(refused(finding)),
                    Seal::Opened { .. } => {}
                }
                let content = inner.and_then(|inner| inner.octets.as_ref());
                let content = content.ok_or_else(|| Failure::bug("an opened layer without its content"))?;
                match mail.form {
                    Form::Mail => {
                        decrypt::write_behind(&mail.structure.root().header, Taken::Composed, None, &**content, to)?
                    }
                    Form::Ber | Form::Pem => copy_range(&**content, 0..content.len(), to)?,
                }
                Ok(Some(layer.findings.clone()))
            }
        }
    }
}

/// The outermost encrypted layer, and what was in it.
fn sealed_layer(mail: &Opened) -> Option<(&SealedLayer, Option<&Opened>)> {
    match &mail.layer {
        Layer::Sealed(layer) => Some((layer, layer.inner.as_deref())),
        _ => sealed_layer(mail.inner()?),
    }
}

fn closed(recipients: &Recipients) -> Option<Vec<Finding>> {
    eprintln!("kakitome: none of these keys opens it; it is for {}", readers(recipients));
    None
}

fn failed() -> Failure {
    Failure::unreadable(
        "it does not decrypt: it was changed or cut off on the way, or encrypted wrongly, or the password is wrong; \
         try another key, or ask the sender for it again",
    )
}

fn refused(finding: &Finding) -> Failure {
    Failure::unreadable(format!("not decrypted: {}", said(finding)))
}

fn said(finding: &Finding) -> String {
    format!("{} ({})", Safe::value(&finding.detail), finding.code)
}

/// For whom a mail is, as far as it says.
fn readers(recipients: &Recipients) -> String {
    let mut named: Vec<String> = Vec::new();
    for info in recipients.iter().flatten().take(NAMED) {
        match &info {
            RecipientInfo::KeyTransport(info) => named.push(reader(&info.recipient)),
            RecipientInfo::KeyAgreement(info) => {
                named.extend(info.keys().flatten().take(NAMED).map(|key| reader(&key.recipient)));
            }
            RecipientInfo::Encapsulation(info) => named.push(reader(&info.recipient)),
            RecipientInfo::HeldKey(info) => named.push(format!("whoever holds the key {}", hex(info.identifier))),
            RecipientInfo::Password(_) => named.push("whoever knows its password".to_owned()),
            RecipientInfo::Other(_) => named.push("a recipient of an unknown kind".to_owned()),
        }
    }
    if recipients.len() > NAMED {
        named.push("others".to_owned());
    }
    if named.is_empty() { "nobody that it names".to_owned() } else { named.join("; ") }
}

fn reader(recipient: &RecipientIdentifier<'_>) -> String {
    match recipient {
        RecipientIdentifier::IssuerAndSerial { issuer, serial } => {
            let issuer = Name::from_der(issuer).map_or_else(|_| "?".to_owned(), |issuer| issuer.to_string());
            format!("certificate {} of {}", hex(serial), Safe::value(&issuer))
        }
        RecipientIdentifier::KeyIdentifier(identifier) => format!("key {}", hex(identifier)),
    }
}
