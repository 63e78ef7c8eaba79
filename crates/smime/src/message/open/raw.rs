//! What comes without a mail around it: CMS objects in BER, DER or PEM, as `smime.p7m` and such are saved.

use std::io::{self, Write};

use super::carrier::begins_as_cms;
use super::{Form, Opened, Opening, Place};
use crate::budget::Budget;
use crate::message::protect::Around;
use crate::mime::encoding::Base64Decoder;
use crate::mime::lines::Lines;
use crate::mime::scan::scan;
use crate::octets::{Octets, Slice, Spools, read_range};

const BEGIN: &[u8] = b"-----BEGIN ";
/// So much text may stand before PEM, in octets.
const TEXT_LIMIT: usize = 64 * 1024;

/// Opens a CMS object that came alone.
pub(super) fn open(
    opening: &Opening<'_>,
    input: &dyn Octets,
    found: Option<Alone<'_>>,
    budget: &Budget,
) -> io::Result<Option<Opened>> {
    let Some(inside) = budget.layer() else { return Ok(None) };
    let Some((form, octets, clean)) = found else { return Ok(None) };
    let structure = scan(input, 0..0)?;
    let around = Around { signed: false, encrypted: false };
    let place =
        Place { octets: input, structure: &structure, hashed: None, outer: None, is_signed: false, around, budget };
    let layer = opening.object(&*octets, clean, &place, &inside)?;
    Ok(Some(Opened { form, octets: None, structure, layer, findings: Vec::new() }))
}

/// A CMS object that came alone: its form, its octets, and whether the form left no doubt about them.
pub(in crate::message) type Alone<'a> = (Form, Box<dyn Octets + 'a>, bool);

/// The CMS object that came alone; `None` where it is none.
pub(in crate::message) fn alone<'a>(input: &'a dyn Octets, spools: &dyn Spools) -> io::Result<Option<Alone<'a>>> {
    let head = read_range(input, 0..input.len(), 64)?;
    if begins_as_cms(&head) {
        return Ok(Some((Form::Ber, Box::new(Slice { octets: input, range: 0..input.len() }), true)));
    }
    if head.trim_ascii_start().starts_with(BEGIN) { armoured(input, spools) } else { Ok(None) }
}

/// The CMS object in PEM that stands below some text (RFC 7468 §5.2). Only what is no mail is asked this.
pub(super) fn below_text<'a>(input: &'a dyn Octets, spools: &dyn Spools) -> io::Result<Option<Alone<'a>>> {
    let head = read_range(input, 0..input.len(), TEXT_LIMIT)?;
    let begins = head.split(|octet| *octet == b'\n').any(|line| line.starts_with(BEGIN));
    if begins { armoured(input, spools) } else { Ok(None) }
}

/// The first block of PEM, decoded. Labels differ (PKCS7, CMS, SIGNED MESSAGE): the content says what it is.
fn armoured<'a>(input: &'a dyn Octets, spools: &dyn Spools) -> io::Result<Option<Alone<'a>>> {
    let mut decoder = Base64Decoder::new(spools.spool()?);
    let mut lines = Lines::new(input, 0..input.len());
    let (mut begun, mut ended) = (false, false);
    while let Some(line) = lines.next_line()? {
        if !begun {
            begun = line.text.starts_with(BEGIN);
        } else if line.text.starts_with(b"-----") {
            ended = true;
            break;
        } else if !(line.first && line.text.contains(&b':')) {
            decoder.write_all(line.text)?;
        }
    }
    let (spool, clean) = decoder.finish()?;
    let octets = spool.finish()?;
    let is_cms = begins_as_cms(&read_range(&*octets, 0..octets.len(), 64)?);
    Ok(is_cms.then_some((Form::Pem, octets, clean && ended)))
}
