//! The journal: what is known again, by whom, and for how long.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use kakitome_office::journal::{Built, DIRECTORY, Journal, Passage, Recalled, SWEEP_TIME, SWEEPS_KEPT};
use kakitome_smime::octets::{Octets, read_range};

fn passage(queue_id: &str, mail: &str) -> Passage {
    Passage::of(queue_id, &mail.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_mail_is_known_by_queue_id_bytes_and_recipient() {
    let data = tempfile::tempdir().unwrap();
    let taken = "2.0.0 queued as 1";
    Journal::open(data.path()).unwrap().accept(passage("4F1", "a mail"), &["b@x.test".to_owned()], taken).unwrap();
    // as after a crash
    let journal = Journal::open(data.path()).unwrap();
    let rows = [
        ("4F1", "a mail", "b@x.test", true),
        ("4F2", "a mail", "b@x.test", false),
        ("4F1", "a Mail", "b@x.test", false),
        ("4F1", "a mail", "B@x.test", false),
        ("4F1a", " mail", "b@x.test", false),
    ];
    for (queue_id, mail, recipient, known) in rows {
        let found = journal.accepted(passage(queue_id, mail), &["c@x.test".to_owned(), recipient.to_owned()]).unwrap();
        assert_eq!(found, [None, known.then(|| taken.to_owned())], "{queue_id} {mail} {recipient}");
    }
}

#[test]
fn an_entry_outlives_every_queue_and_then_goes() {
    let data = tempfile::tempdir().unwrap();
    let journal = Journal::open(data.path()).unwrap();
    let (mail, to) = (passage("4F1", "a mail"), ["b@x.test".to_owned()]);
    journal.accept(mail, &to, "taken").unwrap();
    // all sweeps but one, without waiting for the disk each time
    let file = data.path().join(DIRECTORY).join("journal.sqlite");
    let others = rusqlite::Connection::open(file).unwrap();
    others.execute("UPDATE sweeps SET done = done + ?1", [SWEEPS_KEPT - 2]).unwrap();
    journal.sweep().unwrap();
    assert_eq!(journal.accepted(mail, &to).unwrap(), [Some("taken".to_owned())]);
    journal.sweep().unwrap();
    assert_eq!(journal.accepted(mail, &to).unwrap(), [None]);
}

/// Number, recipients, RET=HDRS, octets of each copy that comes again.
fn recalled(journal: &Journal, mail: Passage) -> Vec<(u32, Vec<String>, bool, Vec<u8>)> {
    let read = |copy: Recalled| {
        let octets = read_range(&copy.mail, 0..copy.mail.len(), usize::MAX).unwrap();
        (copy.number, copy.recipients, copy.headers_only, octets)
    };
    journal.recall(mail).unwrap().into_iter().map(read).collect()
}

#[test]
fn what_was_built_comes_again_whole_or_not_at_all() {
    let data = tempfile::tempdir().unwrap();
    let journal = Journal::open(data.path()).unwrap();
    let mail = passage("4F1", "a mail");
    assert_eq!(recalled(&journal, mail), []);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let copies = [
        (0, names(&["a@x.test", "\"b c\"@x.test"]), false, vec![b'x'; 100_000]),
        (1, names(&["受付@例.test"]), true, Vec::new()),
        (7, names(&[]), false, b"copy\n".to_vec()),
    ];
    for (number, recipients, headers_only, octets) in copies.iter().rev() {
        let built = Built { recipients, headers_only: *headers_only, mail: octets };
        journal.remember(mail, *number, &built).unwrap();
    }
    let journal = Journal::open(data.path()).unwrap();
    assert_eq!(recalled(&journal, mail), copies);
    assert_eq!(recalled(&journal, passage("4F2", "a mail")), []);
    journal.sweep().unwrap();
    assert_eq!(recalled(&journal, mail), copies, "a young copy was swept away");

    let file = copy(data.path(), 0);
    let whole = fs::read(&file).unwrap();
    let changed = |at: usize| {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        altered
    };
    let end = whole.len();
    for broken in [&whole[..0], &whole[..31], &whole[..35], &whole[..end - 1], &changed(7), &changed(end - 40)] {
        fs::write(&file, broken).unwrap();
        assert_eq!(recalled(&journal, mail), copies[1..], "{} bytes", broken.len());
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(recalled(&journal, mail), copies);
    for left in 1..=copies.len() {
        journal.forget(mail, copies[left - 1].0);
        assert_eq!(recalled(&journal, mail), copies[left..]);
    }
    assert!(!file.exists(), "the copy stays behind");
}

/// The file of the copy with this number.
fn copy(data: &Path, number: u32) -> PathBuf {
    let mut files = fs::read_dir(data.join(DIRECTORY)).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.to_str().unwrap().ends_with(&format!(".{number}.mail"))).unwrap()
}

#[test]
fn copies_go_when_they_are_old() {
    let data = tempfile::tempdir().unwrap();
    let journal = Journal::open(data.path()).unwrap();
    let mail = passage("4F1", "a mail");
    let old = SystemTime::now() - (SWEEP_TIME * (SWEEPS_KEPT as u32) + Duration::from_secs(60));
    for (number, is_old) in [(0, true), (1, false)] {
        journal.remember(mail, number, &Built { recipients: &[], headers_only: false, mail: &b"x".to_vec() }).unwrap();
        if is_old {
            fs::File::options().write(true).open(copy(data.path(), number)).unwrap().set_modified(old).unwrap();
        }
    }
    // as earlier versions left it
    let single = data.path().join(DIRECTORY).join("0123.mail");
    fs::File::create(&single).unwrap().set_modified(old).unwrap();
    journal.sweep().unwrap();
    let left: Vec<u32> = recalled(&journal, mail).into_iter().map(|(number, ..)| number).collect();
    assert_eq!(left, [1]);
    assert!(!single.exists());
}

#[test]
fn a_mail_has_one_turn_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(data.path()).unwrap());
    let (one, other) = (passage("4F1", "a"), passage("4F1", "b"));
    let turn = journal.turn(one).unwrap();
    assert!(journal.turn(one).is_none());
    assert!(journal.turn(other).is_some());
    drop(turn);
    assert!(journal.turn(one).is_some());
}

#[test]
fn many_write_at_once() {
    let data = tempfile::tempdir().unwrap();
    let journal = Journal::open(data.path()).unwrap();
    let mail = passage("4F1", "a mail");
    let name = |thread: u32, number: u32| [format!("{thread}-{number}@x.test")];
    thread::scope(|scope| {
        for thread in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..20 {
                    journal.accept(mail, &name(thread, number), "taken").unwrap();
                }
            });
        }
    });
    let journal = Journal::open(data.path()).unwrap();
    for (thread, number) in (0..8).flat_map(|thread| (0..20).map(move |number| (thread, number))) {
        assert!(journal.accepted(mail, &name(thread, number)).unwrap()[0].is_some());
    }
}

#[test]
fn a_journal_of_another_version_is_refused() {
    let data = tempfile::tempdir().unwrap();
    drop(Journal::open(data.path()).unwrap());
    fs::write(data.path().join(DIRECTORY).join("journal.sqlite"), b"not a journal").unwrap();
    let _ = fs::remove_file(data.path().join(DIRECTORY).join("journal.sqlite-wal"));
    assert!(Journal::open(data.path()).is_err());
}
