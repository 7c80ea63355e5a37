//! A list of tokens that are known and meant to be where they are: one fingerprint a line.

use crate::vocabulary::{Fingerprint, Silenced};

/// The fingerprints of a list, with the lines they stand on.
#[derive(Debug)]
pub struct AllowList {
    /// Line, from 1, and fingerprint.
    entries: Vec<(usize, Fingerprint)>,
}

/// A line that is no fingerprint. It is not repeated: it may well be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} is not a fingerprint (64 hexadecimal digits, the `sha256` of a report); a token \
     itself has no place in such a list"
)]
pub struct AllowListError {
    /// Which line, from 1.
    pub line: usize,
}

impl AllowList {
    /// Reads a list. Blank lines are left out, and so is what follows a `#`.
    pub fn parse(list: &[u8]) -> Result<Self, AllowListError> {
        let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
        let mut entries = Vec::new();
        for (at, line) in list.split(|&byte| byte == b'\n').enumerate() {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let number = at + 1;
            let fingerprint = std::str::from_utf8(line)
                .ok()
                .and_then(|text| text.parse().ok());
            entries.push((number, fingerprint.ok_or(AllowListError { line: number })?));
        }
        Ok(Self { entries })
    }

    /// Its tokens.
    pub fn tokens(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        self.entries.iter().map(|(_, fingerprint)| *fingerprint)
    }

    /// The lines that silenced nothing. `silenced` is in the order of fingerprints.
    pub fn unused(&self, silenced: &[Silenced]) -> Vec<usize> {
        let met = |name: &Fingerprint| {
            let by_name = |silenced: &Silenced| silenced.finding.fingerprint;
            silenced.binary_search_by_key(name, by_name).is_ok()
        };
        let unused = self.entries.iter().filter(|(_, name)| !met(name));
        unused.map(|(line, _)| *line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_fingerprints_and_comments() {
        let [one, two] = ["1", "2"].map(Fingerprint::of);
        let upper = two.to_string().to_uppercase();
        let text = format!("\u{feff}# ours\n\n{one}\r\n  {upper} # of the test server\n#{one}\n");
        let list = AllowList::parse(text.as_bytes()).unwrap();
        assert_eq!(list.tokens().collect::<Vec<_>>(), [one, two]);
        assert_eq!(list.unused(&[]), [3, 4]);
    }

    #[test]
    fn other_lines_are_told_by_number_and_not_repeated() {
        let short = &Fingerprint::of("1").to_string()[1..];
        for (list, line) in [
            ("# a\nsecret-thing", 2),
            (short, 1),
            ("\u{e9}", 1),
            ("zz", 1),
        ] {
            let error = AllowList::parse(list.as_bytes()).unwrap_err();
            assert_eq!(error, AllowListError { line });
            assert!(!error.to_string().contains("secret-thing"));
        }
    }
}
