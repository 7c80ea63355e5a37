//! Reads back what a scan's report lists: which tokens, by name, and where they lay.
//!
//! A report comes from anywhere. Nothing in it is believed but as a hint where to look.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::wire::SCHEMA;
use crate::vocabulary::Fingerprint;

/// Why a report can't be read back.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// It is no JSON, or not of a report's shape, or could not be read to its end.
    #[error("it is not a report of `douse scan --format json` or `--format jsonl`")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON and nothing that a scan writes.
    #[error("it is not a report of `douse scan --format json` or `--format jsonl`")]
    Foreign,
    /// It was written by another version of this program.
    #[error("it is of schema {0}, and this program reads schema {SCHEMA}")]
    Schema(u32),
    /// A token has no proper name, or no place.
    #[error("it lists a token without a fingerprint of 64 hexadecimal digits and a path")]
    Token,
}

/// Whether all of a report is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It goes on to its end.
    Whole,
    /// It stops before the summary that each report ends with.
    Part,
}

/// The tokens that reports list.
#[derive(Debug, Default)]
pub struct Listing {
    /// The tokens, by name.
    pub tokens: BTreeMap<Fingerprint, Listed>,
    /// The paths that [`Listed::paths`] counts through, each once.
    pub paths: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, usize>,
}

/// One token as reports list it.
#[derive(Debug)]
pub struct Listed {
    /// The identifier of its kind.
    pub kind: Box<str>,
    /// Where it lay: numbers of [`Listing::paths`], in the order of the report; not all, if it lay
    /// in very many places.
    pub paths: Vec<usize>,
    /// Whether it also came from standard input.
    pub on_stdin: bool,
}

/// One JSON value of a report: a line of `jsonl`, or the one document of `json`.
#[derive(Deserialize)]
struct Value {
    #[serde(rename = "type")]
    line: Option<Box<str>>,
    schema: Option<u32>,
    fingerprint: Option<Box<str>>,
    kind: Option<Box<str>>,
    path: Option<Box<str>>,
    path_base64: Option<Box<str>>,
    findings: Option<Findings>,
}

/// Under one name, a number of tokens in a line's summary and the tokens themselves in a document.
enum Findings {
    Count,
    List(Vec<Finding>),
}

#[derive(Deserialize)]
struct Finding {
    fingerprint: Box<str>,
    kind: Box<str>,
    matches: Vec<Spot>,
}

#[derive(Deserialize)]
struct Spot {
    path: Box<str>,
    path_base64: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FindingsVisitor)
    }
}

/// Takes either as it comes: `untagged` would hold a whole document in memory first.
struct FindingsVisitor;

impl<'de> Visitor<'de> for FindingsVisitor {
    type Value = Findings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a list of findings")
    }

    fn visit_u64<E: de::Error>(self, _count: u64) -> Result<Findings, E> {
        Ok(Findings::Count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut findings: A) -> Result<Findings, A::Error> {
        let mut list = Vec::new();
        while let Some(finding) = findings.next_element()? {
            list.push(finding);
        }
        Ok(Findings::List(list))
    }
}

impl Listing {
    /// Adds what `report` lists. Lines may have been taken out of a `jsonl` report: whoever
    /// reviews one may do it that way.
    pub fn read(&mut self, report: impl Read) -> Result<Extent, ListingError> {
        let mut last = None;
        for value in serde_json::Deserializer::from_reader(report).into_iter::<Value>() {
            last = Some(self.add(value?)?);
        }
        last.ok_or(ListingError::Foreign)
    }

    /// Adds what one value lists; whether a report may end with it.
    fn add(&mut self, value: Value) -> Result<Extent, ListingError> {
        if let Some(other) = value.schema.filter(|schema| *schema != SCHEMA) {
            return Err(ListingError::Schema(other));
        }
        match (value.line.as_deref(), value.findings) {
            (Some("match"), _) => {
                let (Some(fingerprint), Some(kind), Some(path)) =
                    (value.fingerprint, value.kind, value.path)
                else {
                    return Err(ListingError::Token);
                };
                let spot = Spot {
                    path,
                    path_base64: value.path_base64,
                };
                self.add_finding(&fingerprint, kind, &[spot])?;
                Ok(Extent::Part)
            }
            (Some("skip" | "error"), _) => Ok(Extent::Part),
            (Some("summary"), Some(Findings::Count)) => Ok(Extent::Whole),
            (None, Some(Findings::List(list))) if value.schema.is_some() => {
                for one in list {
                    self.add_finding(&one.fingerprint, one.kind, &one.matches)?;
                }
                Ok(Extent::Whole)
            }
            _ => Err(ListingError::Foreign),
        }
    }

