//! The one table of settings: what needs a restart to change.
//!
//! One TOML file, `KAKITOME_…` environment variables over it, flags over both (the command line sets fields of
//! [`Settings`] after [`Settings::load`]). Parser, template and `config show` all walk `ROWS`, so they cannot disagree.
//! Policy that changes while the house is open lives in the store, not here.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub use self::deploy::{Deploy, Mailbox, Minutes};
pub use self::directory::{CertificateStore, Directory};
pub use self::inbound::{Inbound, Language, Opened};
pub use self::listener::{Direction, Listener, Place, Protocol, Tls};
pub use self::members::{IssuerRule, Join, MemberKey, Members};
pub use self::policy::Policy;
pub use self::process::{Account, Process};
pub use self::section::{Check, Fetch, Gateway, Level, Log, LogFormat, Mode, Settings, Vault, Web};
pub use self::sender::{Correspondent, Protected, Sender};
pub use self::store::{Database, Store};
pub use self::tls::TlsFiles;
pub use self::value::{Domain, HostPort, Percent, PublicUrl};

mod deploy;
mod directory;
mod inbound;
mod listener;
mod members;
mod policy;
mod process;
mod section;
mod sender;
mod shown;
mod store;
mod tls;
mod value;

/// What stands before a setting's name in the environment: `KAKITOME_GATEWAY_NEXT_HOP` is `gateway.next_hop`.
pub const ENVIRONMENT_PREFIX: &str = "KAKITOME_";

/// A settings file is smaller than this, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;

/// How a value is written in an environment variable.
#[derive(Clone, Copy)]
enum Shape {
    /// As it is.
    Text,
    /// In decimal digits.
    Number,
    /// With commas between.
    List,
    /// As a TOML value.
    Toml,
}

/// One setting.
struct Row {
    section: &'static str,
    key: &'static str,
    shape: Shape,
    /// What it does: the comment in the template.
    text: &'static str,
    /// What may be given: in the template and in errors.
    allowed: &'static str,
    /// Shown in the template where there is no default; a TOML value.
    example: &'static str,
    set: fn(&mut Settings, Value) -> Result<(), String>,
    get: fn(&Settings) -> Option<Value>,
}

fn put<T: DeserializeOwned>(place: &mut T, value: Value) -> Result<(), String> {
    *place = value.try_into().map_err(|error: toml::de::Error| error.message().trim().to_owned())?;
    Ok(())
}

macro_rules! row {
    ($section:ident . $key:ident, $shape:ident, $text:expr, $allowed:expr, $example:expr) => {
        Row {
            section: stringify!($section),
            key: stringify!($key),
            shape: Shape::$shape,
            text: $text,
            allowed: $allowed,
            example: $example,
            set: |settings, value| put(&mut settings.$section.$key, value),
            // A setting without a value has no TOML form: that is what the error means.
            get: |settings| Value::try_from(&settings.$section.$key).ok(),
        }
    };
}

