//! The sealing key: made once, never in place of another, and nothing of a private key in the clear.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::fault::Fault;
use kakitome_office::store::Store;
use kakitome_office::vault::{KeyFile, KeyId, Vault};
use kakitome_pki::crypto::{DecryptionKey, KeyKind, SigningKey};
use kakitome_testkit::NOW;
use rusqlite::Connection;
use zeroize::Zeroizing;

use ground::{Ground, grounds};

struct Place {
    directory: tempfile::TempDir,
    key_file: PathBuf,
    key: SigningKey,
    id: KeyId,
}

/// A data directory whose store holds one sealed key.
fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("sealing.key");
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let vault = Vault::open(&key_file, &store).unwrap();
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let id = vault.keep("a key", &key, NOW).unwrap();
    Place { directory, key_file, key, id }
}

impl Place {
    fn open(&self) -> Result<Vault, Fault> {
        Vault::open(&self.key_file, &Arc::new(Store::open(self.directory.path()).unwrap()))
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_key_file_that_does_not_fit_is_a_lasting_fault_that_says_what_to_do() {
    type Spoil = fn(&Path);
    type Is = fn(&Fault) -> bool;
    let rows: [(&str, Spoil, Is, &str); 6] = [
        (
            "missing",
            |path| fs::remove_file(path).unwrap(),
            |fault| matches!(fault, Fault::SealingKeyMissing { .. }),
            "restore it (sealing.key) from the backup",
        ),
        (
            "of another store",
            |path| write_private(path, &[7; 32]),
            |fault| matches!(fault, Fault::SealingKeyWrong { .. }),
            "(sealing.key) that belongs to it from the backup",
        ),
        (
            "cut short",
            |path| write_private(path, &fs::read(path).unwrap()[..31]),
            |fault| matches!(fault, Fault::SealingKeyMalformed { .. }),
            "restore it (sealing.key) from the backup",
        ),
        (
            "too long",
            |path| write_private(path, &[fs::read(path).unwrap(), vec![b'\n']].concat()),
            |fault| matches!(fault, Fault::SealingKeyMalformed { .. }),
            "32 octets",
        ),
        (
            "readable by the group",
            |path| fs::set_permissions(path, Permissions::from_mode(0o640)).unwrap(),
            |fault| matches!(fault, Fault::SealingKeyExposed { mode: 0o640, .. }),
            "chmod 600 ",
        ),
        (
            "readable by all",
            |path| fs::set_permissions(path, Permissions::from_mode(0o604)).unwrap(),
            |fault| matches!(fault, Fault::SealingKeyExposed { mode: 0o604, .. }),
            "chmod 600 ",
        ),
    ];
    for (what, spoil, is, advice) in rows {
        let place = place();
        let good = fs::read(&place.key_file).unwrap();
        spoil(&place.key_file);
        let spoilt = fs::read(&place.key_file).ok();
        let fault = place.open().expect_err(what);
        assert!(is(&fault), "{what}: {fault:?}");
        assert!(!fault.is_temporary(), "{what}");
        let text = fault.to_string();
        assert!(text.contains(advice) && text.contains(place.key_file.to_str().unwrap()), "{what}: {text}");
        assert_eq!(fs::read(&place.key_file).ok(), spoilt, "{what}: the file was touched");
        write_private(&place.key_file, &good);
        assert_eq!(place.open().unwrap().take(&place.id).unwrap().spki(), place.key.spki(), "{what}");
    }
}

#[test]
fn a_key_file_that_was_there_first_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("sealing.key");
    write_private(&key_file, &[7; 32]);
    let store = Arc::new(Store::open(directory.path()).unwrap());
    Vault::open(&key_file, &store).unwrap();
    assert_eq!(fs::read(&key_file).unwrap(), [7; 32]);
    // The rest of a first start that was killed is no obstacle, and stays no litter.
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("sealing.key");
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let rest = directory.path().join(format!("sealing.new.{}", std::process::id()));
    write_private(&rest, b"cut sh");
    Vault::open(&key_file, &store).unwrap();
    assert_eq!(fs::read(&key_file).unwrap().len(), 32);
    assert!(!rest.exists());
}

#[test]
fn many_first_starts_at_once_agree_on_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("sealing.key");
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let vaults: Vec<Vault> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Vault::open(&key_file, &store).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let id = vaults[0].keep("a key", &key, NOW).unwrap();
    for vault in &vaults {
        assert_eq!(vault.take(&id).unwrap().spki(), key.spki());
    }
}

