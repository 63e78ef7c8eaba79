//! Writes where each root of the built-in list begins, by the key of its name, in order: so that a search reads those that
//! it can meet, and not the whole list.

use std::path::Path;
use std::{env, fs, io};

const LIST: &str = "data/public-roots.pem";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    let list = fs::read_to_string(LIST)?;
    let mut places = Vec::new();
    let (mut at, mut start) = (0usize, 0usize);
    for line in list.split_inclusive('\n') {
        if line.starts_with("name: ") {
            start = at;
        } else if let Some(key) = line.strip_prefix("subject: ") {
            places.push((u64::from_str_radix(key.trim_end(), 16).map_err(io::Error::other)?, start));
        }
        at += line.len();
    }
    places.sort_unstable();
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("places.rs"), format!("{places:?}"))
}
