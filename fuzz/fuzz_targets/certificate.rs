//! Any bytes are a certificate: reading refuses or gives one that can be asked everything, by its own key too.
#![no_main]

use kakitome_pki::cert::Certificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(certificate) = Certificate::parse(data) else { return };
    assert_eq!(certificate.raw(), data);
    let _ = certificate.serial_hex();
    let _ = certificate.is_self_issued();
    let _ = certificate.is_valid_at(certificate.not_before());
    let _ = certificate.verify_signature(certificate.key());
});
