//! Whom this instance believes beside its own CA: the public list that is part of the program, what the operator added to
//! it, and what he took out of it.

use std::sync::LazyLock;

use kakitome_pki::path::Anchor;
use kakitome_pki::roots::RootList;

/// The roots of Mozilla's program, as NSS has them; made by `cargo xtask roots` (docs/trust.md).
const PUBLIC: &str = include_str!("../data/public-roots.pem");

/// What the operator of an instance chose.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    /// Anchors that he added.
    pub anchors: Vec<Anchor>,
    /// Roots of the public list that he took out, by SHA-256.
    pub distrusted: Vec<[u8; 32]>,
}

/// The built-in list of publicly trusted e-mail roots. Costs nothing before a signature is judged.
pub fn built_in() -> RootList {
    static LIST: LazyLock<RootList> = LazyLock::new(|| RootList::embedded(PUBLIC));
    LIST.clone()
}

/// How an answer names the issuers that it was judged by: the public list, how many were added here (`+2`), and how many
/// of the list were taken out (`-1`).
pub(crate) fn label(list: &str, added: usize, taken_out: usize) -> String {
    let number = |sign: char, count: usize| if count == 0 { String::new() } else { format!("{sign}{count}") };
    format!("{list}{}{}", number('+', added), number('-', taken_out))
}
