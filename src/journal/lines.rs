//! The raw lines of a journal, of which none can fill the memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// A longer line is none of ours, and not held in memory. A step has an answer of 64 KiB at most from
/// each of its miners, and JSON may take six bytes for one of them.
pub(super) const LONGEST_LINE: u64 = 256 << 20;

/// A journal from its beginning; none if there is no such file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn lines_of(path: &Path) -> io::Result<Option<BufReader<File>>> {
    match File::open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(BufReader::with_capacity(1 << 16, file))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The next line; an empty one where it is too long. False at the end.
pub(super) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', line)?;
    if read as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
        line.clear();
        reader.skip_until(b'\n')?;
    }
    Ok(read > 0)
}
