//! Any bytes are what a client says: lines and commands come out whatever the pieces, and the same ones.
#![no_main]

use kakitome::gateway::command::{self, Lines};
use kakitome::gateway::data::DataReceiver;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut lines = Lines::default();
    let mut rest = data;
    loop {
        let (used, line) = lines.next(rest);
        if let Some(Ok(line)) = line {
            let _ = command::parse(line);
        }
        if used == 0 {
            break;
        }
        rest = &rest[used..];
    }

    // a text in one piece and byte by byte is the same text
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    let (mut at_once, mut slowly) = (DataReceiver::default(), DataReceiver::default());
    let used = at_once.push(data, &mut whole);
    let used_slowly: usize = data.iter().map(|byte| slowly.push(&[*byte], &mut pieces)).sum();
    assert_eq!((used, whole), (used_slowly, pieces));
});
