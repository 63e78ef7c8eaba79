//! `kakitome inspect`: what stands in a message, layer by layer, without a judgement.

mod show;
mod tree;

use std::path::{Path, PathBuf};

use clap::Args;
use kakitome_smime::message::report;
use kakitome_verdict::safe;

use self::tree::{Canvas, Tone};
use super::keys::Keys;
use super::{Ended, Everywhere, Failure, input, output};

/// Show the parts and layers of a mail or a CMS object.
///
/// Lays out the MIME tree and every CMS layer: signers, recipients, algorithms, certificates, byte ranges, and what is
/// odd. Takes a mail or a CMS object alone (.p7m, .p7s, .p7c, .p7z) in DER, BER or PEM, and opens what the given keys
/// open. Says whether digests and signatures are right, and never whom to trust: that is what `check` is for.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome inspect mail.eml
  kakitome inspect --json mail.eml
  kakitome inspect smime.p7m
  kakitome inspect --cert reader.pem --key reader.key sealed.eml")]
pub(super) struct Inspect {
    /// The mail or CMS object; standard input if it is not given, or `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same for programs, as versioned JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: Keys,
}

/// Lines are not made longer than this, however wide the terminal is.
const WIDEST: usize = 120;

impl Inspect {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let keys = self.keys.held()?;
        let spools = input::spools(everywhere, None)?;
        let file = input::mail(self.file.as_deref(), everywhere, &spools)?;
        let report = report::report(&*file, &spools, &keys)?;
        drop(file);
        output::print(&if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(Failure::bug)?;
            format!("{}\n", safe::json(&text))
        } else {
            let name = self.file.as_deref().filter(|path| *path != Path::new("-"));
            let name = name.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
            let mut canvas =
                Canvas { width: output::columns().min(WIDEST), color: output::colours(), out: String::new() };
            canvas.draw(&show::tree(&report, &name), "", "");
            canvas.out.push('\n');
            canvas.piece(Tone::Faint, "Nothing here says whom to trust: «kakitome check» does.");
            canvas.out.push('\n');
            canvas.out
        })?;
        Ok(if report.readable { Ended::Done } else { Ended::Unreadable })
    }
}
