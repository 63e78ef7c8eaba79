//! The rules about code: names, purity, the two fences, the direction of modules.

use super::Violation;
use super::source::{self, Named};

/// Crates that parse and judge, and do nothing else.
pub(super) const PURE: [&str; 3] = ["pki", "smime", "verdict"];

/// What shipped code of a pure crate may not name: facts come in as arguments.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::env",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];
/// The same by the end of a path, for what was imported first: `Instant::now`, `Timestamp::now`, `thread::spawn`.
const IMPURE_ENDS: [&str; 5] = ["::now", "thread::spawn", "SystemTime", "fs::read", "fs::write"];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 9] = ["util", "utils", "common", "helper", "helpers", "misc", "types", "shared", "utilities"];

/// Where the cryptographic library may be named.
const CRYPTOGRAPHY: [&str; 2] = ["crates/pki/src/crypto", "crates/awslc/"];
/// Where `unsafe` may stand.
const FENCE: &str = "crates/awslc/";

/// The order of modules inside a crate: each may use what stands to its left, and itself. Modules in one group do not
/// know each other.
const ORDER: [(&str, &[&[&str]]); 5] = [
    (
        "pki",
        &[
            &["asn1"],
            &["algorithm"],
            &["crypto"],
            &["address"],
            &["cert"],
            &["path"],
            &["identity", "roots"],
            &["issue"],
        ],
    ),
    ("smime", &[&["octets", "budget"], &["mime"], &["cms", "dkim"], &["message"]]),
    (
        "verdict",
        &[
            &["safe", "lang"],
            &["state", "reason", "lookup"],
            &["detail"],
            &["passage", "content"],
            &["answer"],
            &["sender"],
            &["certificate"],
            &["shown"],
            &["text"],
            &["wire"],
        ],
    ),
    (
        "office",
        &[
            &["fault", "batch"],
            &["spool", "store", "fields"],
            &["audit"],
            &["vault", "journal", "jobs", "members", "transfer", "remembered"],
            &["authority", "trust"],
            &["enrolment"],
            &["lifecycle"],
            &["evidence"],
            &["holder", "policy", "directory"],
            &["outgoing", "incoming", "deploy"],
        ],
    ),
    ("kakitome", &[&["settings"], &["metrics"], &["gateway", "web"], &["cli"]]),
];

/// No folder, file or crate has a name that says nothing.
pub(super) fn name(path: &str, found: &mut Vec<Violation>) {
    for part in path.split('/') {
        let stem = part.split('.').next().unwrap_or(part);
        if EMPTY_NAMES.contains(&stem.to_ascii_lowercase().as_str()) {
            found.push(Violation::new(path, 1, "name", format!("{stem:?} says nothing; name it after what it knows")));
        }
    }
}

