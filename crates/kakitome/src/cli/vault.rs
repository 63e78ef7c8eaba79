//! Where the sealing key is, and its passphrase, as a verb opens the vault with them.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kakitome_office::store::Store;
use kakitome_office::vault::{KeyFile, Vault};
use zeroize::Zeroizing;

use super::{Everywhere, Failure, password};
use crate::settings::Settings;

/// The key file's name in the data directory.
const FILE_NAME: &str = "sealing.key";
/// The credentials of systemd (`LoadCredential=`, `LoadCredentialEncrypted=`) that hold the key, and its passphrase.
const CREDENTIAL: &str = "kakitome.sealing-key";
const PASSPHRASE_CREDENTIAL: &str = "kakitome.passphrase";
/// The passphrase, in the environment.
const VARIABLE: &str = "KAKITOME_SEALING_PASSPHRASE";

/// Opens the vault of a store.
pub(super) fn open(everywhere: &Everywhere, settings: &Settings, store: &Arc<Store>) -> Result<Vault, Failure> {
    let path = key_file(everywhere, settings);
    let passphrase = if KeyFile::needs_passphrase(&path)? { Some(passphrase(settings, &path)?) } else { None };
    Ok(Vault::open_with(KeyFile::new(&path, passphrase), store)?)
}

/// The file of the setting, else systemd's credential, else the one in the data directory.
fn key_file(everywhere: &Everywhere, settings: &Settings) -> PathBuf {
    let named = settings.vault.key_file.clone().or_else(|| credential(CREDENTIAL));
    named.unwrap_or_else(|| everywhere.data.join(FILE_NAME))
}

fn credential(name: &str) -> Option<PathBuf> {
    let file = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(name);
    file.exists().then_some(file)
}

fn passphrase(settings: &Settings, key_file: &Path) -> Result<Zeroizing<String>, Failure> {
    if let Some(file) = &settings.vault.passphrase_file {
        return password::first_line(file);
    }
    if let Ok(given) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(given));
    }
    if let Some(file) = credential(PASSPHRASE_CREDENTIAL) {
        return password::first_line(&file);
    }
    if !std::io::stdin().is_terminal() {
        return Err(kakitome_office::fault::Fault::SealingKeyLocked { path: key_file.to_owned() }.into());
    }
    password::ask(&format!("Passphrase of {}: ", key_file.display()))
}