#[test]
fn rows_that_were_swapped_do_not_open() {
    let place = place();
    let vault = place.open().unwrap();
    let other = vault.keep("another key", &SigningKey::generate(KeyKind::P256).unwrap(), NOW).unwrap();
    let rows = Connection::open(place.directory.path().join("store.sqlite")).unwrap();
    let changed = rows
        .execute(
            "UPDATE private_key SET sealed = (SELECT sealed FROM private_key WHERE id = ?1) WHERE id = ?2",
            [place.id.to_string(), other.to_string()],
        )
        .unwrap();
    assert_eq!(changed, 1);
    assert!(vault.take(&place.id).is_ok());
    let fault = vault.take(&other).unwrap_err();
    assert!(matches!(fault, Fault::StoreDamaged { .. }), "{fault:?}");
}

#[test]
fn nothing_of_a_private_key_stands_in_the_clear() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let vault = Vault::open(&directory.path().join("sealing.key"), &store).unwrap();
    let mut pieces = Vec::new();
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let key = SigningKey::generate(kind).unwrap();
        vault.keep("a key", &key, NOW).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap().to_vec();
        // Every piece of it but those that are the same in all keys, and the public half, which is no secret.
        let public = key.spki();
        let other = SigningKey::generate(kind).unwrap().to_pkcs8().unwrap().to_vec();
        let secret = |piece: &&[u8]| !holds(public, piece) && !holds(&other, piece);
        pieces.extend(pkcs8.windows(8).filter(secret).map(<[u8]>::to_vec));
    }
    assert!(pieces.len() > 800, "{}", pieces.len());
    // Once with the journal, once after it was folded into the store.
    assert_eq!(leak(directory.path(), &pieces), None);
    let writer = Connection::open(store.name()).unwrap();
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert_eq!(leak(directory.path(), &pieces), None);
    // The search finds what is there, in the store too.
    writer.execute("UPDATE private_key SET label = CAST(?1 AS TEXT)", [&pieces[5]]).unwrap();
    assert!(leak(directory.path(), &pieces).is_some());
}

/// The first file that holds one of these pieces.
fn leak(directory: &Path, pieces: &[Vec<u8>]) -> Option<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| {
        let bytes = fs::read(path).unwrap();
        let windows: HashSet<&[u8]> = bytes.windows(8).collect();
        pieces.iter().any(|piece| windows.contains(piece.as_slice()))
    })
}

fn holds(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}

#[test]
fn keys_that_sign_and_keys_that_decrypt_are_kept_alike() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let vault = Vault::open(&directory.path().join("sealing.key"), &store).unwrap();
    for (kind, signs, decrypts) in [
        (KeyKind::Rsa2048, true, true),
        (KeyKind::P256, true, true),
        (KeyKind::Ed25519, true, false),
        (KeyKind::X25519, false, true),
    ] {
        let pkcs8 = if decrypts {
            DecryptionKey::generate(kind).unwrap().1
        } else {
            SigningKey::generate(kind).unwrap().to_pkcs8().unwrap()
        };
        let id = vault.keep_pkcs8("a key", &pkcs8, NOW).unwrap();
        assert_eq!(vault.take_pkcs8(&id).unwrap(), pkcs8, "{kind:?}");
        let signing = vault.take(&id);
        assert_eq!(signing.is_ok(), signs, "{kind:?}: {signing:?}");
        assert!(signing.is_err_and(|fault| matches!(fault, Fault::StoreDamaged { .. })) != signs, "{kind:?}");
        let decryption = vault.take_decryption(&id);
        assert_eq!(decryption.is_ok(), decrypts, "{kind:?}: {decryption:?}");
        if let Ok(key) = decryption {
            assert_eq!(KeyId::of_spki(key.spki()), id);
        }
    }
    assert!(vault.keep_pkcs8("no key", b"no key", NOW).is_err());
}

