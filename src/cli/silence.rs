//! The tokens that the user knows, read from the files that name them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use douse::report::{Extent, Listing};
use douse::silence::{AllowList, Markers, Silence};
use douse::vocabulary::{Ending, Fingerprint, ScanReport, SilencedBy};

use super::Session;
use super::args::SilenceArgs;
use super::reported;
use super::settings::read_input;

/// Lines of an allow list that are told one by one.
const LINES_TOLD: usize = 10;

/// What is to be silenced, and the lists that say so.
pub(super) struct Known {
    pub(super) silence: Silence,
    lists: Vec<(PathBuf, AllowList)>,
}

impl Known {
    pub(super) fn new(args: &SilenceArgs, session: &Session) -> Result<Self> {
        let config = &session.config;
        let mut silence = Silence::new(
            if args.no_allow_markers || config.allow_markers == Some(false) {
                Markers::Disregard
            } else {
                Markers::Heed
            },
        );
        for path in args.baseline.iter().chain(&config.baseline) {
            let tokens = baseline(path)
                .with_context(|| format!("cannot use the baseline {}", path.display()))?;
            silence.know(tokens, SilencedBy::Baseline);
        }
        let mut lists = Vec::new();
        for path in args.allow.iter().chain(&config.allow) {
            let list = AllowList::parse(&read_input(path, &session.interrupt)?)
                .with_context(|| format!("cannot use the allow list {}", path.display()))?;
            silence.know(list.tokens(), SilencedBy::AllowList);
            lists.push((path.clone(), list));
        }
        Ok(Self { silence, lists })
    }

    /// Tells of the entries of allow lists that silenced nothing. After a scan that did not read
    /// everything nobody can know that.
    pub(super) fn tell_unused(&self, report: &ScanReport, session: &Session) {
        if report.ending == Ending::Interrupted || !report.is_complete() {
            return;
        }
        for (path, list) in &self.lists {
            let unused = list.unused(&report.silenced);
            if unused.is_empty() {
                continue;
            }
            let mut lines: Vec<_> = unused
                .iter()
                .take(LINES_TOLD)
                .map(usize::to_string)
                .collect();
            if unused.len() > LINES_TOLD {
                lines.push("…".to_owned());
            }
            session.remark(&format!(
                "{} of {} allow list entries matched nothing that was scanned: {}, line {}",
                unused.len(),
                list.tokens().count(),
                path.display(),
                lines.join(", ")
            ));
        }
    }
}

/// The tokens that a report lists. One that was cut short would silence less than it says.
fn baseline(path: &Path) -> Result<impl Iterator<Item = Fingerprint>> {
    let mut listing = Listing::default();
    match reported::read(path, &mut listing)? {
        Extent::Whole => Ok(listing.tokens.into_keys()),
        Extent::Part => {
            bail!("it is only a part of a report: its last line, the summary, is missing")
        }
    }
}
