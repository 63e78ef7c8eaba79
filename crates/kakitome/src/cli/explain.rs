//! `kakitome explain`: what the policy makes of a mail, or of many stored ones, without sending anything.

mod copies;
mod says;
mod wire;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use kakitome_office::authority::{Listed, certificates};
use kakitome_office::directory::{Directory, Terms};
use kakitome_office::members::Joining;
use kakitome_office::outgoing::{Certificates, NoCertificates, rehearse};
use kakitome_office::policy::origin::ClientCertificate;
use kakitome_office::policy::{Origin, Plan, Policy, Submission};
use kakitome_office::remembered::Remembered;
use kakitome_office::store::Store;
use kakitome_pki::address::Address;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::open;
use kakitome_smime::mime::address::mailboxes;
use kakitome_smime::mime::header::Header;
use kakitome_smime::mime::mbox::Mbox;
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{Octets, Spools, copy_range};
use kakitome_verdict::content;
use kakitome_verdict::lang::Lang;

use super::{Ended, Everywhere, Failure, config, input, output, trust};

/// Say what the gateway would make of a mail: which rule, which certificate, what would leave.
///
/// The mail is treated as if it had come in by an outbound listener, by the same policy; nothing is signed, made or sent,
/// and the store is only read. Who handed it in is given by options; a login that stands in the mail's topmost Received
/// field is read from there, as the gateway does.
///
/// Give a directory or, with --mbox, a file of many mails to rehearse a policy on stored mail: each gets a line, and a
/// summary follows.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome explain mail.eml --from me@example.com --to you@example.net
  kakitome explain mail.eml --to you@example.net --login me --client 192.0.2.7 --json
  kakitome explain --config kakitome.toml newsletters
  kakitome explain --config kakitome.toml --mbox outbox.mbox")]
pub(super) struct Explain {
    /// The mail, as a file in .eml form, or a directory of them; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// The sender of the envelope; empty for the null sender of bounces
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// A recipient of the envelope; those of To, Cc and Bcc if none is given
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// The login under which it was handed in
    #[arg(long, value_name = "NAME")]
    login: Option<String>,
    /// The address of the client that handed it in
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// The class of the listener that it came in by
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// The common name in the client's certificate
    #[arg(long, value_name = "NAME", requires = "issuer")]
    certificate: Option<String>,
    /// The common name of that certificate's issuer
    #[arg(long, value_name = "NAME", requires = "certificate")]
    issuer: Option<String>,
    /// The mail is an mbox: rehearse every mail in it
    #[arg(long)]
    mbox: bool,
    /// For programs: one JSON object a line for each mail
    #[arg(long)]
    json: bool,
}

/// What is said of one mail.
pub(super) struct Explained<'a> {
    name: &'a str,
    /// How long it is, in octets.
    size: u64,
    plan: &'a Plan<'a>,
    /// The author's certificates, where it is to be signed.
    certificates: Option<&'a [Listed]>,
    /// Is something of its header taken out before it leaves: the intent, a tag, Bcc?
    is_stripped: bool,
    /// What opens with a password, by code.
    remarks: &'a [&'static str],
}

/// What is the same for all mails.
struct Desk<'a> {
    explain: &'a Explain,
    policy: Policy,
    /// Who may come into the roll by a mail.
    joining: Joining,
    store: Option<Arc<Store>>,
    certificates: Box<dyn Certificates>,
    lang: Lang,
    /// One of many: a line for each.
    many: bool,
    /// How often each outcome came, by its words.
    tally: BTreeMap<String, u64>,
}

impl Explain {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let settings = config::load(everywhere)?;
        let directory = self.mail.as_deref().filter(|path| path.is_dir());
        let store = everywhere.store_read_only()?.map(Arc::new);
        let terms = Terms { choice: trust::expected(&settings.check), ..Terms::default() };
        let certificates: Box<dyn Certificates> = match &store {
            Some(store) => Box::new(Directory::judging(Arc::clone(store), terms)),
            None => Box::new(NoCertificates),
        };
        let mut desk = Desk {
            explain: self,
            policy: settings.policy(),
            joining: settings.members.joining(),
            store,
            certificates,
            lang: everywhere.lang(),
            many: self.mbox || directory.is_some(),
            tally: BTreeMap::new(),
        };
        if let Some(directory) = directory {
            for file in input::files(directory)? {
                let spools = input::spools(everywhere, None)?;
                desk.explain(&file.display().to_string(), &*input::mail(Some(&file), everywhere, &spools)?, &spools)?;
            }
        } else {
            let spools = input::spools(everywhere, None)?;
            let octets = input::mail(self.mail.as_deref(), everywhere, &spools)?;
            let name = self.mail.as_deref().unwrap_or(Path::new("-")).display().to_string();
            if self.mbox {
                let mut mbox = Mbox::new(&*octets)?.ok_or_else(|| {
                    Failure::unreadable("not an mbox: its first line does not begin with \"From \"; leave out --mbox")
                })?;
                let mut number = 0u64;
                while let Some(entry) = mbox.next_entry()? {
                    number = number.saturating_add(1);
                    let mut spool = spools.spool()?;
                    entry.write_unquoted(&*octets, &mut spool)?;
                    desk.explain(&format!("{name}, {number}"), &*spool.finish()?, &spools)?;
                }
            } else {
                desk.explain(&name, &*octets, &spools)?;
            }
        }
        desk.end()
    }
}

