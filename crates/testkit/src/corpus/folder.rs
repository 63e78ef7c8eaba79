//! The corpus as a folder for testers of mail programs: the mails, what is known beside each, the answers, and how
//! `kakitome check` is asked for them. In memory; whoever calls writes it.
//!
//! A file that several rows need stands there once, under the name of the first of them.

use std::collections::{BTreeMap, HashMap};

use kakitome_pki::asn1::Oid;
use kakitome_pki::cert::extension::NameConstraints;
use kakitome_pki::cert::name::GeneralName;
use kakitome_pki::cert::{hex, pem};
use kakitome_pki::crypto::{SystemRandom, sha256};
use kakitome_pki::path::revocation::Mode;
use kakitome_pki::path::{Anchor, AnchorSource, Standing};
use kakitome_pki::roots::{Header, Root, Uses, write};
use kakitome_smime::cms::recipient::HeldKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::octets::InMemory;
use serde::Serialize;

use super::{Row, rows};
use crate::{NOW, Pki};

mod about;

pub(super) use about::title;

/// The version of the manifest's form; a field that goes or changes its meaning raises it.
const FORMAT: u32 = 1;

/// Rows for a reader with ML-KEM or by a signer with ML-DSA, for whom the library draws: other octets in every run.
const DRAWN: [&str; 4] = ["A22", "F02e", "F02x", "F13"];

/// What stands before every private key.
const WARNING: &str = "This private key is PUBLISHED: it is part of a test corpus, and anybody has it. Never trust it, and \
                       never encrypt to it, outside of a test.";

const MANIFEST: &str = "manifest.json";

#[derive(Serialize)]
struct Manifest {
    format: u32,
    made_by: &'static str,
    /// The moment that most rows are judged for.
    clock: String,
    warning: &'static str,
    rows: Vec<Entry>,
}

/// One row; the names of the fields are the folder's interface, which its README describes.
#[derive(Serialize)]
struct Entry {
    id: &'static str,
    /// What was done to the mail.
    title: Title,
    file: String,
    sha256: String,
    same_in_every_run: bool,
    state: &'static str,
    code: &'static str,
    changed: &'static str,
    sealed: &'static str,
    notes: Vec<&'static str>,
    exit_code: u8,
    needs: Needs,
    /// The words after `kakitome`, in the folder; none where the command line cannot say what the row needs.
    arguments: Option<Vec<String>>,
    not_by_command: Option<&'static str>,
    /// Where Kakitome knowingly answers otherwise.
    kakitome_answers: Option<Otherwise>,
}

/// What was done to a mail, for readers of either language.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Title {
    pub(super) en: &'static str,
    pub(super) ja: &'static str,
}

#[derive(Serialize)]
struct Otherwise {
    state: &'static str,
    code: &'static str,
    exit_code: u8,
    why: &'static str,
}

/// What is known beside the mail: files of the folder, and the rest in words.
#[derive(Default, Serialize)]
struct Needs {
    at: String,
    public_roots: Option<String>,
    trust: Option<String>,
    own_ca: Option<String>,
    distrusted: Option<String>,
    hints: Option<String>,
    crls: Option<String>,
    ocsp: Option<String>,
    revocation: Option<&'static str>,
    policies: Vec<String>,
    settings: Option<String>,
    delivered: Option<String>,
    readers: Vec<Reader>,
}

#[derive(Serialize)]
struct Reader {
    certificate: String,
    key: String,
}

/// Every file of the folder by its path in it, with `/` between the parts.
pub fn folder() -> BTreeMap<String, Vec<u8>> {
    let mut folder = Folder::default();
    let world = Pki::get();
    // What most rows need, under names that say what it is; and RE alone, for programs that read nothing beside PEM.
    folder.put("pki/public-roots.pem", list(&world.public_anchors()));
    folder.put("pki/public-root-alone.pem", pem::write("CERTIFICATE", world.re.certificate.raw()));
    folder.put("pki/private-root.pem", list(&world.private_anchors()));
    let lists = world.lists();
    folder.put("pki/lists.pem", lists.iter().map(|list| pem::write("X509 CRL", list.raw())).collect::<String>());
    let rows: Vec<Entry> = rows().iter().map(|row| folder.row(row)).collect();
    for (path, text) in about::readmes(&rows) {
        folder.put(path, text);
    }
    let warning = "Private keys of this folder are published. No root of it is to be trusted outside of a test.";
    let made_by = concat!("kakitome ", env!("CARGO_PKG_VERSION"));
    let manifest = Manifest { format: FORMAT, made_by, clock: NOW.to_string(), warning, rows };
    let manifest = serde_json::to_string_pretty(&manifest).expect("text is written as JSON");
    folder.put(MANIFEST, manifest + "\n");
    folder.files
}

#[derive(Default)]
struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    /// Where a content stands that rows share.
    shared: HashMap<Vec<u8>, String>,
}