const SUITE: &str = "sealed keys";
/// More than a page.
const KEYS: usize = 450;

fn rekey(vault: &Vault, passphrase: Option<&Zeroizing<String>>) -> Result<u64, Fault> {
    vault.rekey(passphrase, &Actor::part("test", Part::Jobs), NOW, &|_| {})
}

/// Many keys, without the cost of making as many.
fn many(ground: &Ground) -> Vec<KeyId> {
    let vault = ground.vault();
    let ids =
        (0..3).map(|_| vault.keep("a key", &SigningKey::generate(KeyKind::P256).unwrap(), NOW).unwrap()).collect();
    // Rows that nobody opens but `rekey`: their contents are one key's, their names are their own.
    let store = ground.open();
    let sealing = kakitome_pki::crypto::SealingKey::new(&fs::read(ground.key_file()).unwrap()).unwrap();
    store
        .write(|s| {
            for number in 0..KEYS {
                let id = format!("row {number:04}");
                let sealed = sealing.seal(&id, b"a secret", &kakitome_pki::crypto::SystemRandom).unwrap();
                s.run(
                    "INSERT INTO private_key (id, label, kind, sealed, made_at) VALUES (?1, '', '', ?2, 0)",
                    &[&id, &sealed],
                )?;
            }
            Ok(())
        })
        .unwrap();
    ids
}

#[test]
fn all_keys_are_sealed_anew_and_those_who_run_meanwhile_go_on() {
    for ground in grounds(SUITE) {
        let ids = many(&ground);
        let running = ground.vault();
        let before = fs::read(ground.key_file()).unwrap();
        let rows = |ground: &Ground| ground.ask("SELECT sealed FROM private_key ORDER BY id");
        let sealed = rows(&ground);
        assert_eq!(rekey(&ground.vault(), None).unwrap(), u64::try_from(KEYS + 3).unwrap());
        let after = fs::read(ground.key_file()).unwrap();
        assert_ne!(before, after);
        let (old, new) = (sealed.lines().collect::<HashSet<_>>(), rows(&ground));
        assert!(new.lines().all(|row| !old.contains(row)), "every row is sealed anew");
        let kept: Vec<PathBuf> = fs::read_dir(ground.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "old"))
            .collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(fs::read(&kept[0]).unwrap(), before, "the old key is kept for old backups");
        // The one that ran opens and seals with the new key, and what it seals opens for all.
        let id = running.keep("another", &SigningKey::generate(KeyKind::P256).unwrap(), NOW).unwrap();
        for vault in [&running, &ground.vault()] {
            for id in ids.iter().chain([&id]) {
                vault.take(id).unwrap();
            }
        }
        assert_eq!(ground.ask("SELECT count(*) FROM audit WHERE act = 'key.resealed'"), "1");
        // The old key fits no more.
        write_private(&ground.key_file(), &before);
        let fault = Vault::open(&ground.key_file(), &ground.open()).unwrap_err();
        assert!(matches!(fault, Fault::SealingKeyWrong { .. }), "{fault:?}");
    }
}

