//! What the user asked to leave out: an ignore file of their own, and `--exclude`.
//!
//! These rules come from the user's side only, never from inside what is scanned; what they leave
//! out is counted. They hold for paths named outright too, as a hook hands over what it is given.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::vocabulary::SkipReason;

/// Both lists of rules; globs in the syntax of gitignore, relative to the current folder.
#[derive(Debug)]
pub struct Rules {
    current_dir: PathBuf,
    ignored: Gitignore,
    excluded: Gitignore,
}

/// Why rules cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// An ignore file that cannot be read or holds a bad glob.
    #[error("cannot use the ignore file {}: {why}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A bad glob on the command line.
    #[error("--exclude {glob:?}: {why}")]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong.
        why: String,
    },
}

impl Rules {
    /// Reads `files` and takes `globs`, all relative to `current_dir` (absolute).
    pub fn new(
        current_dir: &Path,
        files: &[PathBuf],
        globs: &[String],
    ) -> Result<Self, RulesError> {
        let mut ignored = GitignoreBuilder::new(current_dir);
        for path in files {
            let fault = |error: ignore::Error| RulesError::File {
                path: path.clone(),
                why: error.to_string(),
            };
            if let Some(error) = ignored.add(path) {
                return Err(fault(error));
            }
        }
        let mut excluded = GitignoreBuilder::new(current_dir);
        for glob in globs {
            let fault = |error: ignore::Error| RulesError::Glob {
                glob: glob.clone(),
                why: error.to_string(),
            };
            // In an ignore file `!` takes back; an exclusion has nothing to take back.
            if glob.starts_with('!') {
                return Err(RulesError::Glob {
                    glob: glob.clone(),
                    why: "it may not start with `!`; leave that out".to_owned(),
                });
            }
            // Where git takes an unclosed `[` for a letter, somebody has mistyped a class.
            if let Err(error) = globset::Glob::new(glob) {
                return Err(fault(ignore::Error::Glob {
                    glob: None,
                    err: format!("{error}; write \\[ for the character itself"),
                }));
            }
            excluded.add_line(None, glob).map_err(fault)?;
        }
        let build = |builder: GitignoreBuilder, what: &str| {
            builder.build().map_err(|error| RulesError::Glob {
                glob: what.to_owned(),
                why: error.to_string(),
            })
        };
        Ok(Self {
            current_dir: current_dir.to_owned(),
            ignored: build(ignored, "ignore file")?,
            excluded: build(excluded, "exclude")?,
        })
    }

    /// Why `path`, met in a folder that was let through, is left out, if it is.
    pub(super) fn verdict(&self, path: &Path, is_dir: bool) -> Option<SkipReason> {
        if self.excluded.is_empty() && self.ignored.is_empty() {
            return None;
        }
        let path = self
            .current_dir
            .join(path.strip_prefix(".").unwrap_or(path));
        self.judge(&path, is_dir)
    }

    /// The same for a path that stands by itself: its folders are asked too.
    pub(in crate::source) fn verdict_with_parents(
        &self,
        path: &Path,
        is_dir: bool,
    ) -> Option<SkipReason> {
        if self.excluded.is_empty() && self.ignored.is_empty() {
            return None;
        }
        let path = self
            .current_dir
            .join(path.strip_prefix(".").unwrap_or(path));
        let mut ancestors = path.ancestors();
        let itself = ancestors.next().and_then(|path| self.judge(path, is_dir));
        itself.or_else(|| {
            ancestors
                .take_while(|parent| parent.starts_with(&self.current_dir))
                .find_map(|parent| self.judge(parent, true))
        })
    }

    fn judge(&self, path: &Path, is_dir: bool) -> Option<SkipReason> {
        if self.excluded.matched(path, is_dir).is_ignore() {
            Some(SkipReason::Excluded)
        } else if self.ignored.matched(path, is_dir).is_ignore() {
            Some(SkipReason::Ignored)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(globs: &[&str]) -> Rules {
        let globs: Vec<_> = globs.iter().map(ToString::to_string).collect();
        Rules::new(Path::new("/srv/app"), &[], &globs).unwrap()
    }

    #[test]
    fn globs_are_relative_to_the_current_folder() {
        let rules = rules(&["/target", "*.log", "docs/*.txt"]);
        let verdict = |path: &str, is_dir| rules.verdict(Path::new(path), is_dir);
        for (path, is_dir, excluded) in [
            ("./target", true, true),
            ("/srv/app/target", true, true),
            ("sub/target", true, false),
            ("/elsewhere/a.log", false, true),
            ("./docs/a.txt", false, true),
            ("/elsewhere/docs/a.txt", false, false),
        ] {
            assert_eq!(verdict(path, is_dir).is_some(), excluded, "{path}");
        }
    }

    #[test]
    fn a_path_named_outright_is_judged_by_its_folders_too() {
        let rules = rules(&["fixtures/"]);
        let path = Path::new("tests/fixtures/a.txt");
        assert_eq!(rules.verdict(path, false), None);
        assert_eq!(
            rules.verdict_with_parents(path, false),
            Some(SkipReason::Excluded)
        );
    }

    #[test]
    fn bad_globs_are_told() {
        for glob in ["a{b", "!a", "[", "a[b", "[z-a]"] {
            let error = Rules::new(Path::new("/"), &[], &[glob.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(glob), "{error}");
        }
    }
}
