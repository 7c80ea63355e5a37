//! `douse.toml`: what somebody would otherwise type again and again.
//!
//! It is read from the current folder, or from where `--config` says; never from what is scanned.
//! Its keys are the flags' names. It can change what is looked at and how that is shown. It cannot
//! say where tokens are sent, how fast, or that nobody is to be asked: standing in somebody else's
//! folder must not be enough for that.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::args::{Color, Format};
use super::settings;

/// The file that is read from the current folder without being named.
const NAME: &str = "douse.toml";

/// Every key, to say which one a misspelt one may stand for.
const KEYS: [&str; 12] = [
    "allow",
    "allow_markers",
    "baseline",
    "color",
    "exclude",
    "format",
    "ignore_file",
    "max",
    "quiet",
    "respect_ignore",
    "threads",
    "unverified",
];

/// How much alike two words are, from 0 to 1, for one to be a misspelling of the other.
const ALIKE: f64 = 0.7;

/// What the file says. What it does not say is as without it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// `--allow`
    pub(super) allow: Vec<PathBuf>,
    /// `--no-allow-markers`, the other way round
    pub(super) allow_markers: Option<bool>,
    /// `--baseline`
    pub(super) baseline: Vec<PathBuf>,
    /// `--color`
    pub(super) color: Option<Color>,
    /// `--exclude`
    pub(super) exclude: Vec<String>,
    /// `--format`
    pub(super) format: Option<Format>,
    /// `--ignore-file`
    pub(super) ignore_file: Vec<PathBuf>,
    /// `--max`
    pub(super) max: Option<usize>,
    /// `--quiet`
    pub(super) quiet: bool,
    /// `--respect-ignore`
    pub(super) respect_ignore: bool,
    /// `--threads`
    pub(super) threads: Option<u16>,
    /// The file that says all this.
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
    /// `--unverified`, of `scan`: to send what nothing proves takes the flag itself
    pub(super) unverified: bool,
}

/// Whether there is a file to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// The one in the current folder, if there is one.
    Default,
    /// This one, which must be there.
    Named(&'a Path),
    /// None.
    Nothing,
}

impl Config {
    /// Reads what is wanted.
    pub(super) fn load(wanted: Wanted<'_>) -> Result<Self> {
        let path = match wanted {
            Wanted::Nothing => return Ok(Self::default()),
            Wanted::Named(path) => path.to_owned(),
            Wanted::Default => {
                let path = settings::current_dir()?.join(NAME);
                if !path.is_file() {
                    return Ok(Self::default());
                }
                path
            }
        };
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let config =
            Self::parse(&text).with_context(|| format!("cannot use {}", path.display()))?;
        let mut config = config.relative_to(folder);
        config.file = Some(path);
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self> {
        let told = |error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start].matches('\n').count() + 1;
            anyhow::anyhow!("line {line}: {}", error.message())
        };
        let table: toml::Table = toml::from_str(text).map_err(told)?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            match nearest(key) {
                Some(meant) => bail!("there is no key `{key}`; did you mean `{meant}`?"),
                None => bail!("there is no key `{key}`; there are {}", KEYS.join(", ")),
            }
        }
        toml::from_str(text).map_err(told)
    }

    /// Files that it names lie beside it.
    fn relative_to(mut self, folder: &Path) -> Self {
        for paths in [&mut self.allow, &mut self.baseline, &mut self.ignore_file] {
            for path in paths {
                *path = folder.join(&*path);
            }
        }
        self
    }
}

fn nearest(key: &str) -> Option<&'static str> {
    let key = key.replace('-', "_");
    let likeness = KEYS.map(|known| (strsim::jaro_winkler(known, &key), known));
    let best = likeness
        .into_iter()
        .max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(alike, _)| *alike >= ALIKE)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_taken() {
        let text = "allow = [\"a\"]\nallow_markers = false\nbaseline = [\"b\"]\ncolor = \"never\"\n\
            exclude = [\"*.log\"]\nformat = \"jsonl\"\nignore_file = [\"i\"]\nmax = 5\nquiet = true\n\
            respect_ignore = true\nthreads = 2\nunverified = true\n";
        assert_eq!(text.lines().count(), KEYS.len());
        let config = Config::parse(text).unwrap().relative_to(Path::new("/etc"));
        assert_eq!(config.allow, [Path::new("/etc/a")]);
        assert_eq!(config.exclude, ["*.log"]);
        assert_eq!((config.max, config.threads), (Some(5), Some(2)));
        assert!(Config::parse("").unwrap().allow_markers.is_none());
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        for (text, told) in [
            ("exlude = []", "did you mean `exclude`?"),
            ("ignore-file = []", "did you mean `ignore_file`?"),
            ("whitelist = []", "there are allow, allow_markers"),
            (
                "api_url = \"https://elsewhere\"",
                "there is no key `api_url`",
            ),
            ("\nthreads = \"two\"", "line 2: invalid type"),
            ("format = \"xml\"", "line 1: unknown variant"),
            ("a = ", "line 1: "),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