#[test]
fn wherever_it_is_broken_off_the_next_start_finds_the_key_that_fits() {
    for ground in grounds(SUITE) {
        let ids = many(&ground);
        let next = ground.path().join("sealing.key.next");
        let open = |what: &str| {
            let vault = Vault::open(&ground.key_file(), &ground.open()).expect(what);
            assert!(ids.iter().all(|id| vault.take(id).is_ok()), "{what}");
            vault
        };
        // Killed after the new key was written: the old one counts, and the new one is used the next time.
        write_private(&next, &[9; 32]);
        let vault = open("before the transaction");
        let old = fs::read(ground.key_file()).unwrap();
        // In the middle of the transaction: nothing was done.
        ground.ask(
            "UPDATE private_key SET sealed = CAST('x' AS BLOB) WHERE id = 'row 0300'"
                .replace("CAST('x' AS BLOB)", if ground.is_postgresql() { "'x'" } else { "x'78'" })
                .as_str(),
        );
        assert!(matches!(rekey(&vault, None), Err(Fault::StoreDamaged { .. })));
        open("a row that does not open");
        ground.ask("DELETE FROM private_key WHERE id = 'row 0300'");
        rekey(&vault, None).unwrap();
        assert_eq!(fs::read(ground.key_file()).unwrap(), [9; 32], "the key that stood there is taken");
        // Killed after the transaction: the files are as they were before.
        fs::rename(ground.key_file(), &next).unwrap();
        write_private(&ground.key_file(), &old);
        open("after the transaction");
        assert_eq!(fs::read(ground.key_file()).unwrap(), [9; 32]);
        assert!(!next.exists());
        // Another node, whose own key file never heard of it, gets the new one beside it.
        let node = tempfile::tempdir().unwrap();
        let file = node.path().join("sealing.key");
        write_private(&file, &old);
        assert!(matches!(Vault::open(&file, &ground.open()), Err(Fault::SealingKeyWrong { .. })));
        write_private(&node.path().join("sealing.key.next"), &[9; 32]);
        Vault::open(&file, &ground.open()).unwrap().take(&ids[0]).unwrap();
    }
}

#[test]
fn two_nodes_with_keys_of_their_own_do_not_both_seal() {
    for ground in grounds(SUITE) {
        let other = tempfile::tempdir().unwrap();
        let files = [ground.key_file(), other.path().join("sealing.key")];
        let opened: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                files.iter().map(|file| scope.spawn(|| Vault::open(file, &ground.open()).map(drop))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let refused: Vec<_> = opened.iter().filter_map(|opened| opened.as_ref().err()).collect();
        assert_eq!(refused.len(), 1, "{opened:?}");
        let is_told = matches!(refused[0], Fault::SealingKeyWrong { .. } | Fault::SealingKeyMissing { .. });
        assert!(is_told, "{opened:?}");
    }
}

#[test]
fn a_key_under_a_passphrase_opens_with_it_alone() {
    let ground = grounds(SUITE).remove(0);
    let ids = many(&ground);
    let passphrase = Zeroizing::new("open sesame".to_owned());
    rekey(&ground.vault(), Some(&passphrase)).unwrap();
    let with = |given: Option<&str>| {
        let given = given.map(|given| Zeroizing::new(given.to_owned()));
        Vault::open_with(KeyFile::new(&ground.key_file(), given), &ground.open())
    };
    assert!(KeyFile::needs_passphrase(&ground.key_file()).unwrap());
    assert!(matches!(with(None), Err(Fault::SealingKeyLocked { .. })));
    assert!(matches!(with(Some("open sesam")), Err(Fault::SealingKeyPassphrase { .. })));
    let vault = with(Some("open sesame")).unwrap();
    vault.take(&ids[0]).unwrap();
    let text = fs::read_to_string(ground.key_file()).unwrap();
    for (from, to) in
        [("passes 3", "passes 4000000000"), ("kibibytes 65536", "kibibytes 4000000000"), ("sealed ", "sealed zz")]
    {
        write_private(&ground.key_file(), text.replace(from, to).as_bytes());
        assert!(matches!(with(Some("open sesame")), Err(Fault::SealingKeyMalformed { .. })), "{to}");
    }
    write_private(&ground.key_file(), text.as_bytes());
    // And out from under it again.
    rekey(&vault, None).unwrap();
    Vault::open(&ground.key_file(), &ground.open()).unwrap().take(&ids[0]).unwrap();
}
