//! `kakitome verify`: for pipelines, the signed content and nothing else.

use std::path::PathBuf;

use clap::Args;
use kakitome_office::evidence;
use kakitome_pki::address::Address;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{self, Layer, Opened};
use kakitome_smime::octets::Octets;
use kakitome_verdict::sender::Signer;
use kakitome_verdict::state::Outcome;
use kakitome_verdict::text;

use super::output::Output;
use super::trust::Trust;
use super::{Ended, Everywhere, Failure, input};

/// Give out what was signed, only if signature, issuer and From are good.
///
/// Writes the signed content (a MIME part with CRLF line ends) and exits with 0 only if everything was found good;
/// otherwise writes nothing, says why on standard error, and exits with 40 (contradicted), 60 (no mail) or 30 (all else).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome verify --trust partner-ca.pem mail.eml
  kakitome verify --trust partner-ca.pem -o content.mime mail.eml
  kakitome verify --email billing@partner.example --trust partner-ca.pem mail.eml")]
pub(super) struct Verify {
    /// The mail, as a file in .eml form; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// Do not compare the signer with From
    #[arg(long, conflicts_with = "email")]
    any_signer: bool,
    /// Ask for this signer, whatever From says
    #[arg(long, value_name = "ADDR", value_parser = address)]
    email: Option<Address>,
    /// Write the content to this file, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|refused| refused.to_string())
}

impl Verify {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let signer = match (&self.email, self.any_signer) {
            (Some(address), _) => Signer::Address(address.clone()),
            (None, true) => Signer::Anybody,
            (None, false) => Signer::From,
        };
        let evidence = self.trust.evidence(everywhere, signer)?;
        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let opened = open::open(&*mail, &spools, &NoKeys)?;
        let judgement = evidence::judged(&opened, &evidence, self.trust.outside(everywhere)?.as_ref());
        let answer = &judgement.answer;
        // The proof, not the state, opens the door.
        if judgement.confirmed.is_none() {
            let lang = everywhere.lang();
            let reason = answer.reasons.first().map_or("", |reason| reason.code());
            eprintln!("kakitome: {} ({} {reason})", text::headline(answer, lang), answer.state.name());
            return Ok(Ended::Answer(match answer.state.outcome() {
                Outcome::Contradicted => 40,
                Outcome::Unreadable => 60,
                Outcome::Confirmed(_) | Outcome::NotSigned | Outcome::NotConfirmed | Outcome::Sealed => 30,
            }));
        }
        // Compression around the signature protects nothing, and is not in its way (RFC 8551 §3.6).
        let (mut octets, mut opened): (&dyn Octets, &Opened) = (&*mail, &opened);
        while let (Layer::Compressed(_), Some(inner)) = (&opened.layer, opened.inner()) {
            (octets, opened) = (inner.octets.as_deref().unwrap_or(octets), inner);
        }
        let Layer::Signed(layer) = &opened.layer else {
            return Err(Failure::bug("a confirmed sender without a signature"));
        };
        let mut output = Output::open(self.output.as_deref())?;
        layer.write_content(octets, &opened.structure, &mut output)?;
        output.finish()?;
        Ok(Ended::Done)
    }
}
