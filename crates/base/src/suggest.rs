//! The nearest of some names: "did you mean ...?".

/// The candidate closest to `name`, if one is close enough to be a likely slip: at most a third of
/// the name's letters (and at least one) inserted, deleted, replaced or swapped with a neighbour.
///
/// ```
/// assert_eq!(neuropil_base::nearest("treshold", ["reset", "threshold"]), Some("threshold"));
/// assert_eq!(neuropil_base::nearest("x", ["reset", "threshold"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(name, c), c))
        .filter(|(d, c)| *d <= limit && *d < c.chars().count())
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edit distance with transpositions of neighbours (optimal string alignment), letter case ignored.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_slips_once() {
        assert_eq!(distance("volt", "volt"), 0);
        assert_eq!(distance("vlot", "volt"), 1);
        assert_eq!(distance("vol", "volt"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn the_nearest_of_several_wins() {
        assert_eq!(nearest("taun", ["taum", "tauxy"]), Some("taum"));
        assert_eq!(nearest("zzzzzz", ["taum"]), None);
        assert_eq!(nearest("w", ["v"]), None, "replacing every letter is no slip");
    }
}
