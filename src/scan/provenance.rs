//! The second look: how the objects of repositories in which something was found came there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Scan;
use crate::source::Pushed;
use crate::vocabulary::{Match, Origin, Place, Provenance, Redact as _, ScanReport};

impl Scan<'_> {
    /// Adds to the matches in objects of `repositories` how those came there. Where nothing was
    /// found, nothing is read.
    pub fn trace(&self, report: &mut ScanReport, repositories: &[Pushed]) {
        for repository in repositories {
            let place = Origin::File(&repository.within).place(self.detector);
            let objects: BTreeSet<String> = matches(report)
                .filter_map(|found| object(&found.place, &place).map(str::to_owned))
                .collect();
            if objects.is_empty() || self.interrupt.is_raised() {
                continue;
            }
            let names = objects.iter().map(String::as_str);
            let is_done = || self.interrupt.is_raised();
            let provenances = repository.provenances(names, self.threads, &is_done);
            let shown = provenances.into_iter();
            let shown: BTreeMap<String, Arc<Provenance>> = shown
                .map(|(object, provenance)| (object, Arc::new(self.redacted(provenance))))
                .collect();
            for found in matches(report) {
                let known = object(&found.place, &place).and_then(|object| shown.get(object));
                if let Some(provenance) = known {
                    found.git = Some(Arc::clone(provenance));
                }
            }
        }
    }

    /// The same with the tokens taken out that stand in names.
    fn redacted(&self, mut provenance: Provenance) -> Provenance {
        let path = provenance.path.take();
        provenance.path = path.map(|path| self.detector.bytes(&path).into_owned());
        let author = provenance.author.take();
        provenance.author = author.map(|author| self.detector.text(&author).into_owned());
        provenance
    }
}

/// All listed matches.
fn matches(report: &mut ScanReport) -> impl Iterator<Item = &mut Match> {
    let silenced = report.silenced.iter_mut();
    let findings = report.findings.iter_mut();
    let all = findings.chain(silenced.map(|silenced| &mut silenced.finding));
    all.flat_map(|finding| finding.matches.items.iter_mut())
}

/// The object that a place lies in, if it is one of the repository there.
fn object<'p>(place: &'p Place, repository: &Place) -> Option<&'p str> {
    let inside = place.path == repository.path;
    inside
        .then(|| place.members.first().map(String::as_str))
        .flatten()
}
