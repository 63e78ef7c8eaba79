//! Where Kakitome knowingly answers otherwise than a row says.

/// What is answered instead of what is right.
pub struct Exception {
    /// Which row.
    pub id: &'static str,
    /// The state that is answered.
    pub state: &'static str,
    /// The reason that decides.
    pub code: &'static str,
    /// Why.
    pub why: &'static str,
}

const fn exception(id: &'static str, state: &'static str, code: &'static str, why: &'static str) -> Exception {
    Exception { id, state, code, why }
}

/// All of them. A row that is answered rightly and stands here fails.
pub const EXCEPTIONS: &[Exception] = &[
    exception(
        "G17o",
        "NOT_SIGNED",
        "mime.none",
        "whether a PDF opens with an empty password is not tried (MD5, RC4): it counts as one with a password",
    ),
    exception(
        "H06f",
        "AMBIGUOUS",
        "bind.parse",
        "raw Shift_JIS may hold octets that another program takes for an address",
    ),
    exception(
        "A21",
        "OLD_SIGNATURE",
        "time.expired-since",
        "time-stamp tokens are not verified yet, so nobody but the signer says when it was signed",
    ),
    exception("B02", "AMBIGUOUS", "cms.econtent-and-detached", "it has two flaws, and this one shows first"),
    exception("B04", "AMBIGUOUS", "mime.header", "attributes are no MIME part, and that shows first"),
    exception("B16", "AMBIGUOUS", "cms.esscert", "a signature that names another certificate is not looked into"),
];
