//! Places as SARIF tells them: the outer file by a URI, what is inside of it by words.

use crate::vocabulary::{Match, Place};

use super::super::place::{history, in_words};
use super::shape::{ArtifactLocation, Location, LogicalLocation, PhysicalLocation, Region, Text};

impl Location {
    /// Where a token stands. A region counts in the file that the URI names, so of what lies inside
    /// a container only the container's first line can be told; the rest is in the message.
    pub(super) fn of_match(found: &Match) -> Self {
        let mut location = Self::of_place(&found.place);
        if location.logical_locations.is_empty() {
            location.physical_location.region = Some(Region {
                start_line: found.line,
                start_column: found.character,
                // What is found is ASCII, however it is written.
                end_column: found
                    .character
                    .map(|start| start.saturating_add(found.length)),
                byte_offset: Some(found.offset),
                byte_length: Some(found.length),
            });
        } else {
            location.physical_location.region = Some(Region {
                start_line: 1,
                start_column: None,
                end_column: None,
                byte_offset: None,
                byte_length: None,
            });
            let inside = &location.logical_locations[0].fully_qualified_name;
            let (line, column) = (found.line, found.column);
            let history = history(found).map(|history| format!("; {history}"));
            let history = history.unwrap_or_default();
            let text = format!("{inside}, line {line}, column {column}{history}");
            location.message = Some(Text::new(text));
        }
        location
    }

    /// Something that was not read.
    pub(super) fn of_place(place: &Place) -> Self {
        let logical = (!place.members.is_empty()).then(|| LogicalLocation {
            fully_qualified_name: in_words(place),
        });
        Self {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: uri(&place.path),
                },
                region: None,
            },
            logical_locations: logical.into_iter().collect(),
            message: None,
        }
    }
}

/// A path as a URI: relative as it is, absolute with its scheme. Everything that could mean
/// something else in a URI is percent-encoded, bytes that are no UTF-8 too.
pub(super) fn uri(path: &[u8]) -> String {
    let absolute = path.starts_with(b"/");
    let mut uri = String::with_capacity(path.len() + 8);
    if absolute {
        uri.push_str("file://");
    }
    for &byte in path {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => {
                uri.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(nibble.into(), 16).unwrap_or('0');
                    uri.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            (&b"src/a-b_c.rs"[..], "src/a-b_c.rs"),
            (b"/var/log/x", "file:///var/log/x"),
            (b"a b#c?d%e", "a%20b%23c%3Fd%25e"),
            (b"c:d", "c%3Ad"),
            (b"caf\xc3\xa9/\xff", "caf%C3%A9/%FF"),
            (b"javascript:x", "javascript%3Ax"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
