//! The entries of a file in the order of their titles: one at a place, and by binary search.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use zim::{DirectoryEntry, Error, Listing, Namespace, Zim};

use super::archive::ReadError;

/// A title that is looked for is no longer, in bytes.
const LONGEST: usize = 1_000;

pub(super) struct Titles<'f> {
    zim: &'f Zim,
    namespace: Namespace,
    /// Sorted by title; without it the paths are the order.
    list: Option<Listing<'f>>,
    range: Range<usize>,
}

impl<'f> Titles<'f> {
    pub(super) fn new(
        zim: &'f Zim,
        namespace: Namespace,
        list: Option<Listing<'f>>,
        range: Range<usize>,
    ) -> Self {
        Self { zim, namespace, list, range }
    }

    /// How many there are; redirects are among them.
    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    /// The part of a list of all entries that is in the namespace.
    pub(super) fn of_namespace(&self) -> Result<Range<usize>, ReadError> {
        let first_from =
            |namespace: u8| self.lower_bound(|entry| entry.namespace.as_byte().cmp(&namespace));
        let namespace = self.namespace.as_byte();
        Ok(first_from(namespace)?..first_from(namespace.saturating_add(1))?)
    }

    /// The entry at a place.
    pub(super) fn entry_at(&self, position: usize) -> Result<DirectoryEntry, ReadError> {
        let position = self.range.start.saturating_add(position);
        let index = match &self.list {
            Some(list) => list.get(position)?,
            None => u32::try_from(position).ok(),
        };
        Ok(self.zim.get_by_url_index(index.ok_or(Error::OutOfBounds)?)?)
    }

    /// The entries from the first that is not ordered before `title`, `count` at most.
    pub(super) fn from(&self, title: &str, count: usize) -> Result<Vec<DirectoryEntry>, ReadError> {
        let wanted = match self.list {
            Some(_) => Cow::Borrowed(title),
            None => title.replace(' ', "_").into(),
        };
        let first = self.lower_bound(|entry| {
            let by_path = self.list.is_none() || entry.title.is_empty();
            let key = if by_path { &entry.url } else { &entry.title };
            key.as_bytes().cmp(wanted.as_bytes())
        })?;
        (first..self.len()).take(count).map(|position| self.entry_at(position)).collect()
    }

    /// The entry of that title, or of the one with the other case of its first letter.
    pub(super) fn find(&self, title: &str) -> Result<Option<DirectoryEntry>, ReadError> {
        if title.is_empty() || title.len() > LONGEST {
            return Ok(None);
        }
        for wanted in [Some(title.to_owned()), with_other_case(title)].into_iter().flatten() {
            for path in [wanted.replace(' ', "_"), wanted.clone()] {
                if let Some(entry) = self.zim.get_by_path(self.namespace, &path)? {
                    return Ok(Some(entry));
                }
            }
            let mut found = self.from(&wanted, 1)?;
            if let Some(entry) = found.pop().filter(|entry| self::title(entry) == wanted) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The first place whose entry is not ordered before.
    fn lower_bound(&self, order: impl Fn(&DirectoryEntry) -> Ordering) -> Result<usize, ReadError> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match order(&self.entry_at(middle)?) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal | Ordering::Greater => high = middle,
            }
        }
        Ok(low)
    }
}

/// What a reader calls an entry.
pub(super) fn title(entry: &DirectoryEntry) -> String {
    if entry.title.is_empty() { entry.url.replace('_', " ") } else { entry.title.clone() }
}

fn with_other_case(title: &str) -> Option<String> {
    let mut letters = title.chars();
    let first = letters.next()?;
    let other: String = if first.is_lowercase() {
        first.to_uppercase().collect()
    } else {
        first.to_lowercase().collect()
    };
    let other = other + letters.as_str();
    (other != title).then_some(other)
}
