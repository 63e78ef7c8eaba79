//! Which language a reader wants (RFC 9110 §12.5.4).

use kakitome_verdict::text::Lang;

/// So many languages are looked at; a browser sends a handful.
const LANGUAGES: usize = 32;

/// The language that weighs most in an Accept-Language field; English where neither of ours stands in it.
pub(super) fn preferred(accept: &str) -> Lang {
    let mut best = (0, Lang::En);
    for item in accept.split(',').take(LANGUAGES) {
        let mut parts = item.split(';').map(str::trim);
        let Some(lang) = parts.next().and_then(Lang::from_tag) else { continue };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

/// A weight, `0.8` as 800; what cannot be read weighs nothing.
fn thousandths(text: &str) -> u32 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    match (whole, part.get(..3).and_then(|part| part.parse::<u32>().ok())) {
        ("0", Some(part)) => part,
        ("1", Some(_)) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_of_our_languages_wins() {
        for (accept, lang) in [
            ("ja,en-US;q=0.9,en;q=0.8", Lang::Ja),
            ("en-US,en;q=0.9,ja;q=0.8", Lang::En),
            ("fr;q=1.0, ja;q=0.5, en;q=0.25", Lang::Ja),
            ("en;q=0.1, ja-JP; q=0.2", Lang::Ja),
            ("fr,de", Lang::En),
            ("ja;q=0", Lang::En),
            ("ja;q=あ,\u{0}", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(preferred(accept), lang, "{accept:?}");
        }
    }
}
