//! `kakitome cert show`: what stands in files of certificates and keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use kakitome_pki::cert::file;
use kakitome_pki::roots::RootList;
use kakitome_verdict::safe::Safe;
use kakitome_verdict::shown::{File, Object, lay_out, needs_password};
use kakitome_verdict::text::shown::{self as text, Options};
use kakitome_verdict::wire::shown as wire;

use super::super::password::Password;
use super::super::{Ended, Everywhere, Failure, output};
use super::{named, octets};

/// Show what stands in certificates, keys and the files around them.
///
/// Reads certificates, requests, revocation lists, OCSP responses, PKCS#7, PKCS#12, private and public keys, in PEM, DER or
/// BER, and tells each by its own form. Names every flaw, and what is weak about how a key is protected. Judges no path (`cert
/// check` does), and never prints a private key: of that it shows the public half. PKCS#12 and encrypted keys are opened
/// where a password is given or can be asked for. Exits with 60 if something in a file cannot be read.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert show partner.pem
  kakitome cert show --json roots.pem
  kakitome cert show --password-file password.txt reader.p12
  kakitome cert show me.pem me.key")]
pub(in crate::cli) struct Show {
    /// The files; standard input if it is `-`
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let mut shown = Vec::new();
        for path in &self.files {
            let name = named(path);
            let octets = octets(path)?;
            let list = if RootList::is_list(&octets) {
                let problem = |problem| Failure::unreadable(format!("{}: {problem}", name.display()));
                Some(RootList::parse(&String::from_utf8_lossy(&octets)).map_err(problem)?)
            } else {
                None
            };
            let found = file::look(&octets);
            let mut others = BTreeMap::new();
            found.others.iter().for_each(|label| *others.entry(label).or_insert(0usize) += 1);
            for (label, count) in others.into_iter().filter(|_| !everywhere.quiet) {
                eprintln!("kakitome: {}: left out: {count} of {}", name.display(), Safe::name(label));
            }
            if found.objects.is_empty() {
                let holds = "holds no certificate, request, revocation list, OCSP response, PKCS#7, PKCS#12 or key";
                let elsewhere = "`kakitome inspect` shows mail and CMS objects";
                return Err(Failure::unreadable(format!("{}: {holds}; {elsewhere}", name.display())));
            }
            let mut objects: Vec<Object> = Vec::new();
            for (kind, block) in &found.objects {
                let password = if needs_password(*kind, block) { self.password.offered(&name)? } else { None };
                objects.push(lay_out(*kind, block, password.as_deref().map(String::as_str)));
            }
            shown.push(File { name: name.display().to_string(), list, objects });
        }
        output::print(&if self.json { wire::files(&shown) } else { printed(&shown, everywhere) })?;
        let unreadable = shown.iter().flat_map(|file| &file.objects).any(Object::is_unreadable);
        Ok(if unreadable { Ended::Unreadable } else { Ended::Done })
    }
}

fn printed(files: &[File], everywhere: &Everywhere) -> String {
    let options = Options { lang: everywhere.lang(), color: output::colours(), columns: output::columns() };
    let mut out = String::new();
    for File { name, list, objects } in files {
        if files.len() > 1 {
            let gap = if out.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}{}:\n", Safe::value(name)));
        }
        if let Some(list) = list {
            out.push_str(&text::list(list, options));
            out.push('\n');
        }
        out.push_str(&text::objects(objects, options));
    }
    out
}