impl Folder {
    fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        let content = content.into();
        self.shared.entry(content.clone()).or_insert_with(|| path.to_owned());
        let before = self.files.insert(path.to_owned(), content);
        assert!(before.is_none(), "{path} stands twice");
    }

    /// The path of a file with this content: one that is there, else this new one.
    fn share(&mut self, path: String, content: String) -> String {
        match self.shared.get(content.as_bytes()) {
            Some(path) => path.clone(),
            None => {
                self.put(&path, content);
                path
            }
        }
    }

    /// The same, unless there is nothing to say.
    fn share_any(&mut self, path: String, content: String) -> Option<String> {
        (!content.is_empty()).then(|| self.share(path, content))
    }

    fn row(&mut self, row: &'static Row) -> Entry {
        let file = format!("mails/{}.{}", row.id, extension(row));
        // Not shared: a mail has the name of its row, even where two are alike.
        let before = self.files.insert(file.clone(), row.mail.clone());
        assert!(before.is_none(), "{file} stands twice");
        let needs = self.needs(row);
        let not_by_command = not_by_command(row);
        Entry {
            id: row.id,
            title: title(row.id),
            sha256: hex(&sha256(&row.mail)),
            same_in_every_run: !DRAWN.contains(&row.id),
            state: row.state,
            code: row.code,
            changed: row.changed,
            sealed: row.sealed,
            notes: row.notes.clone(),
            exit_code: exit_code(row.state),
            arguments: not_by_command.is_none().then(|| arguments(&needs, &file)),
            not_by_command,
            kakitome_answers: row.exception().map(|exception| Otherwise {
                state: exception.state,
                code: exception.code,
                exit_code: exit_code(exception.state),
                why: exception.why,
            }),
            file,
            needs,
        }
    }

    fn needs(&mut self, row: &Row) -> Needs {
        let (id, given) = (row.id, &row.given);
        let anchors = |wanted: &dyn Fn(&Anchor) -> bool| -> String {
            let chosen: Vec<Anchor> = given.anchors.iter().filter(|anchor| wanted(anchor)).cloned().collect();
            if chosen.is_empty() { String::new() } else { list(&chosen) }
        };
        let is_out = |anchor: &Anchor| matches!(anchor.standing, Standing::Distrusted);
        let from = |source: AnchorSource| move |anchor: &Anchor| anchor.source == source && !is_out(anchor);
        let blocks = |label, ders: Vec<&[u8]>| ders.iter().map(|der| pem::write(label, der)).collect::<String>();
        let certificates = blocks("CERTIFICATE", given.hints.iter().map(|hint| hint.raw()).collect());
        let lists = blocks("X509 CRL", given.crls.iter().map(|list| list.raw()).collect());
        let responses = blocks("OCSP RESPONSE", given.responses.iter().map(Vec::as_slice).collect());
        let mut readers = Vec::new();
        for (key, number) in row.keys.iter().zip(1..) {
            let name = if number == 1 { id.to_owned() } else { format!("{id}-{number}") };
            let certificate = pem::write("CERTIFICATE", key.certificate.raw());
            let private = format!("{WARNING}\n{}", pem::write(key_label(&key.der), &key.der));
            readers.push(Reader {
                certificate: self.share(format!("pki/readers/{name}.pem"), certificate),
                key: self.share(format!("pki/readers/{name}.key"), private),
            });
        }
        Needs {
            at: given.at.to_string(),
            public_roots: self
                .share_any(format!("pki/public-roots-{id}.pem"), anchors(&from(AnchorSource::PublicList))),
            trust: self.share_any(format!("pki/trust-{id}.pem"), anchors(&from(AnchorSource::User))),
            own_ca: self.share_any(format!("pki/own-ca-{id}.pem"), anchors(&from(AnchorSource::OwnCa))),
            distrusted: self.share_any(format!("pki/distrusted-{id}.pem"), anchors(&is_out)),
            hints: self.share_any(format!("pki/hints-{id}.pem"), certificates),
            crls: self.share_any(format!("pki/lists-{id}.pem"), lists),
            ocsp: self.share_any(format!("pki/ocsp-{id}.pem"), responses),
            revocation: given.revocation.map(mode),
            policies: given.policies.iter().map(Oid::to_string).collect(),
            settings: self.settings(row),
            delivered: given.delivered.map(|at| at.to_string()),
            readers,
        }
    }

    /// The settings file of a row, and the log that it names.
    fn settings(&mut self, row: &Row) -> Option<String> {
        let mut settings = row.given.settings.trim_start().to_owned();
        if let Some(at) = row.given.delivered {
            let log = format!("{at} {}\n", hex(&signature(row)));
            let log = self.share(format!("settings/{}.log", row.id), log);
            if settings.is_empty() {
                settings.push_str("[check]\n");
            }
            settings.push_str(&format!("delivery_log = \"{log}\"\n"));
        }
        self.share_any(format!("settings/{}.toml", row.id), settings)
    }
}

