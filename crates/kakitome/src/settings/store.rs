//! `[store]`: where everything is kept.

use std::io;
use std::path::{Path, PathBuf};

use kakitome_office::store::{Place, Server};
use serde::{Deserialize, Serialize};

/// The credential of systemd that holds the database's password, where no file is named.
const CREDENTIAL: &str = "kakitome.database-password";

/// `[store]`: where everything is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Store {
    /// The PostgreSQL database; absent: SQLite in the data directory.
    pub url: Option<Database>,
    /// A file with its password.
    pub password_file: Option<PathBuf>,
}

/// A PostgreSQL database. Where it is shown, its password is not.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Database(Server);

impl Store {
    /// Where the store is.
    ///
    /// # Errors
    /// The file with the password cannot be read.
    pub fn place(&self, data: &Path) -> io::Result<Place> {
        let Some(Database(server)) = &self.url else { return Ok(Place::Data(data.to_owned())) };
        let server = match self.password_file.clone().or_else(credential) {
            Some(file) => server.clone().with_password_file(&file)?,
            None => server.clone(),
        };
        Ok(Place::Server(Box::new(server)))
    }

    /// What cannot be meant as it is written, with what to do.
    pub(super) fn problems(&self) -> Vec<String> {
        let is_alone = self.password_file.is_some() && self.url.is_none();
        let text = "store.password_file is set, but store.url is not: SQLite has no password; name the database, too";
        is_alone.then(|| text.to_owned()).into_iter().collect()
    }
}

/// The password as a credential of systemd, where there is one.
fn credential() -> Option<PathBuf> {
    let file = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    file.exists().then_some(file)
}

impl TryFrom<String> for Database {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        url.parse().map(Self)
    }
}

impl From<Database> for String {
    fn from(Database(server): Database) -> Self {
        server.url().to_owned()
    }
}
