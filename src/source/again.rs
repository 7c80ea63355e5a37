//! Finds again what a report tells by its path.
//!
//! Reports are redacted: where a name held a token, an ellipsis stands in the path, and the name is
//! looked for in its folder. A report may be anybody's work, so a path in it is no reason to read
//! anything but plain files and the stores of git.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::list::to_path;
use crate::vocabulary::Redact;

/// What stands in a path for a token.
const ELLIPSIS: &str = "…";

/// Names of one folder that one redacted name may stand for, at most.
const NAMESAKES: usize = 1000;

/// What is made by the system at the moment it is read; some of it never ends.
const MADE_UP: [&str; 2] = ["/proc", "/sys"];

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// A file, or a folder that is a store of git: all of it is to be read.
    Content(PathBuf),
    /// Another folder: its name alone can be meant.
    Name(PathBuf),
    /// A file that the system makes up, which is not read.
    MadeUp,
}

/// What lies at `path` now: nothing if it is gone. What cannot be looked at is told as content, so
/// that reading it tells why.
pub fn find_again(path: &[u8], redact: &dyn Redact) -> Vec<Again> {
    let Some(path) = to_path(path) else {
        return Vec::new();
    };
    let Ok(candidates) = candidates(&path, redact) else {
        return vec![Again::Content(path)];
    };
    candidates.into_iter().filter_map(look_at).collect()
}

fn look_at(path: PathBuf) -> Option<Again> {
    let is_folder = match fs::metadata(&path) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) if is_gone(&error) => return None,
        Err(_) => false,
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    Some(if MADE_UP.iter().any(|folder| real.starts_with(folder)) {
        Again::MadeUp
    } else if is_folder && !is_store(&path) {
        Again::Name(path)
    } else {
        Again::Content(path)
    })
}

/// Whether a folder has what every store of git has.
fn is_store(folder: &Path) -> bool {
    folder.join("objects").is_dir() && folder.join("HEAD").symlink_metadata().is_ok()
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    )
}

/// The paths that a redacted one may stand for; whether they are there is not asked.
fn candidates(path: &Path, redact: &dyn Redact) -> io::Result<Vec<PathBuf>> {
    let mut bases = vec![PathBuf::new()];
    for component in path.components() {
        let name = component.as_os_str();
        let is_redacted =
            matches!(component, Component::Normal(_)) && name.to_string_lossy().contains(ELLIPSIS);
        if !is_redacted {
            for base in &mut bases {
                base.push(name);
            }
            continue;
        }
        let mut named = Vec::new();
        for base in bases {
            for entry in namesakes(&base, name.as_encoded_bytes(), redact)? {
                named.push(base.join(entry));
            }
        }
        named.truncate(NAMESAKES);
        bases = named;
    }
    Ok(bases)
}

/// The names in a folder that are told as `redacted`.
fn namesakes(folder: &Path, redacted: &[u8], redact: &dyn Redact) -> io::Result<Vec<OsString>> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if *redact.bytes(name.as_encoded_bytes()) == *redacted && names.len() < NAMESAKES {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::vocabulary::RedactNothing;

    /// Takes `secret` followed by anything for a token.
    struct Words;

    impl Redact for Words {
        fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
            let text = String::from_utf8_lossy(text);
            let end = text.find("secret").map_or(text.len(), |at| at + 6);
            let shown = if end == text.len() {
                text.into_owned()
            } else {
                format!("{}…", &text[..end])
            };
            Cow::Owned(shown.into_bytes())
        }
    }

    #[test]
    fn names_that_were_redacted_are_found_in_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["secret1", "secret2", "other"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("secret2/secret3"), "").unwrap();
        let find = |name: &str| {
            let told = path(name).into_os_string().into_encoded_bytes();
            find_again(&told, &Words)
        };
        assert_eq!(
            find("secret…/secret…"),
            [Again::Content(path("secret2/secret3"))]
        );
        let both = [Again::Name(path("secret1")), Again::Name(path("secret2"))];
        assert_eq!(find("secret…"), both);
        assert_eq!(find("other…"), []);
        assert_eq!(find("gone/secret…"), []);
        assert_eq!(find("secret2/secret3/below"), []);
    }

    #[test]
    fn of_folders_only_stores_are_read_and_of_the_system_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let find = |path: &Path| {
            let told = path.as_os_str().as_encoded_bytes();
            find_again(told, &RedactNothing)
        };
        assert_eq!(find(folder.path()), [Again::Name(folder.path().to_owned())]);
        fs::create_dir(folder.path().join("objects")).unwrap();
        fs::write(folder.path().join("HEAD"), "").unwrap();
        assert_eq!(
            find(folder.path()),
            [Again::Content(folder.path().to_owned())]
        );
        #[cfg(target_os = "linux")]
        {
            assert_eq!(find(Path::new("/proc/self/environ")), [Again::MadeUp]);
            let link = folder.path().join("link");
            std::os::unix::fs::symlink("/proc/uptime", &link).unwrap();
            assert_eq!(find(&link), [Again::MadeUp]);
        }
        assert_eq!(find_again(b"a\0b", &RedactNothing), []);
    }
}
