//! The rules about text: length, blanks, marks for open work, the documents at the root.

use super::Violation;

/// A file of Rust above this is refused.
const LONGEST: usize = 800;
/// Above this it is told, in time to think.
const LONG: usize = 600;

/// Marks for open work; each names its issue: `(#12)` follows. Spelt so that this file does not break its own rule.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// The rules that hold for prose and code.
pub(super) fn check(path: &str, text: &str, found: &mut Vec<Violation>) {
    for (at, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            found.push(Violation::new(path, at + 1, "space", "blanks at the end of the line; take them away"));
        }
    }
    if path.ends_with(".md") {
        marks(path, text, found);
    }
}

/// Marks for open work without the number of an issue.
pub(super) fn marks(path: &str, text: &str, found: &mut Vec<Violation>) {
    for (at, line) in text.lines().enumerate() {
        for mark in MARKS {
            let open = line.match_indices(mark).any(|(start, _)| {
                let word = !line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let rest = &line[start + mark.len()..];
                word && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') && !is_numbered(rest)
            });
            if open {
                let advice = format!("{mark} without an issue; open one and write {mark}(#12)");
                found.push(Violation::new(path, at + 1, "todo", advice));
            }
        }
    }
}

fn is_numbered(rest: &str) -> bool {
    let digits = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map(|(digits, _)| digits);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Refuses a file that is too long, and returns what to tell of one that is on the way there.
pub(super) fn long(path: &str, text: &str, found: &mut Vec<Violation>) -> Option<String> {
    let lines = text.lines().count();
    if lines > LONGEST {
        let advice = format!("{lines} lines, {LONGEST} at most; look for the second subject in this file");
        found.push(Violation::new(path, LONGEST + 1, "length", advice));
        return None;
    }
    (lines > LONG).then(|| format!("{path}: {lines} lines; {LONGEST} are the end"))
}

/// What is not released yet has its section.
pub(super) fn changelog(text: &str, found: &mut Vec<Violation>) {
    if !text.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased")) {
        found.push(Violation::new("CHANGELOG.md", 1, "changelog", "has no section `## Unreleased`; add it at the top"));
    }
}

/// Both READMEs say the same: as many headings of each depth, in the same order, and the same code.
pub(super) fn readmes(english: &str, japanese: &str, found: &mut Vec<Violation>) {
    let (english, japanese) = (outline(english), outline(japanese));
    for (what, wanted, given) in
        [("heading", &english.headings, &japanese.headings), ("code block", &english.blocks, &japanese.blocks)]
    {
        let same = wanted.iter().zip(given).take_while(|(wanted, given)| wanted.text == given.text).count();
        if same < wanted.len().max(given.len()) {
            let line = given.get(same).map_or(1, |given| given.line);
            let advice = format!("{what} {} is not the one of README.md; give both the same", same + 1);
            found.push(Violation::new("README.ja.md", line, "readme", advice));
        }
    }
}

/// What two translations of a document have in common.
#[derive(Default)]
struct Outline {
    /// The marks of the headings, without their words.
    headings: Vec<Placed>,
    /// The fenced blocks of code.
    blocks: Vec<Placed>,
}

struct Placed {
    line: usize,
    text: String,
}

fn outline(markdown: &str) -> Outline {
    let mut outline = Outline::default();
    let mut open: Option<Placed> = None;
    for (at, line) in markdown.lines().enumerate() {
        let fence = line.starts_with("```");
        match &mut open {
            Some(_) if fence => outline.blocks.extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if fence => open = Some(Placed { line: at + 1, text: format!("{line}\n") }),
            None => {
                let (marks, words) = line.split_at(line.bytes().take_while(|byte| *byte == b'#').count());
                if !marks.is_empty() && words.starts_with(' ') {
                    outline.headings.push(Placed { line: at + 1, text: marks.to_owned() });
                }
            }
        }
    }
    outline.blocks.extend(open);
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: impl FnOnce(&mut Vec<Violation>)) -> Vec<(&'static str, usize)> {
        let mut found = Vec::new();
        rule(&mut found);
        found.into_iter().map(|violation| (violation.rule, violation.line)).collect()
    }

    #[test]
    fn open_work_names_an_issue() {
        let [todo, fixme] = MARKS;
        for (text, expected) in [
            (format!("a\n{todo}: later"), vec![("todo", 2)]),
            (format!("{todo}(#): later"), vec![("todo", 1)]),
            (format!("{fixme} (#12)"), vec![("todo", 1)]),
            (format!("{todo}(#12): later"), vec![]),
            (format!("MAS{todo}N and {todo}S"), vec![]),
        ] {
            assert_eq!(lines(|found| check("a.md", &text, found)), expected, "{text}");
        }
    }

    #[test]
    fn no_blanks_at_the_end_of_a_line() {
        assert_eq!(lines(|found| check("a.md", "a\nb \nc\t\n d", found)), [("space", 2), ("space", 3)]);
    }

    #[test]
    fn long_files_are_told_and_then_refused() {
        for (count, told, refused) in [(600, false, false), (601, true, false), (800, true, false), (801, false, true)]
        {
            let mut found = Vec::new();
            assert_eq!(long("a.rs", &"x\n".repeat(count), &mut found).is_some(), told, "{count}");
            assert_eq!(!found.is_empty(), refused, "{count}");
        }
    }

    #[test]
    fn the_changelog_has_room_for_what_comes() {
        assert_eq!(lines(|found| changelog("# Changes\n\n## Unreleased (1.0)\n", found)), []);
        assert_eq!(lines(|found| changelog("# Unreleased\n\n## 1.0\n", found)), [("changelog", 1)]);
    }

    #[test]
    fn both_readmes_have_one_outline() {
        let english = "# A\n\n```sh\n# run\nx\n```\n\n## B\n";
        for (japanese, expected) in [
            ("# あ\n\n\n```sh\n# run\nx\n```\n## い\n", vec![]),
            ("# あ\n\n```sh\n# run\nx\n```\n", vec![("readme", 1)]),
            ("# あ\n\n```sh\n# run\nx\n```\n### い\n", vec![("readme", 7)]),
            ("# あ\n\n```sh\n# run\ny\n```\n## い\n", vec![("readme", 3)]),
            ("# あ\n## い\n", vec![("readme", 1)]),
        ] {
            assert_eq!(lines(|found| readmes(english, japanese, found)), expected, "{japanese}");
        }
    }
}
