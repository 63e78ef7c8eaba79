//! The shapes of the states, drawn for this page. They say the same without colour.

use kakitome_verdict::state::Mark;
use kakitome_verdict::text::Sign;
use kakitome_verdict::text::evidence::Standing;
use maud::{Markup, html};

/// A mark; the words beside it say the same, so it is hidden from screen readers.
pub(super) fn svg(mark: Mark) -> Markup {
    html! {
        svg.mark viewBox="0 0 64 64" width="64" height="64" fill="none" stroke="currentColor" stroke-width="3.5"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false" {
            // closed, since HTML would nest one that is left open
            @for path in paths(mark) { path d=(path) {} }
        }
    }
}

/// A small sign beside a line; the words beside it say the same.
fn small(paths: &[&str]) -> Markup {
    html! {
        svg.sign viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false" {
            @for path in paths { path d=(path) {} }
        }
    }
}

/// The sign of one of the three answers.
pub(super) fn sign(sign: Sign) -> Markup {
    small(match sign {
        Sign::Good => &[RING, "M8 12.5l3 3 5-6.5"],
        Sign::Bad => &[RING, "M8.8 8.8l6.4 6.4", "M15.2 8.8l-6.4 6.4"],
        Sign::Open => &[RING, "M8.5 12h7"],
    })
}

/// The sign of a kind of evidence. Somebody else's word stands in a bubble.
pub(super) fn standing(standing: Standing) -> Markup {
    match standing {
        Standing::Holds => sign(Sign::Good),
        Standing::Fails => sign(Sign::Bad),
        Standing::Open => sign(Sign::Open),
        Standing::Claimed => small(&["M4 5h16v11h-9l-4.5 4v-4H4z", "M8.5 9h7", "M8.5 12h4.5"]),
    }
}

/// A hand that points to what is to be done.
pub(super) fn hand() -> Markup {
    small(&["M3 12h15", "M13 6.5l5.5 5.5-5.5 5.5"])
}

const RING: &str = "M12 2.5a9.5 9.5 0 1 1 0 19a9.5 9.5 0 1 1 0-19z";

const fn paths(mark: Mark) -> &'static [&'static str] {
    match mark {
        Mark::Seal => &[SEAL, "M21.5 33l7.5 7.5L43 25.5"],
        Mark::Envelope => &["M8 15h48v34H8z", "M8 17l24 19 24-19", "M40 52l5 5 11-12"],
        Mark::House => &["M7 31L32 9l25 22", "M13 27v28h38V27", "M23 39l7 7 12-13"],
        Mark::Caution => &["M32 9L58 54H6z", "M32 26v13", "M32 46.5v.5"],
        Mark::Stop => &["M22 7h20l15 15v20L42 57H22L7 42V22z", "M23.5 23.5l17 17", "M40.5 23.5l-17 17"],
        Mark::Nothing => &["M32 6a26 26 0 1 1 0 52a26 26 0 1 1 0-52z", "M21 32h22"],
        Mark::Waiting => {
            &["M17 7h30", "M17 57h30", "M20 7v8c0 8 12 11 12 17s-12 9-12 17v8", "M44 7v8c0 8-12 11-12 17s12 9 12 17v8"]
        }
        Mark::Lock => &["M13 28h38v28H13z", "M20 28v-8a12 12 0 0 1 24 0v8", "M32 38v8"],
        Mark::Unreadable => {
            &["M14 6h24l12 12v40H14z", "M38 6v12h12", "M26.5 31a5.5 5.5 0 1 1 8 5c-2 1-2.5 2-2.5 4", "M32 46.5v.5"]
        }
    }
}

/// Fourteen lobes of wax.
const SEAL: &str = "M32.0 5.5A6.6 6.6 0 0 1 43.5 8.1A6.6 6.6 0 0 1 52.7 15.5A6.6 6.6 0 0 1 57.8 26.1A6.6 6.6 0 0 1 57.8 37.9A6.6 6.6 0 0 1 52.7 48.5A6.6 6.6 0 0 1 43.5 55.9A6.6 6.6 0 0 1 32.0 58.5A6.6 6.6 0 0 1 20.5 55.9A6.6 6.6 0 0 1 11.3 48.5A6.6 6.6 0 0 1 6.2 37.9A6.6 6.6 0 0 1 6.2 26.1A6.6 6.6 0 0 1 11.3 15.5A6.6 6.6 0 0 1 20.5 8.1A6.6 6.6 0 0 1 32.0 5.5z";
