//! Any bytes are a CMS object (BER or not): reading ends with an object or a finding.
#![no_main]

use kakitome_smime::cms::content;
use kakitome_smime::octets::InMemory;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = content::read(&data.to_vec(), &InMemory).expect("memory does not fail");
});
