//! Any bytes are a PKCS#12 file: its outline says what it costs, and it opens or is refused, with the password that the
//! first octet chooses.
#![no_main]

use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::pkcs12::{open, outline};
use libfuzzer_sys::fuzz_target;

/// Rounds that an input may take: more of them find nothing more.
const ROUNDS: u32 = 5_000;

fuzz_target!(|data: &[u8]| {
    let Some((first, file)) = data.split_first() else { return };
    let Ok(protections) = outline(file) else { return };
    let rounds = protections.iter().map(|one| one.rounds().unwrap_or(u32::MAX));
    if rounds.fold(0u32, u32::saturating_add) > ROUNDS {
        return;
    }
    let password = ["", "password", "パスワード"][usize::from(*first) % 3];
    let Ok(opened) = open(file, password) else { return };
    for der in opened.certificates() {
        let _ = Certificate::parse(der);
    }
});
