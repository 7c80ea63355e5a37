//! The pattern file: TOML as people write it, turned into checked patterns.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::checksum::Scheme;
use super::{Counterexample, Example, Pattern, Shape};
use crate::vocabulary::{Kind, Revocable, Standing};

/// The newest file format this program reads.
const SCHEMA: u32 = 1;
/// A body longer than this is no token, and would make every read window overlap as far.
const LONGEST_BODY: usize = 4096;
/// The search is as fast as its shortest literal is rare.
const SHORTEST_PREFIX: usize = 3;

/// Why a pattern file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is not TOML, or has fields that are unknown, missing or of the wrong type.
    #[error("not a pattern file: line {line}, {text:?}: {why}")]
    Syntax {
        /// Where, from 1.
        line: usize,
        /// That line.
        text: String,
        /// What is wrong.
        why: String,
    },
    /// It is written for another version.
    #[error("this program reads pattern files with schema = {SCHEMA}, this one has {0}")]
    Schema(u32),
    /// Two tokens have one id.
    #[error("two tokens have the id {0:?}")]
    DuplicateId(String),
    /// Something in one token's description is wrong.
    #[error("token {id:?}: {fault}")]
    Token {
        /// Which token.
        id: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What can be wrong with one token's description.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The identifier has characters that reports and databases should not have to quote.
    #[error("the id must be lower-case ASCII letters, digits and `_`")]
    Id,
    /// The prefix is too short or not plain.
    #[error("the prefix must be at least {SHORTEST_PREFIX} printable ASCII characters, no spaces")]
    Prefix,
    /// It has no shape.
    #[error("it needs at least one [[token.shape]]")]
    NoShape,
    /// The body is not a regular expression.
    #[error("body {body:?} is not a regular expression: {why}")]
    Body {
        /// The expression.
        body: String,
        /// The parser's words, on one line.
        why: String,
    },
    /// The body could match text that is not ASCII.
    #[error("body {0:?} must match ASCII only; write a class such as [A-Za-z0-9]")]
    NotAscii(String),
    /// The body has no bound, or too large a one, or may be empty.
    #[error("body {0:?} must match 1 to {LONGEST_BODY} characters; give counts an upper bound")]
    Length(String),
    /// The body is too much to be searched for.
    #[error("body {0:?} is too large an expression; use smaller counts or fewer of them")]
    TooLarge(String),
    /// An example that cannot be tested.
    #[error("example {0:?} must hold {{token}} once")]
    Example(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    provider: String,
    #[serde(default)]
    token: Vec<Token>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    id: String,
    title: String,
    prefix: String,
    revocable: bool,
    #[serde(default)]
    shape: Vec<TokenShape>,
    #[serde(default)]
    example: Vec<TokenExample>,
    #[serde(default)]
    counterexample: Vec<TokenCounterexample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenShape {
    body: String,
    checksum: SchemeName,
    #[serde(default)]
    standing: StandingName,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SchemeName {
    Crc32Base62,
    Sha256Base32,
    None,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum StandingName {
    #[default]
    Finding,
    Unverified,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenExample {
    text: String,
    payload: String,
    #[serde(default)]
    checksum: String,
    #[serde(default)]
    tail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenCounterexample {
    text: String,
    why: String,
}

/// Reads one pattern file.
pub(super) fn parse(text: &str) -> Result<Vec<Pattern>, PatternError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text[..start].matches('\n').count();
        PatternError::Syntax {
            text: text.lines().nth(line).unwrap_or_default().trim().to_owned(),
            line: line + 1,
            why: error.message().to_owned(),
        }
    })?;
    if file.schema != SCHEMA {
        return Err(PatternError::Schema(file.schema));
    }
    let provider: Arc<str> = file.provider.into();
    let patterns = file.token.into_iter().map(|token| {
        let id = token.id.clone();
        pattern(token, Arc::clone(&provider)).map_err(|fault| PatternError::Token { id, fault })
    });
    patterns.collect()
}

fn pattern(token: Token, provider: Arc<str>) -> Result<Pattern, Fault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if token.id.is_empty() || !token.id.bytes().all(plain) {
        return Err(Fault::Id);
    }
    let prefix = token.prefix;
    if prefix.len() < SHORTEST_PREFIX || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::Prefix);
    }
    if token.shape.is_empty() {
        return Err(Fault::NoShape);
    }
    let shapes = token.shape.into_iter().map(shape);
    let examples = token.example.into_iter().map(|e| example(&prefix, e));
    let counterexamples = token.counterexample.into_iter().map(|c| Counterexample {
        text: c.text.replace("{prefix}", &prefix),
        why: c.why,
    });
    Ok(Pattern {
        provider,
        shapes: shapes.collect::<Result<_, _>>()?,
        examples: examples.collect::<Result<_, _>>()?,
        counterexamples: counterexamples.collect(),
        kind: Arc::new(Kind {
            id: token.id.into(),
            title: token.title.into(),
            prefix: prefix.into(),
            revocable: if token.revocable {
                Revocable::ByPossession
            } else {
                Revocable::ReportOnly
            },
        }),
    })
}

