//! `[process]`: whose rights the server has.

use serde::{Deserialize, Serialize};

/// `[process]`: as whom `kakitome up` works when root starts it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// The user; absent: whoever started it.
    pub user: Option<Account>,
    /// The group; absent: the user's own.
    pub group: Option<Account>,
}

/// The name of a user or group of the system, never root's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(String);

impl Process {
    /// What cannot be meant as it is written, with what to do.
    pub(super) fn problems(&self) -> Vec<String> {
        if self.group.is_some() && self.user.is_none() {
            return vec!["process.group needs process.user: name the user that root becomes, too".to_owned()];
        }
        Vec::new()
    }
}

impl Account {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Account {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-$".contains(&byte);
        if name == "root" {
            return Err("root's rights are what is to be given up".to_owned());
        }
        if name.is_empty() || !name.bytes().all(is_name) || name.starts_with('-') {
            return Err(format!("{name:?} is not the name of a user or group"));
        }
        Ok(Self(name))
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.0
    }
}
