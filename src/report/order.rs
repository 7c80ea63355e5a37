//! The order in which people want to hear of findings.

use crate::vocabulary::{Finding, ScanReport};

/// Worst first: what proves itself, what can still be revoked, what lies in most places. Findings
/// that are alike in all that stand in the order of their places.
pub(super) fn worst_first(report: &ScanReport) -> Vec<&Finding> {
    let mut findings: Vec<_> = report.findings.iter().collect();
    findings.sort_by_key(|finding| {
        (
            finding.standing,
            finding.kind.revocable,
            u64::MAX - finding.matches.total(),
            finding.matches.items.first(),
        )
    });
    findings
}
