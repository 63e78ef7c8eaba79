//! The doors for mail. What would be an open relay cannot be one: whoever holds a [`Listener`] knows that strangers are
//! kept out of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use kakitome_office::evidence::fetch::Network;
use serde::{Deserialize, Serialize};

/// The widest network that an outbound listener may serve, in bits of its prefix. A wider one is no site's own.
const WIDEST_NETWORK: u8 = 8;
/// What stands before the path of a Unix socket.
const UNIX: &str = "unix:";
/// The mode of a Unix socket where none is given: its owner and group.
const SOCKET_MODE: u32 = 0o660;

/// How a listener speaks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 5321: one reply after DATA.
    Smtp,
    /// RFC 2033: one reply for each recipient after DATA.
    Lmtp,
}

/// Which way mail goes. It belongs to the listener, never to what a mail says of itself: only mail that entered by an
/// outbound listener is ever signed, so mail forged outside cannot be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the members to the world.
    Outbound,
    /// From the world to the members.
    Inbound,
}

/// Whether a connection is encrypted (RFC 3207).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Never: STARTTLS is not offered, or not used.
    #[default]
    Off,
    /// Where the client, or the next hop, can.
    May,
    /// No mail goes without.
    Require,
}

/// One door for mail.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Listener {
    /// How it speaks.
    pub protocol: Protocol,
    /// Which way mail goes that enters here.
    pub direction: Direction,
    /// What the rules of policy.senders call whoever may connect here.
    pub class: Option<String>,
    /// Mail programs hand in mail here themselves, not a server that asked who they are: what a mail or XFORWARD tells of
    /// the author is his own word, and his certificate is the connection's.
    pub submission: bool,
    access: Access,
}

/// Where a listener stands, and who may come in.
#[derive(Clone, Debug, PartialEq)]
struct Access {
    place: Place,
    tls: Tls,
    networks: Vec<Network>,
    certificates: Vec<String>,
}

/// Where a listener stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system, and its mode: who may write to it may connect.
    Unix(PathBuf, u32),
}

/// The same as it stands in the file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    protocol: Protocol,
    address: String,
    direction: Direction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    socket_mode: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    tls: Tls,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    networks: Vec<Network>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    submission: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Listener {
    /// On 127.0.0.1, for whoever is on this machine.
    pub(super) fn local(protocol: Protocol, port: u16, direction: Direction) -> Self {
        let place = Place::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let access = Access { place, tls: Tls::Off, networks: Vec::new(), certificates: Vec::new() };
        Self { protocol, direction, class: None, submission: false, access }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.access.place
    }

    /// Can other machines connect? Then TLS is required, and clients are known by network or certificate.
    pub fn is_open(&self) -> bool {
        self.access.place.is_open()
    }

    /// Whether its connections are encrypted.
    pub fn tls(&self) -> Tls {
        self.access.tls
    }

    /// Must a client show a certificate?
    pub fn wants_certificate(&self) -> bool {
        !self.access.certificates.is_empty()
    }

    /// May this address connect? Where no network is named, every address may.
    pub fn serves(&self, client: Option<IpAddr>) -> bool {
        let holds = |client: IpAddr| self.access.networks.iter().any(|network| network.holds(client.to_canonical()));
        self.access.networks.is_empty() || client.is_some_and(holds)
    }

    /// May a client with a verified certificate of these names hand in mail?
    pub fn trusts(&self, names: &[String]) -> bool {
        let known = |wanted: &String| wanted == "*" || names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        self.access.certificates.is_empty() || (!names.is_empty() && self.access.certificates.iter().any(known))
    }
}

impl Place {
    fn is_open(&self) -> bool {
        match self {
            Self::Tcp(address) => !address.ip().to_canonical().is_loopback(),
            Self::Unix(..) => false,
        }
    }

    fn read(text: &str, mode: Option<&str>) -> Result<Self, String> {
        let Some(path) = text.strip_prefix(UNIX) else {
            if mode.is_some() {
                return Err("socket_mode is for an address that begins with unix:".to_owned());
            }
            return text.parse().map(Self::Tcp).map_err(|_| format!("{text:?} is not an IP address with a port"));
        };
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(format!("{text:?}: the path of a socket is absolute, as in unix:/run/kakitome/lmtp"));
        }
        let octal = |mode: &str| u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o777);
        let mode = match mode {
            Some(mode) => octal(mode).ok_or_else(|| format!("socket_mode = {mode:?} is not such as \"0660\""))?,
            None => SOCKET_MODE,
        };
        Ok(Self::Unix(path, mode))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(to, "{address}"),
            Self::Unix(path, _) => write!(to, "{UNIX}{}", path.display()),
        }
    }
}

impl TryFrom<Written> for Listener {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { protocol, address, direction, class, socket_mode, tls, networks, certificates, submission } =
            written;
        let place = Place::read(&address, socket_mode.as_deref())?;
        let has_guests = !networks.is_empty() || !certificates.is_empty();
        if place.is_open() && (tls != Tls::Require || !has_guests) {
            return Err(format!(
                "{address:?} can be reached from other machines and would be an open relay: give it tls = \"require\" \
                 with STARTTLS, and say who may connect, by networks, by certificates, or by both; or let the mail server \
                 of this machine hand the mail on to a loopback address (docs/postfix.md)"
            ));
        }
        if !certificates.is_empty() && tls != Tls::Require {
            return Err("certificates are shown in TLS only: add tls = \"require\"".to_owned());
        }
        if matches!(place, Place::Unix(..)) && !networks.is_empty() {
            return Err("a socket in the file system has no networks: its mode says who may connect".to_owned());
        }
        if let Some(wide) = networks.iter().find(|network| network.prefix() < WIDEST_NETWORK) {
            return Err(format!("networks: {wide} is too wide to be known; name your own, or ask for certificates"));
        }
        if certificates.iter().any(|name| name.trim().is_empty()) {
            return Err("certificates: a name is empty".to_owned());
        }
        if submission && direction == Direction::Inbound {
            return Err("submission is for outbound listeners: mail programs of members connect there".to_owned());
        }
        Ok(Self { protocol, direction, class, submission, access: Access { place, tls, networks, certificates } })
    }
}

