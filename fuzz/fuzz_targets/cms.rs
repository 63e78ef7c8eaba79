//! Any bytes are a CMS object (BER or not): reading ends with an object or a finding, and what was read can be verified,
//! opened with a key that fits, and expanded.
#![no_main]

use std::io;

use kakitome_pki::crypto::ContentKey;
use kakitome_smime::budget::{Budget, EXPANDED_LIMIT};
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::recipient::{Answer, Keys, Question, Unwrapped};
use kakitome_smime::cms::verify::{self, Content};
use kakitome_smime::octets::InMemory;
use libfuzzer_sys::fuzz_target;

/// Reads every recipient, and answers whatever is asked with a key of the right length.
struct Anybody;

impl Keys for Anybody {
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer> {
        let read = question.recipients.iter().filter(Result::is_ok).count();
        assert!(read <= question.recipients.len());
        let key = ContentKey::new(question.cipher, &vec![0x5a; question.cipher.key_len()]);
        Ok(key.map_or(Answer::NoKey, |key| Answer::Key(Unwrapped { key, recipient: Some(0), findings: Vec::new() })))
    }
}

fuzz_target!(|data: &[u8]| {
    let octets = data.to_vec();
    match content::read(&octets, &InMemory).expect("memory does not fail") {
        Object::Signed(signed) => {
            let empty: &[u8] = &[];
            let content = Content::Exact(signed.content.as_deref().unwrap_or(&empty));
            let _ = verify::verify(&signed, &content).expect("memory does not fail");
        }
        Object::Enveloped(enveloped) => {
            let _ = enveloped.open(&octets, &Anybody, &InMemory).expect("memory does not fail");
        }
        Object::Compressed(compressed) => {
            let opened = compressed.open(&octets, &InMemory, &Budget::default()).expect("memory does not fail");
            assert!(opened.is_err() || opened.is_ok_and(|content| content.len() <= EXPANDED_LIMIT));
        }
        _ => {}
    }
});
