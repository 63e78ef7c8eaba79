//! What was asked outside of the mail for its answer, of whom, and how that ended.
//!
//! An end has one of three values: known, absent, unavailable. So silence can look neither like a failure of the mail nor
//! like a pass. Who asks is `kakitome-office`; here stand the words.

use kakitome_pki::asn1::time::Time;

use crate::lang::Lang;

/// One question to the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// What was asked for.
    pub what: Asked,
    /// About whom: the subject of a certificate, or a domain.
    pub about: String,
    /// Where: a URL as it stands in a certificate, or a name of the DNS.
    pub place: String,
    /// How it ended.
    pub end: End,
    /// More about that: what a server said, how long something is; may be empty.
    pub detail: String,
    /// When the answer came; earlier than the check where it was kept from another one.
    pub came: Option<Time>,
    /// Was it kept from another check, and nothing sent for this one?
    pub kept: bool,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is an answer.
    Known,
    /// Whoever should know says that there is none.
    Absent,
    /// It could not be found out.
    Unavailable(Cause),
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A revocation list.
    List,
    /// A delta list.
    DeltaList,
    /// An OCSP response.
    Response,
    /// The certificate of an issuer.
    Issuer,
    /// The certificates of an address, to encrypt to.
    Recipient,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Not http or https: `ldap:`, `file:` and the like.
    Scheme,
    /// Not a URL of the form that is fetched.
    Url,
    /// Only private or reserved addresses stand behind it.
    Address,
    /// A port that no such service has.
    Port,
    /// It led to another place too often, to another scheme, or in answer to a question that is not repeated.
    Redirect,
    /// The host is not among those from which a missing issuer may be fetched.
    Host,
    /// The name is not known, or could not be looked up.
    Name,
    /// Nobody took the connection.
    Connection,
    /// No answer in time.
    Timeout,
    /// TLS did not come about.
    Tls,
    /// An HTTP status that is no answer.
    Status,
    /// What came is not HTTP.
    Protocol,
    /// Longer than what is read.
    Size,
    /// What came is not what was asked for.
    Content,
    /// What came answers another request: made for somebody else, or an old one sent again.
    Nonce,
    /// It failed a short while ago, and is not asked again yet.
    Recent,
    /// This mail has cost enough questions, octets or time.
    Budget,
}

impl Asked {
    /// Its name on the wire; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "crl",
            Self::DeltaList => "delta-crl",
            Self::Response => "ocsp",
            Self::Issuer => "issuer",
            Self::Recipient => "recipient",
        }
    }

    /// Its name for people.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::List => lang.pick("失効リスト（CRL）", "revocation list (CRL)"),
            Self::DeltaList => lang.pick("差分の失効リスト", "delta revocation list"),
            Self::Response => lang.pick("失効の問い合わせ（OCSP）", "OCSP response"),
            Self::Issuer => lang.pick("発行元の証明書", "issuer's certificate"),
            Self::Recipient => lang.pick("宛先の証明書", "recipient's certificate"),
        }
    }

    /// Does it tell of revocation?
    pub const fn is_revocation(self) -> bool {
        matches!(self, Self::List | Self::DeltaList | Self::Response)
    }
}

impl End {
    /// Its name on the wire; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Absent => "absent",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The cause, where there is one.
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Unavailable(cause) => Some(cause),
            Self::Known | Self::Absent => None,
        }
    }

    /// For people.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Known => lang.pick("得られた", "known"),
            Self::Absent => lang.pick("ない、という返事", "absent: there is none"),
            Self::Unavailable(cause) => cause.title(lang),
        }
    }
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Scheme,
        Self::Url,
        Self::Address,
        Self::Port,
        Self::Redirect,
        Self::Host,
        Self::Name,
        Self::Connection,
        Self::Timeout,
        Self::Tls,
        Self::Status,
        Self::Protocol,
        Self::Size,
        Self::Content,
        Self::Nonce,
        Self::Recent,
        Self::Budget,
    ];

    /// Its name on the wire; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Url => "url",
            Self::Address => "address",
            Self::Port => "port",
            Self::Redirect => "redirect",
            Self::Host => "host",
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::Protocol => "protocol",
            Self::Size => "size",
            Self::Content => "content",
            Self::Nonce => "nonce",
            Self::Recent => "recent",
            Self::Budget => "budget",
        }
    }

    /// The cause of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// Is it we who refused to ask at all?
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Scheme | Self::Url | Self::Address | Self::Port | Self::Redirect | Self::Host)
    }

    /// For people.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Scheme => lang.pick("取りに行かない種類の場所", "not fetched: neither http nor https"),
            Self::Url => lang.pick("取りに行かない形の場所", "not fetched: not a plain URL"),
            Self::Address => {
                lang.pick("取りに行かない: 内部・予約のアドレス", "not fetched: a private or reserved address")
            }
            Self::Port => lang.pick("取りに行かない: 通常でないポート", "not fetched: an unusual port"),
            Self::Redirect => lang.pick("取りに行かない: よそへの転送", "not fetched: sent on elsewhere"),
            Self::Host => lang.pick("取りに行かない: 許されたホストでない", "not fetched: not an allowed host"),
            Self::Name => lang.pick("ホスト名が見つからない", "the host's name was not found"),
            Self::Connection => lang.pick("つながらない", "no connection"),
            Self::Timeout => lang.pick("時間切れ", "time-out"),
            Self::Tls => lang.pick("TLS でつながらない", "TLS failed"),
            Self::Status => lang.pick("サーバーのエラー", "the server said no"),
            Self::Protocol => lang.pick("HTTP の返事でない", "the answer is not HTTP"),
            Self::Size => lang.pick("大きすぎる", "too large"),
            Self::Content => lang.pick("中身が違う", "not what was asked for"),
            Self::Nonce => lang.pick("別の問い合わせへの返事", "an answer to another request (nonce)"),
            Self::Recent => lang.pick("少し前に失敗したばかり", "failed a short while ago"),
            Self::Budget => lang.pick("一通のメールの上限に達した", "the limit for one mail was reached"),
        }
    }
}