/// All rules on one file of Rust.
pub(super) fn check(path: &str, text: &str, found: &mut Vec<Violation>) {
    let views = source::views(text);
    super::text::marks(path, &views.comments, found);
    let named = source::paths(&views.code);
    inline_names(path, &named, found);
    fences(path, &named, found);
    if is_test(path) {
        return;
    }
    let shipped = source::paths(&views.shipped);
    pure(path, &shipped, found);
    direction(path, &shipped, found);
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

/// `crates/pki/src/cert/name.rs` is in crate `pki`, module `cert::name`.
fn place(path: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = path.strip_prefix("crates/")?.split_once("/src/")?;
    let mut modules: Vec<&str> = rest.strip_suffix(".rs")?.split('/').collect();
    if matches!(modules.last(), Some(&"mod" | &"lib" | &"main")) {
        modules.pop();
    }
    Some((name, modules))
}

fn inline_names(path: &str, named: &[Named], found: &mut Vec<Violation>) {
    for pair in named.windows(2) {
        if let [word, name] = pair
            && word.path == "mod"
            && EMPTY_NAMES.contains(&name.path.as_str())
        {
            let advice = format!("module {:?} says nothing; name it after what it knows", name.path);
            found.push(Violation::new(path, name.line, "name", advice));
        }
    }
}

fn fences(path: &str, named: &[Named], found: &mut Vec<Violation>) {
    for Named { line, path: name } in named {
        if name == "unsafe" && !path.starts_with(FENCE) {
            let advice = "unsafe code stands in crates/awslc alone; find a safe way, or widen that fence";
            found.push(Violation::new(path, *line, "unsafe", advice));
        }
        if name.split("::").any(|part| part.starts_with("aws_lc"))
            && !CRYPTOGRAPHY.iter().any(|place| path.starts_with(place))
        {
            let advice = format!("{name} is named outside pki::crypto; add what is missing there and call that");
            found.push(Violation::new(path, *line, "cryptography", advice));
        }
    }
}

fn pure(path: &str, shipped: &[Named], found: &mut Vec<Violation>) {
    if !place(path).is_some_and(|(name, _)| PURE.contains(&name)) {
        return;
    }
    for Named { line, path: name } in shipped {
        let impure = IMPURE
            .iter()
            .any(|impure| name.strip_prefix(impure).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
            || IMPURE_ENDS.iter().any(|end| name.ends_with(end));
        if impure {
            let advice = format!("{name} reaches outside; this crate is pure, take what it gives as an argument");
            found.push(Violation::new(path, *line, "pure", advice));
        }
    }
}

fn direction(path: &str, shipped: &[Named], found: &mut Vec<Violation>) {
    let Some((crate_name, here)) = place(path) else { return };
    let Some((_, order)) = ORDER.iter().find(|(name, _)| *name == crate_name) else { return };
    let Some(own) = here.first() else { return };
    let rank = |module: &str| order.iter().position(|group| group.contains(&module));
    let Some(own_rank) = rank(own) else {
        let advice =
            format!("module {own:?} has no place in the order of {crate_name} (crates/xtask/src/tidy/code.rs)");
        found.push(Violation::new(path, 1, "direction", advice));
        return;
    };
    for Named { line, path: name } in shipped {
        let Some(used) = top_module(name, &here) else { continue };
        if used != *own && rank(used).is_some_and(|rank| rank >= own_rank) {
            let advice = format!("{own} may not use {used}: in {crate_name} it stands to its right or beside it");
            found.push(Violation::new(path, *line, "direction", advice));
        }
    }
}

/// The module directly below the crate's root that `name` leads to, if it begins with `crate` or climbs that far.
fn top_module<'a>(name: &'a str, here: &[&str]) -> Option<&'a str> {
    let mut parts = name.split("::").peekable();
    match parts.next()? {
        "crate" => parts.next(),
        "super" => {
            let mut climbed = 1;
            while parts.next_if_eq(&"super").is_some() {
                climbed += 1;
            }
            if climbed == here.len() { parts.next() } else { None }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that a file breaks, with their lines.
    fn broken(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let mut found = Vec::new();
        name(path, &mut found);
        check(path, text, &mut found);
        found.into_iter().map(|violation| (violation.rule, violation.line)).collect()
    }

    #[test]
    fn each_rule_refuses_and_allows() {
        type Row = (&'static str, &'static str, &'static [(&'static str, usize)]);
        let rows: [Row; 29] = [
            // pure
            ("crates/pki/src/cert/mod.rs", "use std::{io,\n fs};", &[("pure", 2)]),
            ("crates/pki/src/cert/mod.rs", "use std::fsx;", &[]),
            ("crates/smime/src/mime/mod.rs", "fn f() { std::env::var(\"X\"); }", &[("pure", 1)]),
            ("crates/verdict/src/wire.rs", "let t = Instant::now();", &[("pure", 1)]),
            ("crates/verdict/src/wire.rs", "jiff::Timestamp::now()", &[("pure", 1)]),
            ("crates/verdict/src/wire.rs", "// std::fs\nconst A: &str = \"std::fs\";", &[]),
            ("crates/verdict/src/wire.rs", "#[cfg(test)]\nmod tests { use std::fs; }", &[]),
            ("crates/pki/src/cert/tests.rs", "use std::fs;", &[]),
            ("crates/office/src/spool.rs", "use std::fs;", &[]),
            // name
            ("crates/office/src/util.rs", "", &[("name", 1), ("direction", 1)]),
            ("crates/shared/src/lib.rs", "", &[("name", 1)]),
            ("crates/office/src/store.rs", "mod helpers {}", &[("name", 1)]),
            ("crates/office/src/store.rs", "let common = 1;", &[]),
            // unsafe
            ("crates/office/src/store.rs", "fn f() {\n unsafe { g() } }", &[("unsafe", 2)]),
            ("crates/office/src/store.rs", "// unsafe\n#![forbid(unsafe_code)]", &[]),
            ("crates/awslc/src/lib.rs", "unsafe { aws_lc_sys::RSA_free(k) }", &[]),
            // cryptography
            ("crates/pki/src/cert/mod.rs", "use aws_lc_rs::digest;", &[("cryptography", 1)]),
            ("crates/pki/src/cert/mod.rs", "use kakitome_awslc::rsa;", &[]),
            ("crates/pki/src/crypto/sign.rs", "use aws_lc_rs::digest;", &[]),
            // direction
            ("crates/smime/src/mime/scan.rs", "use crate::cms::signed;", &[("direction", 1)]),
            ("crates/smime/src/mime/scan.rs", "use super::super::cms;", &[("direction", 1)]),
            ("crates/smime/src/mime/mod.rs", "use super::cms;", &[("direction", 1)]),
            ("crates/smime/src/mime/scan.rs", "use super::cms;", &[]),
            ("crates/smime/src/cms/mod.rs", "use crate::{octets::Octets, mime};", &[]),
            ("crates/smime/src/cms/mod.rs", "#[cfg(test)]\nmod tests { use crate::message; }", &[]),
            ("crates/kakitome/src/web/mod.rs", "use crate::gateway::run;", &[("direction", 1)]),
            ("crates/kakitome/src/main.rs", "use crate::cli;", &[]),
            ("crates/smime/src/novel.rs", "", &[("direction", 1)]),
            ("crates/xtask/src/tidy/code.rs", "use crate::docs;", &[]),
        ];
        for (path, text, expected) in rows {
            assert_eq!(broken(path, text), expected, "{path}: {text}");
        }
    }
}
