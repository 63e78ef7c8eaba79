//! Writes the confusable characters of Unicode (UTS #39 §4) as tables that hold no pointer.
//!
//! Those of the crate that they come from hold 6,000, which the loader would put right at every start: 160 KB to be copied
//! page by page, a tenth of what a short command costs.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use unicode_normalization::UnicodeNormalization as _;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let (mut written, mut ends, mut taken) = (String::new(), String::new(), String::new());
    let (mut count, mut end) = (0usize, 0usize);
    for character in '\0'..=char::MAX {
        // A skeleton begins with NFD, so that no other characters are asked for.
        if !character.nfd().eq([character]) {
            continue;
        }
        let prototype: Vec<char> = unicode_security::skeleton(character.encode_utf8(&mut [0; 4])).collect();
        if prototype != [character] {
            count += 1;
            end += prototype.len();
            write!(written, "{character:?},").map_err(io::Error::other)?;
            write!(ends, "{end},").map_err(io::Error::other)?;
            prototype.iter().try_for_each(|one| write!(taken, "{one:?},")).map_err(io::Error::other)?;
        }
    }
    let text = format!(
        "/// Characters that can be taken for others, in order.\n\
         static WRITTEN: [char; {count}] = [{written}];\n\
         /// Where what each is taken for ends in [`TAKEN`]; it begins where that of the one before ends.\n\
         static ENDS: [u16; {count}] = [{ends}];\n\
         static TAKEN: [char; {end}] = [{taken}];\n"
    );
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("confusables.rs"), text)
}
