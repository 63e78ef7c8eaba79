//! `kakitome sign`: one mail or many, with a certificate and key in files.

mod batch;
mod mbox;
mod tally;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kakitome_office::evidence::{Identity, Unusable};
use kakitome_pki::address::{Address, Match};
use kakitome_pki::algorithm::Digest;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{SigningKey, SystemRandom};
use kakitome_smime::cms::write::{NotWritten, Signer};
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::message::protect::Cover;
use kakitome_smime::message::sign::{Asked, Draft, Form};
use kakitome_smime::mime::address;
use kakitome_smime::octets::Octets;

use super::output::Output;
use super::password::Password;
use super::{Ended, Everywhere, Failure, input};

/// Sign mail with a certificate and key in files.
///
/// The certificate file may hold the intermediates too; they travel with the signature, the root does not. The mail's
/// own bytes stay as they are; only its Content-* fields move into the signed part.
///
/// Many mails are signed with one start, by all cores: give several files, a directory (its files in the order of their
/// names), or their names with --files-from, and a directory for what comes out with --output-dir, where each mail has
/// its own name again; or give one mbox with --mbox. Each mail comes out whole or not at all. One that cannot be signed
/// is named on standard error, does not stop the others, and is not among what comes out; then the exit code is 60.
///
/// An mbox is read in the form mboxrd: a line that begins with "From " behind an empty line begins a mail, and lines
/// like ">From " inside lose one ">". It is written in the same form and order.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome sign --cert me.pem --key me.key -o signed.eml mail.eml
  kakitome sign --cert me.pem --key me.key --opaque mail.eml
  kakitome sign --cert me.pem --key me.key --digest sha512 --output-dir signed 1.eml 2.eml
  kakitome sign --p12 me.p12 --password-file password.txt -o signed.eml mail.eml
  kakitome sign --cert me.pem --key me.key --wrap -o wrapped.eml sealed.eml
  kakitome sign --cert me.pem --key me.key --output-dir signed newsletters
  kakitome sign --cert me.pem --key me.key --output-dir signed --json --files-from names.txt
  kakitome sign --cert me.pem --key me.key --mbox -o signed.mbox outbox.mbox")]
pub(super) struct Sign {
    /// The mails, as files in .eml form, or a directory of them; standard input if none is given, or `-`
    #[arg(value_name = "MAIL")]
    mails: Vec<PathBuf>,
    /// Put the mail into the signature (application/pkcs7-mime) instead of beside it
    #[arg(long)]
    opaque: bool,
    /// Sign what is signed or encrypted already, as the outer layer around it (RFC 2634 triple wrapping)
    #[arg(long)]
    wrap: bool,
    /// The digest; the key's own if it is not given
    #[arg(long, value_name = "NAME")]
    digest: Option<DigestName>,
    /// Sign by RSASSA-PSS instead of PKCS#1 v1.5 (RSA keys alone; some old mail programs cannot read it)
    #[arg(long)]
    pss: bool,
    /// Write the signed mail to this file, whole or not at all
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["output_dir", "files_from"])]
    output: Option<PathBuf>,
    /// Write each signed mail into this directory, under its own name
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Read the names of the mails from this file, or from standard input for `-`; a NUL ends each, as in find -print0
    #[arg(long, value_name = "FILE", requires = "output_dir", conflicts_with = "mails")]
    files_from: Option<PathBuf>,
    /// The mail is an mbox: sign every mail in it, and write an mbox
    #[arg(long, conflicts_with_all = ["output_dir", "files_from"])]
    mbox: bool,
    /// Tell of each of many mails on standard output, one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    by: By,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DigestName {
    Sha256,
    Sha384,
    Sha512,
}

impl Sign {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let desk = self.desk(everywhere)?;
        if self.mbox {
            let [mbox] = self.one()?;
            return mbox::run(&desk, mbox, self.output.as_deref(), self.json, everywhere);
        }
        match (&self.output_dir, &self.files_from) {
            (Some(directory), Some(names)) => batch::run(&desk, batch::named(names)?, directory, self.json, everywhere),
            (Some(directory), None) => batch::run(&desk, batch::given(&self.mails)?, directory, self.json, everywhere),
            (None, _) => self.single(&desk, everywhere),
        }
    }

    /// One mail.
    fn single(&self, desk: &Desk, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let [path] = self.one()?;
        if path.is_some_and(Path::is_dir) {
            return Err(Failure::usage("a directory of mails needs --output-dir for what comes out"));
        }
        if self.json {
            return Err(Failure::usage("--json tells of many mails; one is written to standard output or -o"));
        }
        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(path, everywhere, &spools)?;
        let draft =
            desk.draft(&*mail)?.map_err(|unsignable| Failure::unreadable(format!("not signed: {unsignable}")))?;
        if !everywhere.quiet
            && let Some(warning) = desk.warning(&draft)
        {
            eprintln!("kakitome: {warning}");
        }
        let ready = desk.sign(&draft)?;
        let mut output = Output::open(self.output.as_deref())?;
        ready.write(&mut output)?;
        output.finish()?;
        Ok(Ended::Done)
    }

    /// The one mail, or standard input.
    fn one(&self) -> Result<[Option<&Path>; 1], Failure> {
        match self.mails.as_slice() {
            [] => Ok([None]),
            [one] => Ok([Some(one)]),
            _ => Err(Failure::usage("several mails need --output-dir for what comes out")),
        }
    }

    fn desk(&self, everywhere: &Everywhere) -> Result<Desk, Failure> {
        let identity = self.by.identity()?;
        let digest = self.digest.map(|name| match name {
            DigestName::Sha256 => Digest::Sha256,
            DigestName::Sha384 => Digest::Sha384,
            DigestName::Sha512 => Digest::Sha512,
        });
        let form = if self.opaque { Form::Opaque } else { Form::Clear };
        let desk = Desk::new(identity, digest, self.pss, form)?;
        Ok(Desk { wrap: self.wrap, quiet: everywhere.quiet, ..desk })
    }
}

