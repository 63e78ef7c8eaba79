//! A tree of lines on a terminal: guides at the left, facts in a column, ranges at the right end, long values wrapped
//! below their beginning.

use unicode_width::UnicodeWidthChar;

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// The name of something.
    Strong,
    /// Beside the point.
    Faint,
    /// It is right.
    Good,
    /// It is wrong.
    Bad,
    /// It is odd.
    Odd,
}

impl Tone {
    const fn color(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Odd => "\x1b[33m",
        }
    }
}

/// Text, piece by piece.
pub(super) type Text = Vec<(Tone, String)>;

/// Something with facts about it, and what is inside it.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) head: Text,
    /// What stands at the right end of its line.
    pub(super) range: String,
    /// Label and value; a label may be empty.
    pub(super) facts: Vec<(String, Text)>,
    pub(super) children: Vec<Self>,
}

impl Node {
    /// A node of this name.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { head: vec![(Tone::Strong, name.into())], ..Self::default() }
    }

    /// More on its line.
    pub(super) fn also(mut self, tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.head.push((tone, text));
        }
        self
    }

    /// A fact; an empty one is left out.
    pub(super) fn fact(&mut self, label: &str, value: impl Into<String>) {
        self.toned(label, vec![(Tone::Plain, value.into())]);
    }

    /// A fact of several pieces.
    pub(super) fn toned(&mut self, label: &str, value: Text) {
        let value: Text = value.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if !value.is_empty() {
            self.facts.push((label.to_owned(), value));
        }
    }
}

/// How a tree is drawn.
pub(super) struct Canvas {
    /// How wide the terminal is, in columns.
    pub(super) width: usize,
    pub(super) color: bool,
    pub(super) out: String,
}

/// The column of the labels is at most this wide; a longer one pushes its own value aside.
const LABEL: usize = 24;
/// A value has at least so much room, however deep it stands.
const ROOM: usize = 24;

impl Canvas {
    /// Draws a tree; `first` stands before the root's line, `rest` before all others.
    pub(super) fn draw(&mut self, node: &Node, first: &str, rest: &str) {
        self.head(node, first, rest);
        let guide = if node.children.is_empty() { "   " } else { "│  " };
        let margin = format!("{rest}{guide}");
        let label = node.facts.iter().map(|(label, _)| width(label)).max().unwrap_or(0).min(LABEL);
        for (name, value) in &node.facts {
            self.piece(Tone::Faint, &margin);
            // What has no label is no value of a column.
            let column = if name.is_empty() {
                String::new()
            } else {
                format!("{name}{}  ", " ".repeat(label.saturating_sub(width(name))))
            };
            self.piece(Tone::Faint, &column);
            let hang = if column.is_empty() { 2 } else { width(&column) };
            self.wrapped(value, width(&margin) + hang, &margin);
        }
        for (number, child) in node.children.iter().enumerate() {
            let last = number + 1 == node.children.len();
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.draw(child, &format!("{rest}{branch}"), &format!("{rest}{below}"));
        }
    }

    fn head(&mut self, node: &Node, first: &str, rest: &str) {
        self.piece(Tone::Faint, first);
        let text: usize = node.head.iter().map(|(_, text)| width(text)).sum();
        let spaces = node.head.len().saturating_sub(1);
        let used = width(first) + text + spaces;
        let right = width(&node.range);
        if node.range.is_empty() || used + 1 + right > self.width {
            let mut head = node.head.clone();
            head.push((Tone::Faint, node.range.clone()));
            head.retain(|(_, text)| !text.is_empty());
            self.wrapped(&head, width(first), rest);
            return;
        }
        for (number, (tone, text)) in node.head.iter().enumerate() {
            if number > 0 {
                self.out.push(' ');
            }
            self.piece(*tone, text);
        }
        let gap = " ".repeat(self.width.saturating_sub(used + right));
        self.piece(Tone::Faint, &format!("{gap}{}", node.range));
        self.out.push('\n');
    }

    /// Words from column `start` on; the lines after the first begin with `margin`.
    fn wrapped(&mut self, text: &[(Tone, String)], start: usize, margin: &str) {
        let room = self.width.saturating_sub(start).max(ROOM);
        let mut used = 0;
        for (tone, piece) in text {
            for word in piece.split(' ').filter(|word| !word.is_empty()) {
                let mut rest = word;
                let whole = width(word);
                if used > 0 && used + 1 + whole > room {
                    self.broken(start, margin);
                    used = 0;
                } else if used > 0 {
                    self.out.push(' ');
                    used += 1;
                }
                // A word longer than the line is cut where the line ends.
                while width(rest) > room {
                    let (line, more) = rest.split_at(cut(rest, room));
                    self.piece(*tone, line);
                    self.broken(start, margin);
                    rest = more;
                }
                self.piece(*tone, rest);
                used += width(rest);
            }
        }
        self.out.push('\n');
    }

    fn broken(&mut self, start: usize, margin: &str) {
        self.out.push('\n');
        self.piece(Tone::Faint, margin);
        self.out.push_str(&" ".repeat(start.saturating_sub(width(margin))));
    }

    /// A piece of text in its colour.
    pub(super) fn piece(&mut self, tone: Tone, text: &str) {
        let color = if self.color && !text.trim().is_empty() { tone.color() } else { "" };
        self.out.push_str(color);
        self.out.push_str(text);
        if !color.is_empty() {
            self.out.push_str("\x1b[0m");
        }
    }
}

/// How many columns a text takes: a kanji two, a mark on a letter none.
fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Where a text of more than `room` columns is cut.
fn cut(text: &str, room: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > room {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_aligned_and_wrapped() {
        let mut leaf = Node::new("leaf").also(Tone::Faint, "8bit");
        leaf.range = "1–2".to_owned();
        leaf.fact("subject", "日本語の とても 長い 件名です");
        leaf.fact("id", "0123456789012345678901234567890123456789");
        let mut root = Node::new("root");
        root.fact("a", "x");
        root.fact("long", "y");
        root.fact("none", "");
        root.children = vec![Node::new("first"), leaf];
        let mut canvas = Canvas { width: 40, color: false, out: String::new() };
        canvas.draw(&root, "", "");
        assert_eq!(
            canvas.out,
            "\
root
│  a     x
│  long  y
├─ first
└─ leaf 8bit                         1–2
      subject  日本語の とても 長い
               件名です
      id       0123456789012345678901234
               567890123456789
"
        );
        let mut colored = Canvas { width: 40, color: true, out: String::new() };
        colored.draw(&Node::new("x"), "", "");
        assert_eq!(colored.out, "\x1b[1mx\x1b[0m\n");
    }
}
