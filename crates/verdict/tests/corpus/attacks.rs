//! The attacks by which other programs were made to say yes: every published case that concerns reading a mail, by its
//! number, and the rows that try it. None of them is ever confirmed, but where the twin without the flaw is meant.
//!
//! Cases 1 to 18 make a verification say yes, 19 to 32 abuse decryption, 33 to 44 parsers and resources, 45 to 53 paths
//! and identity, 54 to 64 the mail around the signature, 65 to 68 post-quantum algorithms.

use std::collections::BTreeSet;
use std::path::Path;

use kakitome_testkit::corpus::{Row, rows};

use crate::judged;

/// The case, and the rows that try it.
const ROWS: &[(u8, &[&str])] = &[
    (1, &["B07", "B07o", "B08"]),
    (2, &["B01", "B01g", "B02"]),
    (3, &["B05", "B05r", "B06"]),
    (4, &["B13e", "X17"]),
    (5, &["B12c", "B12e", "B13"]),
    (6, &["B12d", "B12t", "B12"]),
    (7, &["X14", "X15"]),
    (8, &["X11", "B02o", "B04"]),
    (9, &["B14b"]),
    (10, &["B12s", "B12i", "X19", "B25", "B25o", "B11s"]),
    (11, &["B16", "B16s", "B21", "B21t", "B21k", "B21m"]),
    (12, &["E15", "E08"]),
    (13, &["D21"]),
    (14, &["B19", "B11r"]),
    (15, &["B24k"]),
    (16, &["B16c"]),
    (17, &["B23r"]),
    (19, &["F03", "F08", "F09", "F09s", "F10", "F17"]),
    (20, &["F20a", "F20b", "F20c", "F20d", "F20e"]),
    (21, &["F21", "F21g"]),
    (22, &["F22", "F22g"]),
    (23, &["F23", "F23z", "F23i"]),
    (24, &["F05", "F05c"]),
    (25, &["F14", "F14z", "F25"]),
    (26, &["F26", "F26l"]),
    (27, &["F27"]),
    (28, &["F28c", "F28s", "F28w"]),
    (29, &["F29", "F29e"]),
    (30, &["F30", "F30e"]),
    (31, &["F31", "F31e", "F31c", "F31g"]),
    (33, &["B24", "F33"]),
    (34, &["B34", "B34m"]),
    (35, &["F35", "F35h"]),
    (36, &["B36", "B36d", "B36c"]),
    (37, &["B37"]),
    (38, &["B38"]),
    (40, &["X54", "B24c", "B24m"]),
    (41, &["F41", "F41n", "F41c"]),
    (43, &["B24k"]),
    (44, &["H04", "H04o", "C14n", "X62n", "X20", "X22"]),
    (48, &["E01", "E02", "E02r", "E03", "E06", "E07"]),
    (52, &["E10", "E11", "E13", "E09"]),
    (53, &["B17", "B18r", "B18m", "B18d", "B18s"]),
    (54, &["D01", "D05", "D05a", "D06", "D07", "D07r"]),
    (55, &["C01", "C02", "C03", "C04", "C05", "C07"]),
    (56, &["C18", "C18r"]),
    (57, &["A20e", "A20f", "R18", "F11c", "F16f"]),
    (58, &["C13", "C14n"]),
    (59, &["C12", "C12o", "G02m"]),
    (60, &["B10", "C08", "C23r"]),
    (61, &["P01", "P02", "P06", "P11", "D21"]),
    (63, &["G07", "G08"]),
    (65, &["F15"]),
    (66, &["B66", "B66h"]),
    (67, &["B16c"]),
];

/// What is tried elsewhere: the case, the file, and the name of the test in it.
const ELSEWHERE: &[(u8, &str, &str)] = &[
    (18, "pki/tests/wycheproof/main.rs", "every_primitive_that_is_offered"),
    (39, "smime/tests/vectors/seeds.rs", "openssl_fuzz_corpora"),
    (42, "pki/src/crypto/pkcs8.rs", "rounds_are_bounded_and_unknown_schemes_are_named"),
    (45, "pki/tests/path.rs", "one_flaw_makes_one_problem"),
    (46, "pki/tests/path.rs", "one_flaw_makes_one_problem"),
    (47, "pki/tests/path.rs", "one_flaw_makes_one_problem"),
    (49, "pki/tests/path.rs", "a_search_ends"),
    (50, "pki/tests/revocation.rs", "lists_are_judged"),
    (51, "office/tests/fetch.rs", "guarded_places_are_not_asked"),
];

/// What cannot be tried yet, because nothing here does it; whoever builds it moves the case up.
const OPEN: &[(u8, &str)] = &[
    (32, "nothing answers a mail by itself, so nothing can quote what was encrypted"),
    (62, "no receipt is ever sent"),
    (64, "nobody's certificate or capabilities are kept"),
    (68, "no post-quantum recipient stands beside a classical one"),
];

/// Rows that are confirmed although they stand above, and why.
const CONFIRMED: &[(&str, &str)] = &[
    ("F10", "the attacker's own mail, confirmed as the attacker's; the sealed part in it stays closed"),
    ("F11", "the attacker's own signature around what somebody sealed; it is said that it vouches for nothing inside"),
    ("F33", "a genuine signature at the root; what stands too deep inside is not opened"),
];

#[test]
fn every_case_is_tried_and_none_is_accepted() {
    let rows = rows();
    let mut wrong = Vec::new();
    for number in 1..=68u8 {
        let places = [
            ROWS.iter().any(|(case, _)| *case == number),
            ELSEWHERE.iter().any(|(case, ..)| *case == number),
            OPEN.iter().any(|(case, _)| *case == number),
        ];
        if places.iter().filter(|stands| **stands).count() != 1 {
            wrong.push(format!("case {number} does not stand in exactly one table"));
        }
    }
    let mut tried = BTreeSet::new();
    for (number, ids) in ROWS {
        for id in *ids {
            let Some(row) = rows.iter().find(|row| row.id == *id) else {
                wrong.push(format!("case {number}: there is no row {id}"));
                continue;
            };
            tried.insert(*id);
            let is_confirmed = is_confirmed(row);
            let expected = CONFIRMED.iter().any(|(known, _)| known == id);
            if is_confirmed != expected {
                wrong.push(format!("case {number}: {id} is confirmed: {is_confirmed}"));
            }
        }
    }
    for (number, file, name) in ELSEWHERE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if !text.contains(&format!("fn {name}(")) {
            wrong.push(format!("case {number}: {file} has no test {name}"));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", tried.len(), wrong.join("\n"));
}

fn is_confirmed(row: &Row) -> bool {
    judged(row).confirmed.is_some()
}
