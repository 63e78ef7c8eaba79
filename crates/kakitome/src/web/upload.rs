//! A mail on its way from the browser to the spool, piece by piece: memory does not grow with it.

use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use kakitome_office::spool::FileSpool;
use kakitome_smime::octets::{Octets, Spool};

use super::InstanceInfo;
use super::trouble::Trouble;

/// So much is gathered before it is written, in bytes.
const PIECE: usize = 256 * 1024;
/// A form has at most so many fields; ours have three.
const FIELDS: usize = 8;
/// A number in a form is at most so long, in octets.
const NUMBER: usize = 20;
/// Of a mail beyond the limit, up to this many times the limit is still read and thrown away: a browser shows the
/// answer only after it could send everything.
const DRAIN: u64 = 4;

/// What came.
pub(super) enum Uploaded {
    /// A mail, or a file of mails; and which one of them, where the form says so.
    Mail(Arc<dyn Octets>, Option<u64>),
    /// More than the limit.
    TooBig,
}

/// Reads the mail from a form (a file, whatever its field is called, or the text of `source`), or bare under the labels
/// that programs put on it: `curl --data-binary` calls it a form, and it is none.
pub(super) async fn receive(request: Request<Body>, instance: &InstanceInfo) -> Result<Uploaded, Trouble> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "multipart/form-data" => form(request, instance).await,
        "" | "message/rfc822" | "application/octet-stream" | "text/plain" | "application/x-www-form-urlencoded" => {
            bare(request.into_body(), instance).await
        }
        _ => Err(Trouble::Kind),
    }
}

async fn form(request: Request<Body>, instance: &InstanceInfo) -> Result<Uploaded, Trouble> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Trouble::Broken)?;
    // A browser sends both fields, one of them empty. The first that is not empty is the mail; the rest is read, since
    // otherwise the browser could not finish.
    let (mut uploaded, mut number, mut is_empty) = (None, None, false);
    for _ in 0..FIELDS {
        let Some(mut field) = form.next_field().await.map_err(|_| Trouble::Broken)? else { break };
        if field.name() == Some("number") {
            number = number_in(field).await?.or(number);
            continue;
        }
        let pasted = field.name() == Some("source");
        // a form without a file sends one without a name
        let is_file = field.file_name().is_some_and(|name| !name.is_empty());
        let mut mail = Incoming::new(instance);
        if uploaded.is_some() || !(pasted || field.name() == Some("mail") || field.file_name().is_some()) {
            mail.most = 0;
        }
        while let Some(chunk) = field.chunk().await.map_err(|_| Trouble::Broken)? {
            // what is pasted often begins with empty lines, and no header does
            let skip = if pasted && mail.seen == 0 {
                chunk.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count()
            } else {
                0
            };
            if !mail.push(&chunk.slice(skip..)).await? {
                return Ok(Uploaded::TooBig);
            }
        }
        is_empty |= is_file && mail.seen == 0;
        if uploaded.is_none() && mail.most > 0 && mail.seen > 0 {
            uploaded = Some(mail.finish().await?);
        }
    }
    match uploaded {
        Some(Uploaded::Mail(mail, _)) => Ok(Uploaded::Mail(mail, number)),
        Some(uploaded) => Ok(uploaded),
        None if is_empty => Err(Trouble::Empty),
        None => Err(Trouble::Nothing),
    }
}

/// The number in a field; `None` where it holds none.
async fn number_in(mut field: Field<'_>) -> Result<Option<u64>, Trouble> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| Trouble::Broken)? {
        if text.len().saturating_add(chunk.len()) > NUMBER {
            return Err(Trouble::Broken);
        }
        text.extend_from_slice(&chunk);
    }
    Ok(std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok()))
}

async fn bare(mut body: Body, instance: &InstanceInfo) -> Result<Uploaded, Trouble> {
    let mut mail = Incoming::new(instance);
    while let Some(chunk) = next(&mut body).await.map_err(|_| Trouble::Broken)? {
        if !mail.push(&chunk).await? {
            return Ok(Uploaded::TooBig);
        }
    }
    if mail.seen == 0 { Err(Trouble::Nothing) } else { mail.finish().await }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, axum::Error> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            // trailers are no part of the mail
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => return Ok(Some(chunk)),
                Err(_) => continue,
            },
        }
    }
}

struct Incoming {
    spool: Option<Box<FileSpool>>,
    gathered: Vec<u8>,
    seen: u64,
    most: u64,
    drain: u64,
}

impl Incoming {
    fn new(instance: &InstanceInfo) -> Self {
        Self {
            spool: Some(Box::new(instance.spools.create())),
            gathered: Vec::new(),
            seen: 0,
            most: instance.max_mail,
            drain: instance.max_mail.saturating_mul(DRAIN),
        }
    }

    /// Takes the next piece; false if there is no point in reading on.
    async fn push(&mut self, chunk: &[u8]) -> Result<bool, Trouble> {
        self.seen = self.seen.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if self.seen > self.drain {
            return Ok(false);
        }
        if self.seen > self.most {
            // nothing of it will be looked at any more
            self.spool = None;
            self.gathered = Vec::new();
            return Ok(true);
        }
        self.gathered.extend_from_slice(chunk);
        if self.gathered.len() >= PIECE {
            self.write().await?;
        }
        Ok(true)
    }

    /// Hands what was gathered to the spool, off the threads that serve connections: a disk may take its time.
    async fn write(&mut self) -> Result<(), Trouble> {
        let Some(mut spool) = self.spool.take() else { return Ok(()) };
        let piece = std::mem::take(&mut self.gathered);
        let written = tokio::task::spawn_blocking(move || spool.write_all(&piece).map(|()| spool)).await;
        self.spool = Some(written.map_err(|bug| Trouble::Bug(bug.to_string()))?.map_err(fault)?);
        Ok(())
    }

    async fn finish(mut self) -> Result<Uploaded, Trouble> {
        self.write().await?;
        let Some(spool) = self.spool else { return Ok(Uploaded::TooBig) };
        Ok(Uploaded::Mail(Arc::from(spool.finish().map_err(fault)?), None))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "map_err hands it over by value")]
fn fault(error: std::io::Error) -> Trouble {
    Trouble::Fault(format!("the spool cannot be written: {error}; is the disk of the data directory full?"))
}
