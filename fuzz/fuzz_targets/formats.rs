//! Any bytes are a file of certificates, keys or requests: what it holds is told, every object of it is read or refused,
//! and a certificate is taken apart as far as it goes.
#![no_main]

use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::examine::{FLAW_LIMIT, examine};
use kakitome_pki::cert::file::{Kind, look};
use kakitome_pki::cert::request::Request;
use kakitome_pki::crypto::{EncryptedKey, outline_private_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (kind, block) in look(data).objects {
        match kind {
            Kind::Certificate => {
                let examined = examine(block.certificate());
                assert!(examined.flaws.len() <= FLAW_LIMIT);
                let is_refused = examined.flaws.iter().any(|found| found.flaw.is_refused());
                // What is refused has a name, and what is named so is refused.
                assert_eq!(Certificate::parse(block.certificate()).is_err(), is_refused);
            }
            Kind::Request => {
                if let Ok(request) = Request::parse(&block.der) {
                    let _ = request.verify_signature();
                }
            }
            Kind::PrivateKey => {
                let _ = outline_private_key(&block.der);
            }
            Kind::EncryptedKey => {
                let _ = EncryptedKey::parse(&block.der);
            }
            _ => {}
        }
    }
});