    fn add_finding(
        &mut self,
        fingerprint: &str,
        kind: Box<str>,
        spots: &[Spot],
    ) -> Result<(), ListingError> {
        let fingerprint: Fingerprint = fingerprint.parse().map_err(|_| ListingError::Token)?;
        let listed = self.tokens.entry(fingerprint).or_insert(Listed {
            kind,
            paths: Vec::new(),
            on_stdin: false,
        });
        for spot in spots {
            let path: Box<[u8]> = match &spot.path_base64 {
                Some(exact) => BASE64
                    .decode(exact.as_bytes())
                    .map_err(|_| ListingError::Token)?
                    .into(),
                // A file of that name is told as `./-`.
                None if &*spot.path == "-" => {
                    listed.on_stdin = true;
                    continue;
                }
                None => spot.path.as_bytes().into(),
            };
            let next = self.paths.len();
            let number = *self.numbers.entry(path).or_insert_with_key(|path| {
                self.paths.push(path.clone());
                next
            });
            if listed.paths.last() != Some(&number) {
                listed.paths.push(number);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(listing: &Listing, token: &str) -> Vec<String> {
        let listed = &listing.tokens[&Fingerprint::of(token)];
        let path = |number: &usize| String::from_utf8_lossy(&listing.paths[*number]).into_owned();
        listed.paths.iter().map(path).collect()
    }

    #[test]
    fn both_formats_are_read_and_add_up() {
        let [one, two] = ["1", "2"].map(Fingerprint::of);
        let lines = format!(
            r#"{{"type":"match","fingerprint":"{one}","kind":"k","path":"a","members":["x"]}}
               {{"type":"match","fingerprint":"{two}","kind":"k","path":"-"}}
               {{"type":"match","fingerprint":"{one}","kind":"k","path":"b?","path_base64":"Yv8="}}
               {{"type":"skip","path":"c"}}
               {{"type":"summary","schema":1,"findings":2}}"#
        );
        let document = format!(
            r#"{{"schema":1,"summary":{{}},"findings":[{{"fingerprint":"{two}","kind":"k",
               "matches":[{{"path":"a"}},{{"path":"a"}},{{"path":"d"}}]}}],"skips":[]}}"#
        );
        let mut listing = Listing::default();
        for report in [&lines, &document] {
            let extent = listing.read(report.as_bytes()).unwrap();
            assert_eq!(extent, Extent::Whole);
        }
        let reviewed = lines.lines().take(2).collect::<String>();
        let extent = Listing::default().read(reviewed.as_bytes()).unwrap();
        assert_eq!(extent, Extent::Part);
        assert_eq!(paths(&listing, "1"), ["a", "b\u{fffd}"]);
        assert_eq!(paths(&listing, "2"), ["a", "d"]);
        assert!(listing.tokens[&two].on_stdin && !listing.tokens[&one].on_stdin);
        assert_eq!(listing.paths.len(), 3);
    }

    #[test]
    fn anything_else_is_refused() {
        let name = Fingerprint::of("1");
        for text in [
            "",
            "ghp_",
            "[]",
            "{}",
            r#"{"type":"outcome"}"#,
            r#"{"schema":2,"findings":[]}"#,
            r#"{"findings":[]}"#,
            r#"{"type":"match","fingerprint":"x","kind":"k","path":"a"}"#,
            &format!(r#"{{"type":"match","fingerprint":"{name}","kind":"k"}}"#),
            &format!(
                r#"{{"type":"match","fingerprint":"{name}","kind":"k","path":"a","path_base64":"!"}}"#
            ),
        ] {
            assert!(Listing::default().read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