fn shape(shape: TokenShape) -> Result<Shape, Fault> {
    let body = shape.body;
    // Parsing alone gives the bounds; the expression itself is compiled when a candidate needs it.
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(&body);
    let properties = match &parsed {
        Ok(hir) => hir.properties(),
        Err(error) => {
            let why = match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "it cannot be read".to_owned(),
            };
            return Err(Fault::Body { body, why });
        }
    };
    if !properties.is_utf8() || !properties.look_set().is_empty() {
        return Err(Fault::NotAscii(body));
    }
    let (shortest, longest) = match (properties.minimum_len(), properties.maximum_len()) {
        (Some(shortest @ 1..), Some(longest)) if longest <= LONGEST_BODY => (shortest, longest),
        (Some(_) | None, Some(_) | None) => return Err(Fault::Length(body)),
    };
    Ok(Shape {
        body,
        compiled: OnceLock::new(),
        shortest,
        longest,
        scheme: match shape.checksum {
            SchemeName::Crc32Base62 => Scheme::Crc32Base62,
            SchemeName::Sha256Base32 => Scheme::Sha256Base32,
            SchemeName::None => Scheme::None,
        },
        standing: match shape.standing {
            StandingName::Finding => Standing::Finding,
            StandingName::Unverified => Standing::Unverified,
        },
    })
}

fn example(prefix: &str, example: TokenExample) -> Result<Example, Fault> {
    if example.text.matches("{token}").count() != 1 {
        return Err(Fault::Example(example.text));
    }
    Ok(Example {
        text: example.text.replace("{prefix}", prefix),
        token: [prefix, &example.payload, &example.checksum, &example.tail].concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(token: &str) -> String {
        format!(
            "schema = 1\nprovider = \"Acme\"\n[[token]]\nid = \"acme\"\ntitle = \"Acme\"\n\
             revocable = false\n{token}"
        )
    }

    fn fault(token: &str) -> String {
        parse(&file(token)).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_told_with_what_to_do() {
        let shape = "[[token.shape]]\nchecksum = \"none\"\nbody = ";
        for (token, part) in [
            ("prefix = \"a\"", "prefix must be at least"),
            ("prefix = \"acme_\"", "at least one [[token.shape]]"),
            (
                &format!("prefix = \"acme_\"\n{shape}'[a-z'"),
                "not a regular expression",
            ),
            (
                &format!("prefix = \"acme_\"\n{shape}'[a-z]+'"),
                "upper bound",
            ),
            (
                &format!("prefix = \"acme_\"\n{shape}'[a-z]*'"),
                "upper bound",
            ),
            (
                &format!("prefix = \"acme_\"\n{shape}'[^a]{{9}}'"),
                "ASCII only",
            ),
            (
                &format!("prefix = \"acme_\"\n{shape}'[a-z]{{9}}$'"),
                "ASCII only",
            ),
            (
                &format!("prefix = \"acme_\"\n{shape}'[a-z]{{9999}}'"),
                "upper bound",
            ),
            ("prefix = \"acme_\"\ncolour = \"red\"", "colour"),
        ] {
            let told = fault(token);
            assert!(told.contains(part), "{token}\n{told}");
        }
        assert!(parse("schema = 7\nprovider = \"x\"").is_err());
    }

    #[test]
    fn a_new_kind_of_a_known_shape_needs_no_code() {
        let text = file(
            "prefix = \"acme_\"\n[[token.shape]]\nbody = \"[A-Za-z0-9]{36}\"\n\
             checksum = \"crc32_base62\"\n",
        );
        let patterns = parse(&text).unwrap();
        assert_eq!(patterns[0].shapes[0].longest, 36);
        assert_eq!(patterns[0].shapes[0].scheme, Scheme::Crc32Base62);
    }
}
