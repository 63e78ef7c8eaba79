//! Every number of the contract of answers is a row of the corpus, or its place is named here.

use std::collections::BTreeSet;

use kakitome_testkit::corpus::rows;

/// The subjects of the contract, and how many numbers each has.
const SUBJECTS: [(char, usize); 8] =
    [('A', 24), ('B', 26), ('C', 24), ('D', 28), ('E', 34), ('F', 19), ('G', 20), ('H', 12)];

/// Numbers that are no row, and where they are tried, or why not.
const ELSEWHERE: &[(&str, &str)] = &[
    ("E26", "who judges does not fetch; tests/fetch.rs of kakitome-office tries every place that is refused"),
    ("G20", "the answer is about one mail: that a password came in another one is seen by nobody yet"),
    ("H03", "the page alone has a limit of size; tests/web.rs of kakitome tries it"),
    ("H10", "published attack mails are not imported: attacks.rs and the rows of B to D make each class of them anew"),
    ("H11", "protection, of kakitome-smime's tests, with the keys of RFC 9216"),
    ("H12", "tests/vectors, of kakitome-pki and kakitome-smime, and tests/pkits of kakitome"),
];

#[test]
fn every_number_has_its_row() {
    let ids: BTreeSet<&str> = rows().iter().map(|row| row.id).collect();
    let numbers = SUBJECTS.iter().flat_map(|(letter, count)| (1..=*count).map(move |n| format!("{letter}{n:02}")));
    let mut wrong = Vec::new();
    for number in numbers.clone() {
        match (ids.contains(number.as_str()), ELSEWHERE.iter().find(|(id, _)| *id == number)) {
            (false, None) => wrong.push(format!("{number} has no row")),
            (true, Some(_)) => wrong.push(format!("{number} has a row, and is told to be tried elsewhere")),
            _ => {}
        }
    }
    for (id, _) in ELSEWHERE.iter().filter(|(id, _)| !numbers.clone().any(|number| number == *id)) {
        wrong.push(format!("{id} is no number of the contract"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
