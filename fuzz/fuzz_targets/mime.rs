//! Any bytes are a mail: the scan ends, every range lies inside the mail and inside its parent, and header text is shown
//! in one line.
#![no_main]

use kakitome_smime::mime::{header, scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mail = data.to_vec();
    let length = mail.len() as u64;
    let structure = scan::scan(&mail, 0..length).expect("memory does not fail");
    for entity in &structure.entities {
        assert!(entity.range.start <= entity.range.end && entity.range.end <= length);
        assert!(entity.body.start <= entity.body.end && entity.body.end <= entity.range.end);
        if let Some(parent) = entity.parent.and_then(|parent| structure.entity(parent)) {
            assert!(parent.range.start <= entity.range.start && entity.range.end <= parent.range.end);
        }
        let _ = entity.file_name();
        let _ = entity.content_type.text("name");
        for field in &entity.header.fields {
            let shown = header::decode(entity.header.value(field));
            assert!(!shown.contains(['\r', '\n']));
        }
    }
});