impl Desk<'_> {
    fn explain(&mut self, name: &str, mail: &dyn Octets, spools: &dyn Spools) -> Result<(), Failure> {
        let explain = self.explain;
        let recipients = if explain.to.is_empty() { recipients(mail)? } else { explain.to.clone() };
        let certificate = explain.certificate.clone().zip(explain.issuer.clone());
        let root = scan_header(mail, 0..mail.len())?;
        let submission = Submission {
            has_null_sender: explain.from.as_deref().is_some_and(|from| matches!(from, "" | "<>")),
            recipients: &recipients,
            origin: Origin {
                class: explain.class.clone(),
                client: explain.client,
                login: explain.login.clone(),
                certificate: certificate.map(|(name, issuer)| ClientCertificate { name, issuer }),
                ..Origin::default()
            },
            wish: self.policy.wish(&root),
            quotes_opened: self.quotes_opened(&root.header)?,
            mail_id: "",
        };
        let stripped = match self.policy.stripped(mail, &root)? {
            None => None,
            Some(head) => {
                let mut spool = spools.spool()?;
                spool.write_all(&head)?;
                copy_range(mail, root.body.start..mail.len(), &mut spool)?;
                Some(spool.finish()?)
            }
        };
        let left = stripped.as_deref().unwrap_or(mail);
        let now = input::now();
        let mut find = |address: &Address| self.certificates.find(address, now).map_err(Failure::from);
        let mut plan = self.policy.plan(left, &submission, spools, &mut find)?;
        rehearse(self.store.as_ref(), self.joining, &mut plan, now)?;
        let signs = plan.signings.first().filter(|_| plan.copies.iter().any(|copy| copy.signing.is_ok()));
        let listed = match (signs, &self.store) {
            (Some(ready), Some(store)) => Some(certificates(store, &ready.author, now)?),
            (Some(_), None) => Some(Vec::new()),
            (None, _) => None,
        };
        let explained = Explained {
            name,
            size: left.len(),
            plan: &plan,
            certificates: listed.as_deref(),
            is_stripped: stripped.is_some(),
            remarks: &remarks(left, spools)?,
        };
        let outcome = says::outcome(&plan, self.lang);
        if explain.json {
            output::print(&wire::line(&explained))?;
        } else if self.many {
            output::print(&says::line(&explained, self.lang))?;
        } else {
            output::print(&says::whole(&explained, self.lang))?;
        }
        let count = self.tally.entry(outcome).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }

    /// Is it about a mail that was opened here? Then it is encrypted wherever it can be.
    fn quotes_opened(&self, header: &Header) -> Result<bool, Failure> {
        let Some(store) = &self.store else { return Ok(false) };
        let remembered = Remembered::new(Arc::clone(store), Arc::new(SystemRandom));
        Ok(remembered.relation(header, input::now())?.is_some())
    }

    fn end(self) -> Result<Ended, Failure> {
        if self.many && !self.explain.json {
            output::print(&says::summary(&self.tally, self.lang))?;
        }
        Ok(Ended::Done)
    }
}

/// What of a mail opens with a password, by code.
fn remarks(mail: &dyn Octets, spools: &dyn Spools) -> Result<Vec<&'static str>, Failure> {
    let opened = open(mail, spools, &NoKeys)?;
    let mut codes: Vec<&'static str> = content::examine(mail, &opened)?.iter().map(|finding| finding.code).collect();
    codes.retain(|code| code.starts_with("ppap."));
    codes.dedup();
    Ok(codes)
}

/// The addresses in To, Cc and Bcc; a field that cannot be read names nobody.
fn recipients(mail: &dyn Octets) -> Result<Vec<String>, Failure> {
    let header = scan_header(mail, 0..mail.len())?.header;
    let fields = ["To", "Cc", "Bcc"].into_iter().flat_map(|name| header.all(name));
    let read = fields.filter_map(|field| mailboxes(header.value(field)).ok());
    Ok(read.flatten().map(|mailbox| mailbox.address).collect())
}
