//! Any bytes are a payload that claims to protect its header, and its own header stands around it: whatever it claims,
//! nothing that no layer protects is called protected, and what is taken out of a text was in it.
#![no_main]

use kakitome_smime::message::protect::{
    Around, Cipher, Cover, Outside, Policy, Protection, Response, display, misplaced, read, reply,
};
use kakitome_smime::mime::scan::scan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let octets = data.to_vec();
    let structure = scan(&octets, 0..u64::MAX).expect("memory does not fail");
    let outer = &structure.root().header;
    let _ = misplaced(&structure);
    for (signed, encrypted) in [(false, false), (true, false), (false, true), (true, true)] {
        let reading = read(outer, &octets, &structure, 0, Around { signed, encrypted }).expect("memory does not fail");
        let Some(protected) = reading.protected else { continue };
        for field in &protected.fields {
            let (is_signed, is_hidden) = match field.protection {
                Protection::Unprotected => (false, false),
                Protection::SignedOnly => (true, false),
                Protection::EncryptedOnly => (false, true),
                Protection::SignedAndEncrypted => (true, true),
            };
            assert!(signed || !is_signed);
            assert!(encrypted || !is_hidden);
        }
        let carried = display::carried(&structure, 0, &protected, encrypted);
        assert!(encrypted || carried.is_empty());
        let response = Response::new(&protected, &reply);
        assert!(encrypted || response.names().next().is_none());
        for policy in [Policy::Baseline, Policy::Shy, Policy::NoConfidentiality] {
            let cover = Cover::Cipher(Cipher { policy, response: response.clone() });
            for field in &outer.fields {
                if let Outside::Instead(value) = cover.outside(outer.name(field), outer.value(field)) {
                    // A fold, and no line that begins a field.
                    let lines = value.split(|octet| *octet == b'\n').skip(1);
                    assert!(lines.into_iter().all(|line| line.first().is_some_and(|first| matches!(first, b' ' | b'\t'))));
                }
            }
            let _ = display::add(&octets, &structure, policy, &mut Vec::new()).expect("memory does not fail");
        }
    }
    let text = String::from_utf8_lossy(data);
    assert!(text.ends_with(display::without_lines(&text)));
    assert!(display::without_divisions(&text).len() <= text.len());
});