impl From<Listener> for Written {
    fn from(listener: Listener) -> Self {
        let Listener { protocol, direction, class, submission, access } = listener;
        let Access { place, tls, networks, certificates } = access;
        let socket_mode = match &place {
            Place::Unix(_, mode) if *mode != SOCKET_MODE => Some(format!("{mode:04o}")),
            _ => None,
        };
        let address = place.to_string();
        Self { protocol, address, direction, class, socket_mode, tls, networks, certificates, submission }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Listener, String> {
        let text = format!("listener = {{ protocol = 'smtp', direction = 'outbound', {text} }}");
        let mut table: toml::Table = text.parse().unwrap();
        table.remove("listener").unwrap().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn no_listener_is_an_open_relay() {
        // (what stands in the file, what the refusal says; empty: it is one)
        let rows = [
            ("address = '127.0.0.1:25'", ""),
            ("address = '[::1]:25'", ""),
            ("address = '[::ffff:127.0.0.1]:25'", ""),
            ("address = 'unix:/run/kakitome/smtp'", ""),
            ("address = 'unix:/run/kakitome/smtp', socket_mode = '0666'", ""),
            ("address = '0.0.0.0:25'", "open relay"),
            ("address = '[::]:25'", "open relay"),
            ("address = '192.0.2.1:25'", "open relay"),
            ("address = '[::ffff:192.0.2.1]:25'", "open relay"),
            ("address = '0.0.0.0:25', tls = 'require'", "open relay"),
            ("address = '0.0.0.0:25', networks = ['192.0.2.0/24']", "open relay"),
            ("address = '0.0.0.0:25', tls = 'may', networks = ['192.0.2.0/24']", "open relay"),
            ("address = '0.0.0.0:25', tls = 'may', certificates = ['*']", "open relay"),
            ("address = '0.0.0.0:25', tls = 'require', networks = ['0.0.0.0/0']", "too wide"),
            ("address = '0.0.0.0:25', tls = 'require', networks = ['::/0']", "too wide"),
            ("address = '0.0.0.0:25', tls = 'require', networks = ['192.0.2.0/24', '0.0.0.0/1']", "too wide"),
            ("address = '0.0.0.0:25', tls = 'require', certificates = ['']", "empty"),
            ("address = '0.0.0.0:25', tls = 'require', networks = ['192.0.2.0/24']", ""),
            ("address = '0.0.0.0:25', tls = 'require', certificates = ['mx.example.test']", ""),
            ("address = '[::]:25', tls = 'require', certificates = ['*'], networks = ['fd00::/8']", ""),
            ("address = '127.0.0.1:25', certificates = ['*']", "in TLS only"),
            ("address = '127.0.0.1:25', socket_mode = '0600'", "unix:"),
            ("address = 'unix:run/smtp'", "absolute"),
            ("address = 'unix:/run/smtp', socket_mode = '888'", "0660"),
            ("address = 'unix:/run/smtp', networks = ['10.0.0.0/8']", "its mode"),
            ("address = '127.0.0.1'", "with a port"),
            ("address = 'localhost:25'", "with a port"),
        ];
        for (text, refusal) in rows {
            match read(text) {
                Ok(listener) => {
                    assert!(refusal.is_empty(), "{text} was taken");
                    let written = toml::Value::try_from(&listener).unwrap();
                    assert_eq!(written.try_into::<Listener>().unwrap(), listener, "{text}");
                }
                Err(error) => assert!(!refusal.is_empty() && error.contains(refusal), "{text}: {error}"),
            }
        }
        let inbound = toml::from_str::<toml::Table>(
            "a = { protocol = 'smtp', direction = 'inbound', address = '127.0.0.1:1', submission = true }",
        );
        assert!(inbound.unwrap().remove("a").unwrap().try_into::<Listener>().is_err());
    }

    #[test]
    fn who_may_come_in() {
        let listener = read(
            "address = '0.0.0.0:25', tls = 'require', networks = ['192.0.2.0/24', '2001:db8::/32'], \
             certificates = ['MX.example.test', 'relay']",
        )
        .unwrap();
        let serves = |text: &str| listener.serves(Some(text.parse().unwrap()));
        assert!(serves("192.0.2.255") && serves("::ffff:192.0.2.1") && serves("2001:db8::1"));
        assert!(!serves("192.0.3.1") && !serves("127.0.0.1") && !listener.serves(None));
        let trusts = |names: &[&str]| listener.trusts(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(trusts(&["mx.example.test"]) && trusts(&["other", "relay"]));
        assert!(!trusts(&[]) && !trusts(&["*"]) && !trusts(&["mx2.example.test"]));
        let any = read("address = '127.0.0.1:25', tls = 'require', certificates = ['*']").unwrap();
        assert!(any.trusts(&["x".to_owned()]) && !any.trusts(&[]) && any.serves(None));
    }
}
