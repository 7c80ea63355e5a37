//! Bars, and what they stand for. Each is a row of a table, so that whoever can't see the bar reads
//! the number.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::super::escape;
use super::page::markup;
use crate::vocabulary::Finding;

/// Draws a bar for each label, the longest first.
pub(super) fn bars<L: AsRef<str> + Ord>(
    out: &mut dyn Write,
    title: &str,
    counts: impl IntoIterator<Item = (L, u64)>,
) -> io::Result<()> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let Some(most) = counts
        .iter()
        .map(|(_, n)| *n)
        .max()
        .filter(|most| *most > 0)
    else {
        return Ok(());
    };
    writeln!(
        out,
        "<section>\n<h2>{}</h2>\n<table class=\"bars\">",
        markup(title)
    )?;
    for (label, n) in &counts {
        // In thousandths; what is there at all is seen.
        let width = (u128::from(*n) * 1000 / u128::from(most)).max(4);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td><svg viewBox=\"0 0 1000 8\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"{width}\" \
             height=\"8\"/></svg></td><td>{n}</td></tr>",
            markup(label.as_ref())
        )?;
    }
    writeln!(out, "</table>\n</section>")
}

/// How many tokens lie below each folder, or in each file, right under the folder that all have in
/// common; those beyond the first `most` in one sum.
pub(super) fn folders(findings: &[&Finding], most: usize) -> Vec<(String, u64)> {
    let paths = || {
        let items = findings.iter().flat_map(|finding| &finding.matches.items);
        items.map(|found| found.place.path.as_slice())
    };
    let common = paths().map(folder).reduce(in_common).unwrap_or_default();
    let mut counts: BTreeMap<&[u8], u64> = BTreeMap::new();
    for finding in findings {
        let items = finding.matches.items.iter();
        let below: BTreeSet<_> = items
            .map(|found| first_step(&found.place.path, common.len()))
            .collect();
        for path in below {
            *counts.entry(path).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(path, n)| (u64::MAX - n, *path));
    let rest: u64 = counts.iter().skip(most).map(|(_, n)| n).sum();
    let others = counts.len().saturating_sub(most);
    counts.truncate(most);
    let mut named: Vec<_> = counts
        .into_iter()
        .map(|(path, n)| (escape(path).into_owned(), n))
        .collect();
    if others > 0 {
        named.push((format!("{others} others"), rest));
    }
    named
}

/// The folder of a path, with its slash.
fn folder(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/');
    &path[..end.map_or(0, |slash| slash + 1)]
}

/// The folder that two folders have in common.
fn in_common<'a>(one: &'a [u8], other: &[u8]) -> &'a [u8] {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    folder(&one[..same])
}

/// A path up to the first slash behind `from`.
fn first_step(path: &[u8], from: usize) -> &[u8] {
    let step = path[from..].iter().position(|&byte| byte == b'/');
    &path[..step.map_or(path.len(), |slash| from + slash + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_where_paths_part() {
        for (paths, common) in [
            (&["srv/a/x", "srv/a/y/z", "srv/ab"][..], "srv/"),
            (&["a", "b/c"], ""),
            (&["/srv/a/x", "/srv/a/y"], "/srv/a/"),
            (&["srv/a/x"], "srv/a/"),
        ] {
            let folders = paths.iter().map(|path| folder(path.as_bytes()));
            assert_eq!(folders.reduce(in_common), Some(common.as_bytes()));
        }
        assert_eq!(first_step(b"srv/a/x", 4), b"srv/a/");
        assert_eq!(first_step(b"srv/ab", 4), b"srv/ab");
    }
}
