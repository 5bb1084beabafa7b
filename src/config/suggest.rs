//! The known name that an unknown one was probably meant to be.

use super::keys::KEYS;

/// Names are shorter than this; whatever is longer was no typing mistake.
const LONGEST: usize = 64;

/// The nearest key by name, if one is near enough: few letters away, or the same name in another
/// section.
pub(super) fn nearest(unknown: &str) -> Option<&'static super::Key> {
    if unknown.len() > LONGEST {
        return None;
    }
    let typed = typed(unknown, KEYS.iter().map(|key| key.name)).and_then(super::Key::find);
    typed.or_else(|| {
        let last = unknown.rsplit('.').next().unwrap_or(unknown);
        KEYS.iter().find(|key| key.name.rsplit('.').next() == Some(last))
    })
}

/// The name that is few letters away, if one is.
pub(super) fn typed<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > LONGEST {
        return None;
    }
    let allowed = (unknown.len() / 3).clamp(1, 3);
    names
        .map(|name| (distance(unknown, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or replaced to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, left) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut last = row + 1;
        for (pair, right) in above.windows(2).zip(&b) {
            let replaced = pair[0] + usize::from(left != *right);
            last = replaced.min(pair[1] + 1).min(last + 1);
            current.push(last);
        }
        above = current;
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn counts_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("timout", "timeout"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn finds_a_typed_name_and_a_name_in_another_section() {
        assert_eq!(nearest("neuron.timout").unwrap().name, "neuron.timeout");
        assert_eq!(nearest("neuron.steps").unwrap().name, "run.steps");
        assert_eq!(nearest("weather"), None);
        assert_eq!(nearest(&"neuron.".repeat(1_000)), None);
    }
}