/// Every setting, in the order of the template.
const ROWS: &[Row] = &[
    row!(
        members.domains,
        List,
        "Mail domains of the members. A mail that enters by an outbound listener is signed when its From is one\n\
         address of these domains; the certificate is made at the first mail.",
        "a list of domain names in ASCII",
        ""
    ),
    row!(
        members.join,
        Text,
        "Who becomes a member by a mail: with \"first-mail\" whoever sends one from these domains, with \"listed\" nobody:\n\
         then mail of those who are not in the roll (kakitome member) passes unsigned.",
        "\"first-mail\" or \"listed\"",
        ""
    ),
    row!(
        members.plus_addresses,
        Toml,
        "Whether alice+x@ belongs to alice@, unless it stands in the roll by itself. It gets certificates in its own name\n\
         all the same, since readers compare addresses exactly.",
        "true or false",
        ""
    ),
    row!(
        members.key,
        Text,
        "The kind of key in the members' certificates, from the next one on. Old mail programs read RSA alone.",
        "\"rsa-2048\", \"rsa-3072\", \"rsa-4096\", \"p-256\" or \"p-384\"",
        ""
    ),
    row!(
        members.signing_days,
        Number,
        "How long a member's signing certificate lives, in days. It is renewed when two thirds of them are over.",
        "a number of days from 1",
        ""
    ),
    row!(
        members.encryption_days,
        Number,
        "The same for the certificate that others encrypt to. Its private key is kept for ever, so that old mail stays\n\
         readable.",
        "a number of days from 1",
        ""
    ),
    row!(members.issuers, Toml, members::ISSUERS, members::ISSUERS_ALLOWED, ""),
    row!(
        gateway.mode,
        Text,
        "\"pass\" switches all changing of mail off at once: every mail is handed on as it came.",
        "\"sign\" or \"pass\"",
        ""
    ),
    row!(
        gateway.next_hop,
        Text,
        "The mail server that takes the mail after us, by SMTP. Not set: a Maildir in the data directory.",
        "\"smtp://host:port\" or \"host:port\"",
        "\"smtp://127.0.0.1:10026\""
    ),
    row!(
        gateway.max_connections,
        Number,
        "How many connections are served at once, over all listeners. Further ones are asked to come later (421).",
        "a number from 1",
        ""
    ),
    row!(
        gateway.max_client_connections,
        Number,
        "How many of them one other machine may have. Connections of this machine are not counted.",
        "a number from 1",
        ""
    ),
    row!(
        gateway.max_mail,
        Number,
        "The largest mail that is taken, in bytes; announced as SIZE.",
        "a number of bytes from 1",
        ""
    ),
    row!(
        gateway.min_free_disk,
        Number,
        "While less than this share of the data directory's disk is free, mail is put off (452), in percent.",
        "a number from 0 to 100",
        ""
    ),
    row!(
        gateway.accepted_domains,
        List,
        "Domains beside members.domains to which an inbound listener that other machines reach takes mail. To any other\n\
         it refuses to relay (550).",
        "a list of domain names in ASCII",
        ""
    ),
    row!(
        gateway.hostname,
        Text,
        "The name we give ourselves in SMTP. Not set: the machine's name.",
        "a host name in ASCII",
        "\"mail.example.test\""
    ),
    row!(
        gateway.listeners,
        Toml,
        "The doors for mail. The direction belongs to the door, whatever a mail says: only mail that enters by an\n\
         outbound one is ever signed. Never connect an outbound door to mail from outside.\n\
         A door that other machines reach needs tls = \"require\", and networks or certificates: who may connect (both:\n\
         both must fit; certificates are names in certificates by tls.client_ca, \"*\" is any of them). submission = true:\n\
         mail programs connect here themselves, and policy.senders knows them by their certificate and address.",
        "a list of { protocol = \"smtp\" or \"lmtp\", address = \"127.0.0.1:port\" or \"unix:/path\", direction = \"outbound\" \
         or \"inbound\" }, with class = \"a name\" for policy.senders, tls = \"off\", \"may\" or \"require\", networks = \
         [\"192.0.2.0/24\"], certificates = [\"mail.example.com\"], socket_mode = \"0660\", submission = true",
        ""
    ),
    row!(
        tls.certificate,
        Text,
        "The certificate that the mail listeners show, and what leads from it to its issuer; also shown to a next hop that\n\
         asks for one. The files of [tls] are read again when they change.",
        "a file name (PEM)",
        "\"/etc/kakitome/tls/mail.pem\""
    ),
    row!(tls.key, Text, "Its private key.", "a file name (PEM, not encrypted)", "\"/etc/kakitome/tls/mail.key\""),
    row!(
        tls.client_ca,
        Text,
        "The CA, or several, that made the certificates of clients. It should make no others: whoever has one of its\n\
         certificates can hand in mail where certificates = [\"*\"].",
        "a file name (PEM)",
        "\"/etc/kakitome/tls/clients-ca.pem\""
    ),
    row!(
        tls.next_hop,
        Text,
        "TLS towards the next hop. \"may\" takes it where it is offered, and verifies nobody; \"require\" verifies the next\n\
         hop's certificate against the host in gateway.next_hop, and sends nothing without. Mail with REQUIRETLS\n\
         (RFC 8689) goes out only with \"require\".",
        "\"off\", \"may\" or \"require\"",
        ""
    ),
    row!(
        tls.next_hop_ca,
        Text,
        "The CA, or several, that may have made the next hop's certificate.",
        "a file name (PEM)",
        "\"/etc/kakitome/tls/next-hop-ca.pem\""
    ),
    row!(
        policy.sign,
        Text,
        "How a member's mail is signed where no rule says: clear is read by every mail program, opaque survives servers\n\
         that change parts, but only S/MIME programs can read it (webmail, telephones and lists get clear all the same).\n\
         With \"never\", only mail is signed for which a rule says so.",
        "\"clear\", \"opaque\" or \"never\"",
        ""
    ),
    row!(
        policy.header_protection,
        Toml,
        "Whether the signature covers the header fields too, where no rule says (RFC 9788): From, To, Subject, Date and\n\
         the like. The visible ones stay as they are.",
        "true or false",
        ""
    ),
    row!(
        policy.also_sign,
        List,
        "Kinds of mail that pass as they are unless they stand here: automatic replies, reports (bounces, receipts),\n\
         what a discussion list hands out, calendar invitations, Outlook's winmail.dat.",
        "a list of \"reply\", \"report\", \"list\", \"calendar\" and \"tnef\"",
        ""
    ),
    row!(
        policy.encrypt,
        Text,
        "How strictly a mail is encrypted where no rule says. when-possible: where a certificate of every recipient outside\n\
         is known, and the mail is signed. always: without a certificate nothing of it leaves, and it is refused.\n\
         always-or-hold: without a certificate it waits in the mail server in front, and its sender is told once.\n\
         Members get their copies in clear unless a rule names them.",
        "\"never\", \"when-possible\", \"always\" or \"always-or-hold\"",
        ""
    ),
    row!(
        policy.confidential,
        Text,
        "How strictly a mail is encrypted whose author asks for it: by the field X-Kakitome-Intent: confidential, or by a\n\
         tag in its subject.",
        "\"always\" or \"always-or-hold\"",
        ""
    ),
    row!(
        policy.tags,
        Toml,
        "Words in the subject by which an author asks; the case of letters does not count, and the word is taken out before\n\
         the mail leaves. The intents are those of RFC 9787: confidential (signed and encrypted), verified (signed),\n\
         unprotected. X-Kakitome-Intent has the same values. The strongest counts; less than the policy counts only where\n\
         sender_may_lower is true.",
        "a list such as [{ tag = \"[secure]\", intent = \"confidential\" }, { tag = \"【暗号化】\", intent = \"confidential\" }]",
        ""
    ),
    row!(
        policy.sender_may_lower,
        Toml,
        "Whether an author may ask for less than the policy, where no rule says.",
        "true or false",
        ""
    ),
    row!(
        policy.mixed,
        Toml,
        "Whether some recipients may get a mail encrypted and others the same mail in clear; then its sender is told.\n\
         false: if one recipient must get it encrypted, all outside must; if encryption is only when possible, all or none.",
        "true or false",
        ""
    ),
    row!(
        policy.hide,
        Text,
        "What of the header is hidden in an encrypted mail where no rule says (RFC 9788): baseline puts [...] in the place\n\
         of the subject and takes comments and keywords away, shy also names and the time zone. Mail programs that do not\n\
         know it show the [...].",
        "\"baseline\", \"shy\" or \"nothing\"",
        ""
    ),
    row!(
        policy.cipher_floor,
        Text,
        "The weakest cipher, where no rule says. AES-GCM is taken where all who share a copy are known to read it; as the\n\
         floor it is taken for everybody.",
        "\"aes128-cbc\", \"aes256-cbc\", \"aes128-gcm\" or \"aes256-gcm\"",
        ""
    ),
    row!(
        policy.seal_to_author,
        Toml,
        "Whether each encrypted copy is also encrypted to its author's own certificate, so that he, or an archive that has\n\
         his key, can read it again.",
        "true or false",
        ""
    ),
    row!(
        policy.notices_from,
        Text,
        "In whose name senders are told that their mail waits: a member's address, and the notice is signed. Not set: the\n\
         postmaster of the first member domain, and it is not signed.",
        "an address of a member domain",
        "\"postmaster@example.com\""
    ),
    row!(
        policy.submission_host,
        Text,
        "The name that your submission server gives itself (Postfix: myhostname). With it, the login and the client\n\
         certificate are read from the topmost Received field, if this host wrote it. Not set: nobody is known by them.",
        "a host name in ASCII",
        "\"mail.example.com\""
    ),
    row!(
        policy.senders,
        Toml,
        "Who may sign as whom. Empty: whoever enters by an outbound listener may sign as every member. Else mail is\n\
         signed only where a rule allows it: every condition of the rule holds (class of the listener, network of the\n\
         client, login, certificate with issuer) and From is among what it allows. login = \"*\" is any login; from takes\n\
         addresses, domains, \"*\" (every member) and \"own\" (the login itself). docs/policy.md has examples.",
        "a list such as [{ login = \"*\", from = [\"own\"] }, { network = \"192.0.2.0/24\", from = [\"shop@example.com\"] }]",
        ""
    ),
    row!(
        policy.rules,
        Toml,
        "What a mail becomes, by author (from) and recipient (to): sign, encrypt, header_protection, hide, digest\n\
         (\"sha256\", \"sha384\", \"sha512\"), cipher_floor, rsa (\"pkcs1\", \"pss-oaep\"), sender_may_lower, max_size (in\n\
         bytes: larger once signed, it leaves unsigned). For each of these the first rule counts that says it. A domain\n\
         stands for its own addresses, not for those of domains below it.",
        "a list such as [{ to = [\"fax.example\"], sign = \"never\" }, { to = [\"bank.example\"], encrypt = \"always\" }, { from = [\"board@example.com\"], digest = \"sha512\" }]",
        ""
    ),
    row!(
        inbound.next_hop,
        Text,
        "The mail server that takes received mail after us, by SMTP: a way back of its own, where no milter signs in your\n\
         name. Not set: gateway.next_hop.",
        "\"smtp://host:port\" or \"host:port\"",
        "\"smtp://127.0.0.1:10027\""
    ),
    row!(
        inbound.authserv_id,
        Text,
        "The name that our results bear in Authentication-Results (RFC 8601). Whatever a mail brings along under this name is\n\
         forged and taken out: so it must not be the name that your DKIM or DMARC milter writes. Not set: gateway.hostname,\n\
         or the machine's name.",
        "a name like that of a host, in ASCII",
        "\"kakitome.example.com\""
    ),
    row!(
        inbound.language,
        Text,
        "The language of the one sentence in the header of a received mail (X-Kakitome-Text).",
        "\"en\" or \"ja\"",
        ""
    ),
    row!(
        inbound.decrypt,
        Text,
        "What is opened of the mail that is sealed to members. \"authenticated\" is what nobody can have changed unseen: by\n\
         its cipher, or because a signature inside was confirmed. What is not opened is delivered as it came.",
        "\"always\", \"authenticated\" or \"never\"",
        ""
    ),
    row!(
        inbound.subject_tag,
        Toml,
        "Whether the answer stands in front of the subject, too. This changes the mail: DKIM and ARC no longer hold behind\n\
         us. A subject that the sender's signature covers is left alone.",
        "true or false",
        ""
    ),
    row!(
        inbound.strip_signatures,
        Toml,
        "Whether a confirmed signature is taken off. Then nobody can check the mail again.",
        "true or false",
        ""
    ),
    row!(
        directory.http,
        Toml,
        "Certificate stores of other houses (RFC 4387), asked for addresses of their domain of which no certificate is\n\
         known. The address takes the place of {email} in the URL, else ?email= and the address stand behind it. What\n\
         comes is judged like any other certificate. Only with fetch.enabled.",
        "a list such as [{ domain = \"partner.example\", url = \"https://certs.partner.example/search.cgi\" }]",
        ""
    ),
    row!(
        directory.demand_revocation_answer,
        Toml,
        "Whether a certificate is encrypted to only if somebody says that it was not revoked. With false, one of which\n\
         nobody could say is used where there is no better, and explain tells it.",
        "true or false",
        ""
    ),
    row!(
        directory.publish,
        Toml,
        "Whether others may ask for the certificates of members at /search.cgi below web.public_url (RFC 4387): by the\n\
         exact address, or a key that belongs to one certificate. Nothing is listed. Only where web.public_url is set.",
        "true or false",
        ""
    ),
    row!(web.address, Text, "Where the check page is served.", "an IP address with a port", ""),
    row!(
        web.private_networks,
        List,
        "Networks from which /metrics and /readyz may be read, beside this machine. Never through a proxy: what comes with\n\
         X-Forwarded-For or Forwarded is from elsewhere.",
        "a list of address ranges, such as 10.1.2.3/32 or fd00:1::/64",
        ""
    ),
    row!(
        web.public_url,
        Text,
        "What the outside calls the check page. Not set: certificates of the own CA carry no URL for revocation.",
        "an absolute http or https URL",
        "\"https://check.example.test\""
    ),
    row!(web.max_mail, Number, "The largest mail that the check page takes, in bytes.", "a number of bytes from 1", ""),
    row!(
        check.protected,
        Toml,
        "Names that others like to pose as, and who really sends under them: addresses, or domains with all that is\n\
         below. A confirmed sender who is none of these, but whose name or domain looks like it, is told to be somebody\n\
         else. List every domain that the owner sends from. Every mail is compared with it; nobody is looked up.",
        "a list such as [{ name = \"例示銀行\", senders = [\"bank.example\", \"info@partner.example\"] }]",
        ""
    ),
    row!(
        check.correspondents,
        List,
        "Addresses that the readers of this Kakitome write with. A sender who looks like one of them is told to be\n\
         somebody else.",
        "a list of addresses such as [\"taro@partner.example\"]",
        ""
    ),
    row!(
        check.correspondents_file,
        Text,
        "A file with more of them: one address on a line, alone or as \"Name <address>\"; lines that begin with # do not\n\
         count.",
        "a file name",
        "\"/etc/kakitome/correspondents.txt\""
    ),
    row!(
        check.expected_signers,
        List,
        "Addresses and domains that sign every mail. A mail in their name without a signature is told to be one that\n\
         lacks it. A domain stands for its own addresses, not for those of domains below it.",
        "a list of addresses and domains such as [\"bank.example\"]",
        ""
    ),
    row!(
        check.delivery_log,
        Text,
        "A file of our own that says when signed mail was delivered: on each line a time in RFC 3339 and the SHA-256 of\n\
         the signature in hexadecimal, as `check --json` gives it. Such a mail is judged for the moment of its delivery.",
        "a file name",
        "\"/var/lib/kakitome/deliveries.log\""
    ),
    row!(
        fetch.enabled,
        Toml,
        "Whether anything is asked outside while a mail is checked: revocation lists and OCSP responses that a\n\
         certificate names, and names of the DNS. What is asked of whom stands in docs/evidence.md. false is what\n\
         --offline is for one check.",
        "true or false",
        ""
    ),
    row!(
        fetch.allow_private,
        List,
        "Networks that are not the public Internet and from which is fetched all the same, at any port: where the CA of\n\
         your organisation publishes its lists. Whoever gets a certificate from a trusted CA chooses which address in\n\
         them is asked, so name the CA's servers, not the whole network.",
        "a list of address ranges, such as 10.1.2.3/32 or fd00:1::/64",
        ""
    ),
    row!(
        fetch.issuer_hosts,
        List,
        "Hosts from which the certificate of an issuer is fetched that a mail left out. Such a certificate leads to no\n\
         trusted issuer yet, so the place that it names is the word of whoever wrote the mail; only hosts of certificate\n\
         authorities should stand here.",
        "a list of host names in ASCII",
        ""
    ),
    row!(
        fetch.time,
        Number,
        "How long all questions for one mail may take, in seconds. What has not come by then could not be found out.",
        "a number of seconds from 1",
        ""
    ),
    row!(
        fetch.max_list,
        Number,
        "The largest revocation list that is fetched, in bytes; never more than 64 MiB.",
        "a number of bytes from 1",
        ""
    ),
    row!(
        store.url,
        Text,
        "The PostgreSQL database in which everything is kept, for several nodes at once; docs/store.md says how one is\n\
         made. A server on another machine is reached by TLS, and its certificate verified, unless sslmode says less. Not\n\
         set: SQLite, in the data directory.",
        "a URL as PostgreSQL's own programs take it, with sslmode = disable, prefer, require, verify-ca or verify-full, \
         and sslrootcert = a file",
        "\"postgresql://kakitome@db.example.test/kakitome?sslrootcert=/etc/kakitome/db-ca.pem\""
    ),
    row!(
        store.password_file,
        Text,
        "A file with the password of that database in its first line, so that it need not stand in the URL.",
        "a file name",
        "\"/etc/kakitome/database.password\""
    ),
    row!(
        deploy.imap_host,
        Text,
        "Files for members' own mail programs (docs/deploy.md): where they read their mail by IMAP (port 993). With\n\
         deploy.smtp_host, the profile for iPhone, iPad and Mac sets up the account, too.",
        "a host name in ASCII",
        "\"imap.example.com\""
    ),
    row!(
        deploy.smtp_host,
        Text,
        "Where they send it by submission (port 587).",
        "a host name in ASCII",
        "\"smtp.example.com\""
    ),
    row!(
        deploy.exchange_host,
        Text,
        "Where their mail lies in an Exchange, instead.",
        "a host name in ASCII",
        "\"outlook.office365.com\""
    ),
    row!(
        deploy.sign_as,
        Text,
        "The address of yours whose certificate signs profiles for iPhone, iPad and Mac. Not set: each is signed by the\n\
         certificate of its member.",
        "an address",
        "\"it@example.com\""
    ),
    row!(
        deploy.link_minutes,
        Number,
        "How long the link stands by which a member downloads his file once.",
        "a number of minutes from 1 to 10080 (seven days)",
        ""
    ),
    row!(
        vault.key_file,
        Text,
        "The file with the key that seals all other keys. Not set: systemd's credential kakitome.sealing-key, or else\n\
         sealing.key in the data directory. Whoever has this file and the store has every key, unless it is under a\n\
         passphrase (`kakitome store rekey --passphrase`); who loses it has none.",
        "a file name",
        "\"/etc/kakitome/sealing.key\""
    ),
    row!(
        vault.passphrase_file,
        Text,
        "A file with the passphrase that the sealing key is under, in its first line. Not set: KAKITOME_SEALING_PASSPHRASE\n\
         in the environment, systemd's credential kakitome.passphrase, or a question on the terminal.",
        "a file name",
        "\"/run/secrets/kakitome-passphrase\""
    ),
    row!(
        process.user,
        Text,
        "Whom root becomes who starts `kakitome up`, when the sockets are bound (ports below 1024 need root) and before\n\
         anything else. The data directory must belong to it. Not set: the process stays who started it. Where systemd\n\
         starts it, User= is the better way (docs/operation.md).",
        "the name of a user of the system, not root",
        "\"kakitome\""
    ),
    row!(
        process.group,
        Text,
        "The group. Not set: that user's own.",
        "the name of a group of the system, not root",
        "\"kakitome\""
    ),
    row!(log.level, Text, "What is written to the log.", "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"", ""),
    row!(log.format, Text, "How: for people, or an object of JSON on each line.", "\"text\" or \"json\"", ""),
];

/// What is wrong with the settings, where, and what is allowed there.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Row {
    fn variable(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}_{}", self.section.to_uppercase(), self.key.to_uppercase())
    }

    fn apply(&self, settings: &mut Settings, value: Value, place: &str) -> Result<(), SettingsError> {
        (self.set)(settings, value.clone()).map_err(|problem| {
            let (section, key, allowed) = (self.section, self.key, self.allowed);
            // A password may stand in it.
            let value = if (section, key) == ("store", "url") { "…".to_owned() } else { value.to_string() };
            SettingsError(format!("{place}: {section}.{key} = {value}: {problem}; allowed is {allowed}"))
        })
    }

    fn value_of(&self, variable: &str) -> Option<Value> {
        Some(match self.shape {
            Shape::Text => Value::String(variable.to_owned()),
            Shape::Number => Value::Integer(variable.trim().parse().ok()?),
            Shape::List => {
                Value::Array(variable.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
            }
            Shape::Toml => format!("value = {variable}").parse::<Table>().ok()?.remove("value")?,
        })
    }

    /// `key = value`, a list of tables over several lines.
    fn line(&self, value: &Value) -> String {
        match value.as_array().filter(|items| items.iter().any(Value::is_table)) {
            Some(items) => {
                let items: String = items.iter().map(|item| format!("    {item},\n")).collect();
                format!("{} = [\n{items}]\n", self.key)
            }
            None => format!("{} = {value}\n", self.key),
        }
    }
}