/// Who signs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signer")]
pub(super) struct By {
    /// The signer's certificate, intermediates behind it (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "p12")]
    cert: Option<PathBuf>,
    /// The private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; PKCS#8 may be under a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Certificate, intermediates and key in one PKCS#12 file
    #[arg(long, value_name = "FILE")]
    p12: Option<PathBuf>,
    #[command(flatten)]
    password: Password,
}

impl By {
    /// Is anybody named?
    pub(super) const fn is_given(&self) -> bool {
        self.cert.is_some() || self.p12.is_some()
    }

    /// The signer, from the files that were named.
    pub(super) fn identity(&self) -> Result<Identity, Failure> {
        match (&self.cert, &self.key, &self.p12) {
            (Some(cert), Some(key), _) => match Identity::from_files(cert, key, None) {
                Err(Unusable::NeedsPassword { .. }) => {
                    Ok(Identity::from_files(cert, key, Some(&self.password.of(key)?))?)
                }
                identity => Ok(identity?),
            },
            (_, _, Some(p12)) => Ok(Identity::from_pkcs12(p12, &self.password.of(p12)?)?),
            _ => Err(Failure::usage("who signs? Give --cert and --key, or --p12")),
        }
    }
}

/// Where mails are signed: the signer, his key, and how he wants it. Many threads may sign at one.
pub(super) struct Desk {
    certificate: Certificate,
    key: SigningKey,
    signer: Signer,
    form: Form,
    wrap: bool,
    quiet: bool,
}

impl Desk {
    /// `digest`: the key's own if it is not given.
    pub(super) fn new(identity: Identity, digest: Option<Digest>, pss: bool, form: Form) -> Result<Self, Failure> {
        let Identity { signer: certificate, chain, key } = identity;
        let digest = digest.or(key.algorithm().digest()).unwrap_or(Digest::Sha512);
        let algorithm = if pss { key.pss(digest) } else { key.algorithm_with(digest) };
        let algorithm = algorithm.ok_or_else(|| {
            let (kind, pss) = (certificate.key().describe(), if pss { " by RSASSA-PSS" } else { "" });
            Failure::usage(format!("this key ({kind}) does not sign{pss} with {}", digest.name()))
        })?;
        let signer = Signer::new(&certificate, &chain, algorithm, digest)
            .map_err(|NotWritten| Failure::bug("an algorithm that is not written"))?;
        Ok(Self { certificate, key, signer, form, wrap: false, quiet: false })
    }

    /// Signs a mail that will be encrypted, under this cover.
    pub(super) fn sign_covered(
        &self,
        mail: &dyn Octets,
        cover: Cover,
        quiet: bool,
        to: &mut dyn Write,
    ) -> Result<(), Failure> {
        let draft = Draft::expecting(mail, cover, self.signer.digest())?
            .map_err(|unsignable| Failure::unreadable(format!("not signed: {unsignable}")))?;
        if !quiet && let Some(warning) = self.warning(&draft) {
            eprintln!("kakitome: {warning}");
        }
        Ok(self.sign(&draft)?.write(to)?)
    }

    fn draft<'a>(&self, mail: &'a dyn Octets) -> Result<Result<Draft<'a>, Unsignable>, Failure> {
        let draft = |cover| Draft::expecting(mail, cover, self.signer.digest());
        Ok(match draft(Cover::Clear)? {
            Err(Unsignable::AlreadyProtected) if self.wrap => draft(Cover::Layer)?,
            drafted => drafted,
        })
    }

    fn sign<'s>(&'s self, draft: &'s Draft<'s>) -> Result<Ready<'s>, Failure> {
        let asked = draft.request(&self.signer, draft.signing_time(input::now()))?;
        let signature = self.key.sign(asked.algorithm(), asked.octets()).map_err(Failure::bug)?;
        Ok(Ready { asked, signature, form: self.form })
    }

    /// A mail program will call a signature foreign that is not From's: better said now.
    fn warning(&self, draft: &Draft<'_>) -> Option<String> {
        let from = address::author(draft.header()).ok().and_then(|from| Address::parse(&from.address).ok());
        let Some(from) = from else {
            let what = "the mail's From is not one address; readers will not be able to confirm the sender";
            return Some(what.to_owned());
        };
        let fits = |mailbox: &str| Address::parse(mailbox).is_ok_and(|mailbox| mailbox.matches(&from) != Match::No);
        let told = || format!("the certificate is not for {from}; readers will see that somebody else signed");
        (!self.certificate.extensions().mailboxes().any(fits)).then(told)
    }
}

/// A mail with its signature, to be written.
struct Ready<'s> {
    asked: Asked<'s>,
    signature: Vec<u8>,
    form: Form,
}

impl Ready<'_> {
    fn write(&self, to: &mut dyn Write) -> std::io::Result<()> {
        self.asked.write(self.form, &self.signature, &SystemRandom, to)
    }
}
