//! Points of a recording that it can go back to.

use serde::{Deserialize, Serialize};

use crate::{RecordError, RecorderSpec};

/// How much a recording held at some time: what [`rewind`](crate::MemorySink::rewind) goes back to.
///
/// It is a plain value: it can be kept as long as one likes, and be written to a file. A mark is good as long as the
/// data before it are those that it was made of. Going back behind it, and recording something else, spoils it.
///
/// ```
/// use neuropil_record::{MemorySink, RecorderId, RecorderKind, RecorderSpec, Sink};
///
/// let kind = RecorderKind::Rate { population: "E".to_owned(), n: 10, period_steps: 1 };
/// let mut sink = MemorySink::new(vec![RecorderSpec { name: "r".to_owned(), dt_s: 1e-4, kind }])?;
/// let id = RecorderId::new(0);
/// sink.rate(id, 0, 3)?;
/// let mark = sink.mark();
/// sink.rate(id, 1, 4)?;
/// let late = sink.mark();
/// sink.rewind(&mark)?;
/// sink.rate(id, 1, 5)?;
/// assert_eq!(sink.counts(id)?.1, [3, 5]);
/// assert!(sink.rewind(&late).is_err());
/// # Ok::<(), neuropil_record::RecordError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Mark {
    rows: Vec<u64>,
    /// Which of the futures between which a recording went back the last rows belong to.
    branch: u64,
}

impl Mark {
    /// Events, rows or windows of each recorder.
    #[must_use]
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// All that it holds; [`from_words`](Self::from_words) makes the mark of it again. There is at least one.
    #[must_use]
    pub fn words(&self) -> Vec<u64> {
        std::iter::once(self.branch).chain(self.rows.iter().copied()).collect()
    }

    /// The mark that had these words; `None` if there are none.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let (branch, rows) = words.split_first()?;
        Some(Self { rows: rows.to_vec(), branch: *branch })
    }
}

/// What a recording consists of: rows of one branch up to where it was left, then rows of the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    /// Branches that were left, and the rows at which they were.
    left: Vec<(u64, Vec<u64>)>,
    current: u64,
    /// The number of the next branch; none is used twice.
    next: u64,
}

impl Lineage {
    /// The lineage of a recording that goes on at a mark of another process.
    pub(crate) fn resumed(mark: &Mark) -> Self {
        Self { left: Vec::new(), current: mark.branch, next: mark.branch.wrapping_add(1) }
    }

    /// The mark of a recording that has `rows`.
    pub(crate) fn mark(&self, rows: Vec<u64>) -> Mark {
        // Where a branch begins, everything is still of the one before.
        let before = self.left.iter().rev().take_while(|(_, limit)| *limit == rows).last();
        let branch = before.map_or(self.current, |(branch, _)| *branch);
        Mark { rows, branch }
    }

    /// Starts with no rows, and no mark that was made before is good.
    pub(crate) fn clear(&mut self) {
        self.left.clear();
        self.branch_off();
    }

    fn branch_off(&mut self) {
        self.current = self.next.max(self.current.wrapping_add(1));
        self.next = self.current.wrapping_add(1);
    }

    /// Goes back to a mark in a recording that has `rows`.
    ///
    /// # Errors
    /// [`RecordError::Mark`] if there are other data before the mark than when it was made, or fewer.
    pub(crate) fn rewind(
        &mut self,
        mark: &Mark,
        rows: &[u64],
        specs: &[RecorderSpec],
    ) -> Result<(), RecordError> {
        let fail = |message: String| Err(RecordError::Mark { message });
        if mark.rows.len() != specs.len() {
            return fail(format!("it counts `{}` recorders, and there are {}", mark.rows.len(), specs.len()));
        }
        let left = self.left.iter().position(|(branch, _)| *branch == mark.branch);
        let limit = match left.and_then(|k| self.left.get(k)) {
            Some((_, limit)) => limit,
            None if mark.branch == self.current => rows,
            None => return fail("what was recorded before it has been forgotten".to_owned()),
        };
        for ((spec, marked), limit) in specs.iter().zip(&mark.rows).zip(limit) {
            if marked > limit {
                let message = format!(
                    "it lies behind what was recorded: `{marked}` rows of recorder `{}`, which has {limit}",
                    spec.name
                );
                return fail(message);
            }
        }
        if mark.rows != rows {
            self.left.truncate(left.unwrap_or(self.left.len()));
            self.left.push((mark.branch, mark.rows.clone()));
            self.branch_off();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecorderKind;

    fn specs() -> Vec<RecorderSpec> {
        let kind = RecorderKind::Rate { population: "E".to_owned(), n: 1, period_steps: 1 };
        vec![RecorderSpec { name: "r".to_owned(), dt_s: 1e-3, kind }]
    }

    fn message(result: Result<(), RecordError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn marks_are_good_until_something_else_is_recorded_before_them() {
        let specs = specs();
        let mut lineage = Lineage::default();
        let early = lineage.mark(vec![2]);
        let late = lineage.mark(vec![5]);
        lineage.rewind(&late, &[9], &specs).unwrap();
        let after = lineage.mark(vec![7]);
        lineage.rewind(&late, &[8], &specs).unwrap();
        lineage.rewind(&early, &[8], &specs).unwrap();
        // Now there are two rows of the first branch, then others.
        for spoilt in [&late, &after] {
            let forgotten = ["forgotten", "lies behind"];
            let message = message(lineage.rewind(spoilt, &[9], &specs));
            assert!(forgotten.iter().any(|word| message.contains(word)), "{message}");
        }
        lineage.rewind(&early, &[9], &specs).unwrap();
    }

    #[test]
    fn a_loop_back_to_one_mark_keeps_one_branch() {
        let mut lineage = Lineage::default();
        let mark = lineage.mark(vec![2]);
        for _ in 0..10 {
            lineage.rewind(&mark, &[4], &specs()).unwrap();
        }
        assert_eq!(lineage.left.len(), 1);
    }

    #[test]
    fn marks_that_do_not_fit_say_why() {
        let mut lineage = Lineage::default();
        let (wide, far) = (lineage.mark(vec![0, 0]), lineage.mark(vec![4]));
        assert_eq!(
            message(lineage.rewind(&wide, &[3], &specs())),
            "cannot go back to the mark: it counts `2` recorders, and there are 1"
        );
        assert_eq!(
            message(lineage.rewind(&far, &[3], &specs())),
            "cannot go back to the mark: it lies behind what was recorded: `4` rows of recorder `r`, which has 3"
        );
    }
}