impl Settings {
    /// Reads the file, then lays the environment over it. Without a file, the defaults stand below the environment.
    ///
    /// Variables that begin with `KAKITOME_` and a section's name must name a setting; others are not looked at.
    ///
    /// # Errors
    /// The file cannot be read, is larger than [`MAX_FILE`] or is not TOML; a key is unknown; a value is not allowed;
    /// [`Settings::problems`].
    pub fn load(config: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        if let Some(path) = config {
            let place = path.display().to_string();
            let unreadable = |error| SettingsError(format!("{place}: the settings cannot be read: {error}"));
            let size = fs::metadata(path).map_err(unreadable)?.len();
            if size > MAX_FILE {
                return Err(SettingsError(format!("{place}: {size} bytes are too many for a settings file")));
            }
            let text = fs::read(path).map_err(unreadable)?;
            let text = String::from_utf8(text)
                .map_err(|_| SettingsError(format!("{place}: the settings are not UTF-8; save the file as UTF-8")))?;
            settings.read(&text, &place)?;
        }
        for (name, value) in env {
            settings.read_variable(&name, &value)?;
        }
        let problems = settings.problems();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems.join("\n"))) }
    }

    fn read(&mut self, text: &str, place: &str) -> Result<(), SettingsError> {
        let table: Table =
            text.parse().map_err(|error| SettingsError(format!("{place}: {}", value::not_toml(text, &error))))?;
        for (section, keys) in table {
            let known: Vec<&Row> = ROWS.iter().filter(|row| row.section == section).collect();
            let (false, Value::Table(keys)) = (known.is_empty(), keys) else {
                let mut sections: Vec<_> = ROWS.iter().map(|row| format!("[{}]", row.section)).collect();
                sections.dedup();
                let sections = sections.join(", ");
                return Err(SettingsError(format!("{place}: {section:?} is no section; there are {sections}")));
            };
            for (key, value) in keys {
                let Some(row) = known.iter().find(|row| row.key == key) else {
                    let keys = known.iter().map(|row| row.key).collect::<Vec<_>>().join(", ");
                    let problem = format!("{place}: {section}.{key} = {value}: unknown key; [{section}] has {keys}");
                    return Err(SettingsError(problem));
                };
                row.apply(self, value, place)?;
            }
        }
        Ok(())
    }

    fn read_variable(&mut self, name: &str, value: &str) -> Result<(), SettingsError> {
        let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { return Ok(()) };
        let place = format!("environment variable {name}");
        if let Some(row) = ROWS.iter().find(|row| row.variable() == name) {
            let value = row.value_of(value).ok_or_else(|| {
                SettingsError(format!("{place}: {value:?} cannot be read; allowed is {}", row.allowed))
            })?;
            return row.apply(self, value, &place);
        }
        match rest
            .split_once('_')
            .and_then(|(section, _)| ROWS.iter().find(|row| row.section.to_uppercase() == section))
        {
            Some(Row { section, .. }) => {
                Err(SettingsError(format!("{place} = {value:?}: no setting of [{section}] has this name")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
