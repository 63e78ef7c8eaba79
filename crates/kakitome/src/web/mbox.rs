//! A file with many mails: the reader is asked which one he means. What he chooses comes with the file once more, so that
//! nothing of it has to be kept here in between.

use std::io::{self, BufWriter, IntoInnerError};
use std::sync::Arc;

use kakitome_smime::mime::mbox::{Entry, Mbox};
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{Octets, Spools, WINDOW};

/// So many mails of a file are offered; those behind them are counted, and can be named by their number.
pub const OFFERED: usize = 500;

/// The mails of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The first [`OFFERED`].
    pub mails: Vec<Offer>,
    /// How many there are.
    pub all: u64,
}

/// A mail to be chosen, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// From, decoded.
    pub from: Option<String>,
    /// Subject, decoded.
    pub subject: Option<String>,
    /// Date, as it stands there.
    pub date: Option<String>,
}

/// What a file holds: one mail, or many.
pub(super) enum Held {
    /// The mail that is to be judged.
    One(Arc<dyn Octets>),
    /// A choice.
    Many(Choice),
    /// It has no mail of that number.
    Absent,
}

/// The mail that is meant: the file itself, where it is no mbox; the only one in it, or the one of that number, the first
/// of which is 1.
///
/// # Errors
/// The spool's.
pub(super) fn choose(file: Arc<dyn Octets>, number: Option<u64>, spools: &dyn Spools) -> io::Result<Held> {
    let Some(mut mbox) = Mbox::new(&*file)? else { return Ok(Held::One(file)) };
    let (mut choice, mut first) = (Choice::default(), None);
    while let Some(entry) = mbox.next_entry()? {
        choice.all = choice.all.saturating_add(1);
        if number == Some(choice.all) {
            return alone(&*file, &entry, spools).map(Held::One);
        }
        if number.is_none() && choice.mails.len() < OFFERED {
            let header = scan_header(&*file, entry.range.clone())?.header;
            let shown = |name| header.display(name);
            choice.mails.push(Offer { from: shown("From"), subject: shown("Subject"), date: shown("Date") });
        }
        if first.is_none() {
            first = Some(entry);
        }
    }
    Ok(match first {
        _ if number.is_some() => Held::Absent,
        Some(entry) if choice.all == 1 => Held::One(alone(&*file, &entry, spools)?),
        _ => Held::Many(choice),
    })
}

/// One mail by itself, as it was before it was put into the file.
fn alone(file: &dyn Octets, entry: &Entry, spools: &dyn Spools) -> io::Result<Arc<dyn Octets>> {
    let mut spool = BufWriter::with_capacity(WINDOW, spools.spool()?);
    entry.write_unquoted(file, &mut spool)?;
    Ok(Arc::from(spool.into_inner().map_err(IntoInnerError::into_error)?.finish()?))
}
