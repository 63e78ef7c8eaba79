//! A file as an attachment: what shows that it opens with a password is found, or not, in bounded time.
#![no_main]

use kakitome_verdict::content;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let octets = data.to_vec();
    let found = content::file(&octets).unwrap();
    assert_eq!(found, content::file(&octets).unwrap());
});
