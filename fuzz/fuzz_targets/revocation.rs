//! Any bytes are a revocation list, an OCSP response or a question to a responder: refused, or fit to be asked everything.
#![no_main]

use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::{OcspResponse, Question};
use kakitome_pki::issue::lint_list;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(list) = Crl::parse(data) {
        assert_eq!(list.raw(), data);
        assert_eq!(list.is_empty(), list.len() == 0);
        let _ = (list.number(), list.base(), list.scope(), list.unknown_critical());
        let _ = list.entry(&[1], list.issuer());
        let _ = lint_list(&list);
    }
    if let Ok(response) = OcspResponse::parse(data)
        && let Ok(basic) = response.basic()
    {
        let _ = (basic.responder(), basic.produced_at(), basic.nonce(&[1]));
        for certificate in basic.certificates() {
            let _ = basic.is_by(certificate);
            let _ = basic.verify_signature(certificate.key());
            let _ = basic.answers(certificate, certificate);
        }
    }
    if let Ok(question) = Question::parse(data) {
        assert!(!question.asked.is_empty());
        assert!(question.asked.iter().all(|asked| asked.serial().len() <= asked.raw().len()));
    }
});
