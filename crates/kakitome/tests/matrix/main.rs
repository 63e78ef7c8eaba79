//! Interoperability in both directions: every algorithm before every peer, we make – they read, they make – we read.
//!
//! What comes out is the table of docs/interop.md. It is the expectation, too: a cell that comes out differently than the
//! document says fails, for better or worse, and `UPDATE_GOLDEN=1` writes the document anew. A peer of another version
//! than the document's must still do all that the document says it can; what it newly can or cannot is said, not failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod batch;
#[path = "../instance/mod.rs"]
mod instance;
mod ours;
#[path = "../peers/mod.rs"]
mod peers;
#[path = "../program/mod.rs"]
mod program;
mod programs;
mod rows;
mod table;
mod world;

use std::path::{Path, PathBuf};

use rows::{ROWS, Row, Work};
use table::{Cell, Column};
use world::World;

/// One question to a peer: make `der` from `content`, or read it and compare.
struct Job<'a> {
    row: &'a Row,
    /// Sign or encrypt, or the reading of it.
    makes: bool,
    content: PathBuf,
    der: PathBuf,
}

/// A program of others. It answers every job: `Ok` for done, or why it cannot.
trait Peer {
    fn version(&self) -> String;
    fn perform(&self, world: &World, jobs: &[Job<'_>]) -> Vec<Result<(), String>>;
}

/// Every peer by its name in the document; `None` after a visible skip.
fn all_peers(world: &World) -> Vec<(&'static str, Option<Box<dyn Peer>>)> {
    vec![
        ("OpenSSL", programs::OpenSsl::find()),
        ("gpgsm", programs::Gpgsm::find(world)),
        ("NSS", programs::Nss::find(world)),
        ("Bouncy Castle", batch::bouncy_castle(world)),
        ("Python cryptography", batch::python()),
    ]
}

#[test]
fn every_algorithm_before_every_peer() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix");
    let Some(world) = World::build(&folder) else { return };
    let made = ours::make(&world);
    let mut columns = Vec::new();
    for (name, peer) in all_peers(&world) {
        columns.push((name, peer.map(|peer| column(&world, &made, name, &*peer))));
    }
    table::compare_or_write(&columns);
}

fn column(world: &World, made: &[Option<PathBuf>], name: &'static str, peer: &dyn Peer) -> Column {
    // Each peer has a folder of its own for what it makes.
    let folder = world.folder.join(name.replace(' ', "-"));
    std::fs::create_dir_all(&folder).unwrap();
    let content = |row: &Row| world.folder.join(row.content());
    let reads: Vec<Job<'_>> = ROWS
        .iter()
        .zip(made)
        .filter_map(|(row, made)| {
            // The payload is more than the part: header fields are protected in it.
            made.clone().map(|der| Job { row, makes: false, content: der.with_extension("content"), der })
        })
        .collect();
    let makes: Vec<Job<'_>> = ROWS
        .iter()
        .enumerate()
        .map(|(number, row)| Job { row, makes: true, content: content(row), der: folder.join(format!("{number}.der")) })
        .collect();
    let mut read = peer.perform(world, &reads).into_iter();
    let made_by_them = peer.perform(world, &makes);
    let mut cells = Vec::new();
    for ((job, said), ours) in makes.iter().zip(made_by_them).zip(made) {
        let reads = ours.is_some().then(|| read.next().unwrap());
        // What they made must be read by us: there is no cell for the contrary.
        if said.is_ok()
            && let Err(why) = ours::read(world, job.row, &job.content, &job.der)
        {
            panic!("{name} made {}, and we do not read it: {why}", job.row.label());
        }
        cells.push(Cell { reads, makes: said });
    }
    Column { version: peer.version(), cells }
}

/// The readers of this table can say no: one octet changed in what we signed, and another key for what we encrypted.
#[test]
fn the_peers_refuse_what_was_changed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix-changed");
    let Some(world) = World::build(&folder) else { return };
    let row = ROWS.iter().find(|row| matches!(row.work, Work::Sign) && row.form == "detached").unwrap();
    let der = ours::make_one(&world, row, 0).unwrap();
    let changed = world.folder.join("changed.mime");
    let content = std::fs::read_to_string(world.folder.join(row.content())).unwrap();
    std::fs::write(&changed, content.replace("Registered", "registered")).unwrap();
    for (name, peer) in all_peers(&world) {
        let Some(peer) = peer else { continue };
        let job = Job { row, makes: false, content: changed.clone(), der: der.clone() };
        assert!(peer.perform(&world, &[job])[0].is_err(), "{name} takes what was changed");
    }
}
