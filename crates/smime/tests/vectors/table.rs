//! The tables: what is asked, and what the makers of the files expect.

use serde::Deserialize;

/// One suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// The folder of the corpora.
    pub(crate) folder: String,
    /// The zip in it that holds the files; without one they stand in the folder.
    pub(crate) archive: Option<String>,
    /// Who holds keys.
    #[serde(default)]
    pub(crate) holder: Vec<Holder>,
    /// What is asked.
    pub(crate) case: Vec<Case>,
    /// Files that are not asked about, so that a new one is noticed.
    #[serde(default)]
    pub(crate) other: Vec<Other>,
}

/// A certificate with its private key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holder {
    /// How the cases call it.
    pub(crate) name: String,
    /// The certificate: PEM or DER; not needed beside `p12`.
    pub(crate) certificate: Option<String>,
    /// The key: PEM or DER.
    pub(crate) key: Option<String>,
    /// Both in a PKCS#12 file.
    pub(crate) p12: Option<String>,
    /// Its password.
    #[serde(default)]
    pub(crate) password: String,
}

/// A question, asked of each of its files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Names, or patterns with `*`: then the rule of the makers covers a new file too.
    pub(crate) files: Vec<String>,
    /// How they are read.
    pub(crate) form: Form,
    /// The answer that the makers expect, in the words of `answer`.
    pub(crate) expect: String,
    /// Sets a second question about the same file apart.
    pub(crate) note: Option<String>,
    /// The content that a detached signature covers.
    pub(crate) detached: Option<String>,
    /// The same, said here.
    pub(crate) detached_text: Option<String>,
    /// Certificates that the message does not carry.
    #[serde(default)]
    pub(crate) certificates: Vec<String>,
    /// Whose keys are at hand.
    #[serde(default)]
    pub(crate) holders: Vec<String>,
    /// A password, of a recipient or of a PKCS#12 file.
    pub(crate) password: Option<String>,
    /// A content key in hexadecimal digits, for encrypted-data.
    pub(crate) secret: Option<String>,
    /// The file that holds exactly the content.
    pub(crate) holds: Option<String>,
    /// Text that stands in the content.
    pub(crate) text: Option<String>,
    /// Findings that must be among those given.
    #[serde(default)]
    pub(crate) says: Vec<String>,
}

/// What a file is.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// A mail, with its header.
    Mail,
    /// A CMS object in BER, or in PEM.
    Cms,
    /// Certificates, in DER or PEM.
    Certificate,
    /// A revocation list, in DER or PEM.
    Crl,
    /// PKCS#12.
    Pkcs12,
}

/// Files that are no question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Other {
    /// Which.
    pub(crate) files: Vec<String>,
    /// What they are.
    #[serde(rename = "are")]
    pub(crate) _are: String,
}

impl Table {
    /// Reads one.
    pub(crate) fn read(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }
}
