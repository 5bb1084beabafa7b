//! The file: which of its entries are articles, how they are sorted, what they hold.
//!
//! Both schemes of the format are read: since 6.1 articles are in the namespace `C`, before in `A`.

use std::ops::Range;
use std::path::Path;

use zim::{DirectoryEntry, Error, MimeType, Namespace, Target, Zim};

use super::ZimError;
use super::titles::Titles;

/// A cluster takes no more of the file; writers make them of about two megabytes.
const LARGEST_CLUSTER: u64 = 16 << 20;
/// A page that is longer is read so far.
const LONGEST_PAGE: usize = 2 << 20;
/// So many entries are looked at to find out whether any is a page.
const LOOKED: usize = 1_000;
const LONGEST_LICENCE: usize = 200;

const DOWNLOAD: &str = "download the file again, or set another one";

/// What went wrong in the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("the file is broken: {0}; check it with zimcheck, or download it again")]
    Broken(#[from] Error),
    #[error("the file has a cluster of {0} bytes, more than {LARGEST_CLUSTER}; use another file")]
    LargeCluster(u64),
}

pub(super) struct Archive {
    zim: Zim,
    namespace: Namespace,
    order: Order,
    /// The articles among the entries in that order.
    range: Range<usize>,
    pub(super) licence: Option<String>,
}

/// By which list the articles are sorted.
enum Order {
    /// The list of articles by title (since 6.1).
    Articles,
    /// The list of all entries by namespace and title.
    Entries,
    /// There is no list by title: by path.
    Paths,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, ZimError> {
        let error = |cause: String, remedy| ZimError { path: path.to_owned(), cause, remedy };
        if let Err(cause) = std::fs::File::open(path) {
            // Large archives come in pieces named `…zimaa`, `…zimab`.
            let mut first = path.as_os_str().to_owned();
            first.push("aa");
            if !Path::new(&first).is_file() {
                return Err(error(
                    cause.to_string(),
                    "set the path of a ZIM file that can be read",
                ));
            }
        }
        let zim = Zim::new(path).map_err(|cause| error(cause.to_string(), DOWNLOAD))?;
        let new = (zim.header.version_major, zim.header.version_minor) >= (6, 1);
        let namespace = if new { Namespace::UserContent } else { Namespace::Articles };
        let mut archive = Self { zim, namespace, order: Order::Paths, range: 0..0, licence: None };
        archive.sort().map_err(|cause| error(cause.to_string(), DOWNLOAD))?;
        if archive.is_without_pages().map_err(|cause| error(cause.to_string(), DOWNLOAD))? {
            return Err(error("it has no articles".into(), "set a ZIM file of an encyclopedia"));
        }
        archive.licence = archive.metadata("License");
        Ok(archive)
    }

    /// Finds the list to sort by, and the articles in it.
    fn sort(&mut self) -> Result<(), ReadError> {
        let articles = match self.zim.article_list_by_title()? {
            Some(list) => list.len()?,
            None => 0,
        };
        if articles > 0 {
            (self.order, self.range) = (Order::Articles, 0..articles);
            return Ok(());
        }
        if let Some(list) = self.zim.entry_list_by_title()? {
            let count = list.len()?;
            let all = Titles::new(&self.zim, self.namespace, Some(list), 0..count);
            let range = all.of_namespace()?;
            if !range.is_empty() {
                (self.order, self.range) = (Order::Entries, range);
                return Ok(());
            }
        }
        let paths = self.zim.namespace_range(self.namespace)?;
        self.range = paths.start as usize..paths.end as usize;
        Ok(())
    }

    /// Whether none of the first entries is a page or leads to one, of a file that has no more.
    fn is_without_pages(&self) -> Result<bool, ReadError> {
        let titles = self.titles()?;
        let looked = titles.len().min(LOOKED);
        let is_page = |position| {
            let entry = titles.entry_at(position).and_then(|entry| self.resolved(entry));
            entry.is_ok_and(|entry| Self::is_page(&entry))
        };
        Ok(titles.len() == looked && !(0..looked).any(is_page))
    }

    /// The entries in the order of their titles, for some lookups.
    pub(super) fn titles(&self) -> Result<Titles<'_>, ReadError> {
        let list = match self.order {
            Order::Articles => self.zim.article_list_by_title()?,
            Order::Entries => self.zim.entry_list_by_title()?,
            Order::Paths => None,
        };
        Ok(Titles::new(&self.zim, self.namespace, list, self.range.clone()))
    }

    /// Where redirects lead, which the crate follows fifty times at most.
    pub(super) fn resolved(&self, entry: DirectoryEntry) -> Result<DirectoryEntry, ReadError> {
        Ok(self.zim.resolve(entry)?)
    }

    /// Whether it is a page itself, not a redirect, picture or style.
    pub(super) fn is_page(entry: &DirectoryEntry) -> bool {
        matches!(&entry.mime_type, MimeType::Type(kind)
            if kind.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html")))
    }

    /// The beginning of what an entry holds, as text.
    pub(super) fn html(&self, entry: &DirectoryEntry) -> Result<String, ReadError> {
        if let Some(Target::Cluster(cluster, _)) = entry.target {
            self.check_cluster(cluster)?;
        }
        let content = self.zim.entry_content(entry)?.ok_or(Error::OutOfBounds)?;
        let text = content.with(|bytes| {
            let bytes = bytes.get(..LONGEST_PAGE).unwrap_or(bytes);
            String::from_utf8_lossy(bytes).into_owned()
        })?;
        Ok(text)
    }

    /// The crate unpacks a cluster as a whole, whatever its size.
    fn check_cluster(&self, cluster: u32) -> Result<(), ReadError> {
        let header = &self.zim.header;
        let pointer = |cluster: u32| {
            if cluster >= header.cluster_count {
                return Ok(header.checksum_pos);
            }
            let at = header.cluster_ptr_pos.saturating_add(u64::from(cluster) * 8);
            let raw = self.zim.store.slice(at, 8)?;
            let bytes = raw.first_chunk().ok_or(Error::OutOfBounds)?;
            Ok::<_, Error>(u64::from_le_bytes(*bytes))
        };
        let size = pointer(cluster.saturating_add(1))?.saturating_sub(pointer(cluster)?);
        if size > LARGEST_CLUSTER { Err(ReadError::LargeCluster(size)) } else { Ok(()) }
    }

    /// A short text about the whole file.
    fn metadata(&self, name: &str) -> Option<String> {
        let entry = self.zim.get_by_path(Namespace::Metadata, name).ok()??;
        let text = self.html(&entry).ok()?;
        let text = text.trim();
        let plain =
            !text.is_empty() && text.len() <= LONGEST_LICENCE && !text.contains(char::is_control);
        plain.then(|| text.to_owned())
    }

    /// How the file names itself, for attribution where a page has no address.
    pub(super) fn file_name(&self) -> String {
        self.zim.file_path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}
