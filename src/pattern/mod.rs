//! What tokens look like: pattern files in, a checked [`PatternSet`] out.
//!
//! The embedded `patterns/*.toml` and a user's own file pass through the same code. This room
//! knows token kinds, their shapes and their checksums; it does not search, and does no I/O.

mod checksum;
mod file;

use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

pub use checksum::Scheme;
pub use file::PatternError;

use crate::vocabulary::{Checksum, Kind, Standing};

/// The pattern files that are built into the program: a name to tell and the text.
const EMBEDDED: &[(&str, &str)] = &[("github.toml", include_str!("../../patterns/github.toml"))];

/// Every kind of token that is looked for.
#[derive(Debug)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
}

/// One kind of token and the shapes it comes in.
#[derive(Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: Arc<Kind>,
    /// Who issues it.
    pub provider: Arc<str>,
    /// The shapes of its body; the best fit decides.
    pub shapes: Vec<Shape>,
    /// Texts it must be found in.
    pub examples: Vec<Example>,
    /// Texts in which nothing may be found.
    pub counterexamples: Vec<Counterexample>,
}

/// One form that the part behind the prefix can take.
#[derive(Debug)]
pub struct Shape {
    body: String,
    compiled: OnceLock<Option<Regex>>,
    /// The shortest body in bytes.
    pub shortest: usize,
    /// The longest body in bytes.
    pub longest: usize,
    /// The checksum it carries.
    pub scheme: Scheme,
    /// Whether it counts as found where no checksum speaks.
    pub standing: Standing,
}

/// A text that holds one token, with the token in pieces.
#[derive(Debug)]
pub struct Example {
    text: String,
    token: String,
}

/// A text that looks as if it held a token.
#[derive(Debug)]
pub struct Counterexample {
    text: String,
    /// What it is instead.
    pub why: String,
}

impl PatternSet {
    /// The patterns that are built in.
    pub fn embedded() -> Result<Self, PatternError> {
        let mut patterns = Vec::new();
        for (_, text) in EMBEDDED {
            patterns.extend(file::parse(text)?);
        }
        Self::of(patterns)
    }

    /// The patterns of one file.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let patterns = file::parse(text)?;
        for pattern in &patterns {
            if let Some(shape) = pattern.shapes.iter().find(|shape| !shape.compiles()) {
                return Err(PatternError::Token {
                    id: pattern.kind.id.to_string(),
                    fault: file::Fault::TooLarge(shape.body.clone()),
                });
            }
        }
        Self::of(patterns)
    }

    fn of(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let mut ids: Vec<_> = patterns.iter().map(|p| Arc::clone(&p.kind.id)).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(PatternError::DuplicateId(pair[0].to_string())),
            None => Ok(Self { patterns }),
        }
    }

    /// The patterns in the order of their files.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The longest token, prefix included, in bytes.
    pub fn longest(&self) -> usize {
        let longest = self.lengths().map(|(_, longest)| longest).max();
        longest.unwrap_or(0)
    }

    /// The shortest token, prefix included, in bytes.
    pub fn shortest(&self) -> usize {
        let shortest = self.lengths().map(|(shortest, _)| shortest).min();
        shortest.unwrap_or(0)
    }

    fn lengths(&self) -> impl Iterator<Item = (usize, usize)> {
        self.patterns.iter().flat_map(|pattern| {
            let prefix = pattern.kind.prefix.len();
            let shapes = pattern.shapes.iter();
            shapes.map(move |shape| (prefix + shape.shortest, prefix + shape.longest))
        })
    }
}

impl Pattern {
    /// The longest token of it that can be a finding, prefix included, in bytes.
    pub fn longest_finding(&self) -> usize {
        let shapes = self.shapes.iter();
        let proven = shapes.filter(|shape| match (shape.scheme, shape.standing) {
            (Scheme::None, Standing::Unverified) => false,
            (Scheme::None, Standing::Finding) | (Scheme::Crc32Base62 | Scheme::Sha256Base32, _) => {
                true
            }
        });
        let longest = proven.map(|shape| self.kind.prefix.len() + shape.longest);
        longest.max().unwrap_or(0)
    }
}

impl Shape {
    /// How much of the start of `text` is a body of this shape.
    pub fn fit(&self, text: &[u8]) -> Option<usize> {
        // Compiled when first needed: most runs over most files never meet a candidate, and a
        // hook that scans three files should not pay for a dozen expressions.
        let regex = self.regex()?;
        let text = &text[..text.len().min(self.longest)];
        regex.find(text).map(|found| found.end())
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.body)).as_ref()
    }

    /// Whether it can be searched for. Few expressions parse and do not compile; a bounded repeat
    /// of a small class always does, and is left for later.
    fn compiles(&self) -> bool {
        self.longest <= 1024 || self.regex().is_some()
    }

    /// What the checksum of `body` behind `prefix` says.
    pub fn judge(&self, prefix: &str, body: &str) -> Checksum {
        self.scheme.judge(prefix, body)
    }
}

/// The expression, anchored at its start. [`PatternSet::parse`] refuses those that fail here; that
/// those built in do not is tested.
fn compile(body: &str) -> Option<Regex> {
    RegexBuilder::new(&format!(r"\A(?:{body})"))
        .unicode(false)
        .build()
        .ok()
}

impl Example {
    /// The text with the token put together in it.
    pub fn text(&self) -> String {
        self.text.replace("{token}", &self.token)
    }

    /// The token that must be found in it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The text as it stands in the file, free of tokens.
    pub fn template(&self) -> &str {
        &self.text
    }
}

impl Counterexample {
    /// The text to search.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_patterns_hold_the_six_prefixes() {
        let set = PatternSet::embedded().unwrap();
        let prefixes: Vec<_> = set.patterns().iter().map(|p| &*p.kind.prefix).collect();
        assert_eq!(
            prefixes,
            ["ghp_", "github_pat_", "gho_", "ghu_", "ghr_", "ghs_"]
        );
        assert!(set.longest() >= 255);
        assert!((20..=40).contains(&set.shortest()));
    }

    #[test]
    fn what_is_built_in_compiles_and_what_does_not_is_refused() {
        for pattern in PatternSet::embedded().unwrap().patterns() {
            assert!(pattern.shapes.iter().all(|shape| shape.regex().is_some()));
        }
        let body = vec!["[a-z]{4000}"; 400].join("|");
        let text = format!(
            "schema = 1\nprovider = \"acme\"\n[[token]]\nid = \"a\"\ntitle = \"A\"\n\
             prefix = \"acme_\"\nrevocable = false\n[[token.shape]]\nchecksum = \"none\"\n\
             body = \"{body}\"\n"
        );
        let error = PatternSet::parse(&text).unwrap_err().to_string();
        assert!(error.contains("too large an expression"), "{error}");
    }

    #[test]
    fn no_pattern_file_holds_a_whole_prefix_with_a_body() {
        for (name, text) in EMBEDDED {
            for prefix in ["ghp_", "gho_", "ghu_", "ghr_", "ghs_", "github_pat_"] {
                for (at, _) in text.match_indices(prefix) {
                    let body = text[at + prefix.len()..]
                        .bytes()
                        .take_while(u8::is_ascii_alphanumeric)
                        .count();
                    assert!(body < 30, "{name}: a token-shaped text at byte {at}");
                }
            }
        }
    }
}
