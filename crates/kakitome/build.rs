//! Tells the linker to take GCC's unwinder into the program.
//!
//! Rust's library asks for it as libgcc_s, which is then found, mapped and relocated anew at every start: 6 % of what a
//! short command costs. `-static-libgcc` changes nothing, since the library is named; so a script of that name, which
//! stands first in the search, names the archives that every GCC has.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|known| known == value);
    let Some(out) = env::var_os("OUT_DIR") else { return Ok(()) };
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        let out = Path::new(&out);
        fs::write(out.join("libgcc_s.so"), "GROUP ( libgcc_eh.a libgcc.a )\n")?;
        println!("cargo::rustc-link-search=native={}", out.display());
    }
    Ok(())
}
