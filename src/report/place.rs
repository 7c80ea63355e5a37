//! Places in words, for people: on a terminal, on a page, in a message.

use super::escape;
use crate::vocabulary::{Match, Place};

/// A path and, from the outside to the inside, what lies within it.
pub fn in_words(place: &Place) -> String {
    let mut text = if place.path == b"-" {
        "<stdin>".to_owned()
    } else {
        escape(&place.path).into_owned()
    };
    for member in &place.members {
        text.push_str(" > ");
        text.push_str(&escape(member.as_bytes()));
    }
    text
}

/// How a token is written there, if not as itself; goes behind its place.
pub(super) fn encoding(found: &Match) -> String {
    match &*found.encoding.to_string() {
        "plain" => String::new(),
        encoding => format!(" ({encoding})"),
    }
}
