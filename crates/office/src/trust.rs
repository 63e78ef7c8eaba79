//! Whom this instance believes beside its own CA: the public list that is part of the program, what the operator added to
//! it, and what he took out of it.

use std::sync::LazyLock;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::path::{self, Anchor, AnchorSource};
use kakitome_pki::roots::{Header, Root, RootList, fingerprint};

use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{AnchorRow, DistrustRow, Store, chosen};

/// The roots of Mozilla's program, as NSS has them; made by `cargo xtask roots` (docs/trust.md).
const PUBLIC: &str = include_str!("../data/public-roots.pem");
/// Where each of them begins there, by the key of its name.
static PLACES: &[(u64, u32)] = &include!(concat!(env!("OUT_DIR"), "/places.rs"));

/// What the operator of an instance chose, as a search for a path needs it.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    /// Anchors that he added.
    pub anchors: Vec<Anchor>,
    /// Roots of the public list that he took out, by SHA-256.
    pub distrusted: Vec<[u8; 32]>,
}

/// What the operator of an instance chose, with when and why.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Anchors that he added, the oldest first.
    pub added: Vec<Added>,
    /// Roots of the public list that he took out, the oldest entry first.
    pub distrusted: Vec<Distrusted>,
}

/// An anchor that the operator added.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The certificate, with its conditions.
    pub root: Root,
    /// Why, in his words; may be empty.
    pub note: String,
    /// Since when.
    pub at: Time,
}

/// A root of the public list that the operator took out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrusted {
    /// SHA-256 over its certificate.
    pub fingerprint: [u8; 32],
    /// What the list called it.
    pub name: String,
    /// Why, in his words; may be empty.
    pub note: String,
    /// Since when.
    pub since: Time,
}

/// The built-in list of publicly trusted e-mail roots. Costs nothing before a signature is judged.
pub fn built_in() -> RootList {
    static LIST: LazyLock<RootList> = LazyLock::new(|| RootList::embedded(PUBLIC, PLACES));
    LIST.clone()
}

impl Chosen {
    /// Reads what the operator chose.
    ///
    /// # Errors
    /// The store cannot be read, or holds what cannot be true.
    pub fn read(store: &Store) -> Result<Self, Fault> {
        let added = store.anchors()?.into_iter().map(|row| {
            let certificate = Certificate::parse(&row.certificate)
                .map_err(|malformed| store.damaged(format!("the anchor {}: {malformed}", row.fingerprint)))?;
            let mut root = Root::new(&certificate);
            root.only_for = row.only_for.lines().map(str::to_owned).collect();
            if let Some(limit) = root.only_for.iter().find(|limit| path::mailboxes(limit).is_none()) {
                return Err(store.damaged(format!("the anchor {}: its limit {limit:?} is none", row.fingerprint)));
            }
            root.names_verified = row.names_verified;
            Ok(Added { root, note: row.note, at: row.added_at })
        });
        let distrusted = store.distrusted()?.into_iter().map(|row| {
            let fingerprint = fingerprint(&row.fingerprint)
                .ok_or_else(|| store.damaged(format!("the fingerprint {:?} is none", row.fingerprint)))?;
            Ok(Distrusted { fingerprint, name: row.name, note: row.note, since: row.since })
        });
        Ok(Self { added: added.collect::<Result<_, Fault>>()?, distrusted: distrusted.collect::<Result<_, Fault>>()? })
    }

    /// What a search for a path needs of it.
    pub fn operators(&self) -> Operators {
        let roots = self.added.iter().map(|added| added.root.clone()).collect();
        Operators {
            anchors: RootList::new(Header::default(), roots).anchors(AnchorSource::Operator),
            distrusted: self.distrusted.iter().map(|root| root.fingerprint).collect(),
        }
    }
}

/// Adds an anchor, or gives one that is there these conditions. False if it was there.
///
/// # Errors
/// The store refuses.
pub fn add(store: &Store, actor: &Actor, added: &Added) -> Result<bool, Fault> {
    let row = AnchorRow {
        fingerprint: hex(added.root.fingerprint()),
        certificate: added.root.der().to_vec(),
        only_for: added.root.only_for.join("\n"),
        names_verified: added.root.names_verified,
        note: added.note.clone(),
        added_at: added.at,
    };
    let only = added.root.only_for.join(" ");
    let details = [
        ("name", added.root.name.as_str()),
        ("only for", only.as_str()),
        ("names verified", if added.root.names_verified { "yes" } else { "no" }),
        ("note", added.note.as_str()),
    ];
    store.write(|s| {
        let is_new = chosen::put_anchor(s, &row)?;
        let entry = Entry { actor, act: Act::AnchorAdded, subject: &row.fingerprint, details: &details, at: added.at };
        audit::record(s, &entry)?;
        Ok(is_new)
    })
}

/// Takes an anchor out that was added. False if there is none.
///
/// # Errors
/// The store refuses.
pub fn remove(store: &Store, actor: &Actor, fingerprint: &[u8; 32], now: Time) -> Result<bool, Fault> {
    let subject = &hex(fingerprint);
    store.write(|s| {
        let was_there = chosen::drop_anchor(s, subject)?;
        if was_there {
            audit::record(s, &Entry { actor, act: Act::AnchorRemoved, subject, details: &[], at: now })?;
        }
        Ok(was_there)
    })
}

/// Takes a root out of the public list, also of the lists to come. False if it was out already.
///
/// # Errors
/// The store refuses.
pub fn distrust(store: &Store, actor: &Actor, root: &Distrusted) -> Result<bool, Fault> {
    let row = DistrustRow {
        fingerprint: hex(&root.fingerprint),
        name: root.name.clone(),
        note: root.note.clone(),
        since: root.since,
    };
    let details = [("name", root.name.as_str()), ("note", root.note.as_str())];
    store.write(|s| {
        let was_in = chosen::distrust(s, &row)?;
        if was_in {
            let entry =
                Entry { actor, act: Act::RootDistrusted, subject: &row.fingerprint, details: &details, at: root.since };
            audit::record(s, &entry)?;
        }
        Ok(was_in)
    })
}

/// Lets a root of the public list count again. False if it was not out.
///
/// # Errors
/// The store refuses.
pub fn restore(store: &Store, actor: &Actor, fingerprint: &[u8; 32], now: Time) -> Result<bool, Fault> {
    let subject = &hex(fingerprint);
    store.write(|s| {
        let was_out = chosen::restore(s, subject)?;
        if was_out {
            audit::record(s, &Entry { actor, act: Act::RootRestored, subject, details: &[], at: now })?;
        }
        Ok(was_out)
    })
}

/// How an answer names the issuers that it was judged by: the public list, how many were added here (`+2`), and how many
/// of the list were taken out (`-1`).
pub(crate) fn label(list: &str, added: usize, taken_out: usize) -> String {
    let number = |sign: char, count: usize| if count == 0 { String::new() } else { format!("{sign}{count}") };
    format!("{list}{}{}", number('+', added), number('-', taken_out))
}
