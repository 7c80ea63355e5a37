//! What is to be said about a report, beside what is in it.

/// Things that a reader of the report may not find in it. Whoever has it written tells them.
#[derive(Debug, Default)]
#[must_use]
pub struct Remarks(Vec<String>);

impl Remarks {
    pub(super) fn add(&mut self, remark: String) {
        self.0.push(remark);
    }

    /// Them, in words.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}
