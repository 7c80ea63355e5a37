//! Places in words, for people: on a terminal, on a page, in a message.

use super::escape;
use crate::vocabulary::{Held, Match, Place, Provenance, rfc3339};

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

/// Digits of a commit's id that are shown; git shows as many in a large repository.
const SHORT_ID: usize = 12;

/// How the object of a repository came there that a token stands in, if that is known.
pub(super) fn history(found: &Match) -> Option<String> {
    let provenance = found.git.as_deref()?;
    let mut text = match provenance.state {
        Held::Committed => "brought by".to_owned(),
        Held::Tagged if provenance.commit.is_none() => {
            "named by a reference, in no commit".to_owned()
        }
        Held::Tagged => "a tag of".to_owned(),
        Held::Stashed => "stashed by".to_owned(),
        Held::Staged => "staged, not committed".to_owned(),
        Held::Dangling if provenance.commit.is_none() => "dangling: no commit holds it".to_owned(),
        Held::Dangling => "dangling: no reference leads to".to_owned(),
        Held::Unknown => "held by".to_owned(),
    };
    text.push_str(&commit_and_path(provenance));
    if let Some(author) = &provenance.author {
        text.push_str(", ");
        text.push_str(&escape(author.as_bytes()));
    }
    if let Some(at) = provenance.author_time_ms {
        text.push_str(", ");
        text.push_str(&rfc3339(at));
    }
    Some(text)
}

fn commit_and_path(provenance: &Provenance) -> String {
    let mut text = String::new();
    if let Some(commit) = &provenance.commit {
        text.push_str(" commit ");
        text.push_str(commit.get(..SHORT_ID).unwrap_or(commit));
    }
    match provenance.path.as_deref() {
        None => {}
        Some([]) => text.push_str(" as its top folder"),
        Some(path) => {
            text.push_str(" as ");
            text.push_str(&escape(path));
        }
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
