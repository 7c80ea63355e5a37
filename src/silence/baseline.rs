//! An earlier report as the list of what is known.

use std::fmt;
use std::io::Read;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::vocabulary::Fingerprint;

/// The version of reports that is read.
const SCHEMA: u32 = 1;

/// Why a report cannot serve as a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON, or not of a report's shape, or could not be read to its end.
    #[error("it is not a report")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON and nothing that `douse scan` writes.
    #[error("it is not a report of `douse scan --format json` or `--format jsonl`")]
    Foreign,
    /// Its lines stop before the summary that each report ends with.
    #[error("it is only a part of a report: its last line, the summary, is missing")]
    Cut,
    /// It was written by another version of this program.
    #[error("it is of schema {0}, and this program reads schema {SCHEMA}")]
    Schema(u32),
    /// A token has no proper name.
    #[error("it names a token {0:?}, which is not a fingerprint of 64 hexadecimal digits")]
    Fingerprint(String),
}

/// One JSON value of a report: a line of `jsonl`, or the one document of `json`.
#[derive(Deserialize)]
struct Value {
    #[serde(rename = "type")]
    line: Option<Box<str>>,
    schema: Option<u32>,
    fingerprint: Option<String>,
    findings: Option<Findings>,
}

/// Under one name, a number of tokens in a line's summary and the tokens themselves in a document.
enum Findings {
    Count,
    List(Vec<Named>),
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
        while let Some(named) = findings.next_element()? {
            list.push(named);
        }
        Ok(Findings::List(list))
    }
}

#[derive(Deserialize)]
struct Named {
    fingerprint: String,
}

/// The tokens that a report lists, read one after the other.
pub fn read(report: impl Read) -> Result<Vec<Fingerprint>, BaselineError> {
    let mut tokens = Vec::new();
    let mut ended = false;
    for value in serde_json::Deserializer::from_reader(report).into_iter::<Value>() {
        let value = value?;
        if let Some(other) = value.schema.filter(|schema| *schema != SCHEMA) {
            return Err(BaselineError::Schema(other));
        }
        match (value.line.as_deref(), value.fingerprint, value.findings) {
            (Some("match"), Some(name), _) => tokens.push(parse(name)?),
            (Some("skip" | "error"), _, _) => {}
            (Some("summary"), _, Some(Findings::Count)) => ended = true,
            (None, _, Some(Findings::List(list))) if value.schema.is_some() => {
                ended = true;
                for named in list {
                    tokens.push(parse(named.fingerprint)?);
                }
            }
            _ => return Err(BaselineError::Foreign),
        }
    }
    if ended {
        Ok(tokens)
    } else {
        Err(BaselineError::Cut)
    }
}

fn parse(name: String) -> Result<Fingerprint, BaselineError> {
    name.parse().map_err(|_| BaselineError::Fingerprint(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read() {
        let [one, two] = ["1", "2"].map(Fingerprint::of);
        let lines = format!(
            "{{\"type\":\"match\",\"fingerprint\":\"{one}\",\"path\":\"a\"}}\n\
             {{\"type\":\"match\",\"fingerprint\":\"{two}\"}}\n{{\"type\":\"skip\",\"path\":\"b\"}}\n\
             {{\"type\":\"error\"}}\n{{\"type\":\"summary\",\"schema\":1,\"findings\":2}}\n"
        );
        assert_eq!(read(lines.as_bytes()).unwrap(), [one, two]);
        let document = format!(
            "{{\"schema\":1,\"summary\":{{\"type\":\"summary\"}},\"findings\":[\
             {{\"fingerprint\":\"{two}\",\"matches\":[]}}],\"skips\":[]}}"
        );
        assert_eq!(read(document.as_bytes()).unwrap(), [two]);
    }

    #[test]
    fn anything_else_is_refused() {
        let name = Fingerprint::of("1");
        for (text, fault) in [
            ("", "part of a report"),
            ("ghp_", "not a report"),
            ("[]", "not a report"),
            ("{\"type\":\"outcome\"}", "not a report of"),
            ("{\"schema\":2,\"findings\":[]}", "schema 2"),
            ("{\"findings\":[]}", "not a report of"),
            (
                "{\"schema\":1,\"findings\":[{\"fingerprint\":\"x\"}]}",
                "\"x\"",
            ),
            (
                &format!("{{\"type\":\"match\",\"fingerprint\":\"{name}\"}}"),
                "summary",
            ),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