/// How a program that answers so ends, as `kakitome check` does.
fn exit_code(state: &str) -> u8 {
    match state {
        "NOT_SIGNED" => 20,
        "ALTERED" | "FAKE_SIGNATURE" | "REVOKED" | "SIGNER_DIFFERS" | "LOOKALIKE" | "EXPECTED_SIGNATURE_MISSING" => 40,
        "SEALED" => 50,
        "NOT_A_MAIL" | "TOO_BIG" => 60,
        _ if state.ends_with("_CONFIRMED") => 0,
        _ => 30,
    }
}

/// What a mail is called: one that is none, and is something else, by what it is.
fn extension(row: &Row) -> &'static str {
    match &row.mail {
        mail if mail.starts_with(b"\xd0\xcf\x11\xe0") => "msg",
        mail if mail.starts_with(b"<!DOCTYPE html>") => "html",
        mail if row.state == "NOT_A_MAIL" && !mail.trim_ascii().is_empty() => "txt",
        _ => "eml",
    }
}

/// Why the command line cannot ask about this row.
fn not_by_command(row: &Row) -> Option<&'static str> {
    let given = &row.given;
    let any = |wanted: fn(&Anchor) -> bool| given.anchors.iter().any(wanted);
    if !given.hints.is_empty() {
        Some(
            "certificates that may help to build a path are given by callers of the library; the program has them from the mail or a fetch",
        )
    } else if any(|anchor| anchor.source == AnchorSource::OwnCa) {
        Some("the anchor is that of an own CA, which stands in a data directory")
    } else if any(|anchor| anchor.source == AnchorSource::Operator || anchor.standing == Standing::Distrusted) {
        Some("the operator's choice about the root stands in a data directory (kakitome trust)")
    } else {
        None
    }
}

fn arguments(needs: &Needs, file: &str) -> Vec<String> {
    let mut words: Vec<&str> = vec!["check", "--json", "--offline", "--at", &needs.at];
    let files = [
        ("--public-roots", &needs.public_roots),
        ("--trust", &needs.trust),
        ("--crl", &needs.crls),
        ("--ocsp", &needs.ocsp),
        ("--config", &needs.settings),
    ];
    for (option, file) in files {
        words.extend(file.iter().flat_map(|file| [option, file.as_str()]));
    }
    words.extend(needs.revocation.iter().flat_map(|mode| ["--revocation", mode]));
    words.extend(needs.policies.iter().flat_map(|policy| ["--policy", policy]));
    if !needs.policies.is_empty() {
        words.push("--explicit-policy");
    }
    for reader in &needs.readers {
        words.extend(["--cert", &reader.certificate, "--key", &reader.key]);
    }
    words.push(file);
    words.into_iter().map(str::to_owned).collect()
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Require => "require",
        Mode::Offered => "offered",
        Mode::Off => "off",
    }
}

/// Anchors in the form of `pki::roots`: PEM, with what limits each before it.
fn list(anchors: &[Anchor]) -> String {
    let roots: Vec<Root> = anchors.iter().map(root).collect();
    let header = Header { name: "kakitome-corpus".to_owned(), date: Some(NOW), ..Header::default() };
    write(&header, &["Roots of a test corpus. Never trust them outside of a test."], &roots)
}

fn root(anchor: &Anchor) -> Root {
    let mut root = Root::new(&anchor.certificate);
    let is_for_mail = anchor.standing != Standing::NotForEmail;
    root.uses = Uses { email: is_for_mail, tls: !is_for_mail };
    root.distrust_after = anchor.distrust_after;
    root.only_for = limits(&anchor.limits);
    root.names_verified = anchor.names_verified;
    root
}

/// Limits as a list of roots has them; the rows have no others.
fn limits(limits: &NameConstraints) -> Vec<String> {
    assert!(limits.excluded.is_empty(), "a list of roots cannot exclude");
    let text = |name: &GeneralName| match name {
        GeneralName::Mailbox(base) => base.clone(),
        other => panic!("a list of roots cannot be limited to {other}"),
    };
    limits.permitted.iter().map(text).collect()
}

/// PKCS#8 begins with its version and an algorithm, SEC 1 with its version and the key (RFC 5915).
fn key_label(der: &[u8]) -> &'static str {
    const SEC1: [u8; 4] = [0x02, 0x01, 0x01, 0x04];
    let body = if der.get(1).is_some_and(|length| *length >= 0x80) { 3 } else { 2 };
    if der.get(body..).is_some_and(|body| body.starts_with(&SEC1)) { "EC PRIVATE KEY" } else { "PRIVATE KEY" }
}

/// The hash by which a log of deliveries names a mail: that of its first signature.
fn signature(row: &Row) -> [u8; 32] {
    let opened = open(&row.mail, &InMemory, &HeldKeys::new(&SystemRandom)).expect("memory is read");
    let Layer::Signed(layer) = &opened.layer else { panic!("{}: what was delivered is not signed", row.id) };
    sha256(&layer.signed.signers.first().expect("a signer").signature)
}
