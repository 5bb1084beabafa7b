//! The file of a run: records in blocks, as LevelDB has its log, with wandb's head and checksum.
//!
//! A record is cut where a block of 32 KiB ends. Each piece has a head of seven bytes: the CRC-32 of
//! its kind and its bytes, how many bytes those are, and whether it is a whole record or the first, a
//! middle or the last piece of one. Where no head fits into the rest of a block, that is zeros.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// `:W&B`, a magic number and the version of the layout.
const HEAD: [u8; 7] = *b":W&B\xe1\xbe\x00";
const BLOCK: usize = 32 * 1024;
const PIECE_HEAD: usize = 7;

const WHOLE: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// A file that takes records. What was appended has been handed to the system.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    length: u64,
}

impl Log {
    /// Makes a new file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
        file.write_all(&HEAD)?;
        Ok(Self { file, length: HEAD.len() as u64 })
    }

    /// Bytes written.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a record. One that cannot be written whole is taken away again, as far as that goes,
    /// so that the file can be read to its end.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let bytes = pieces(self.length, record);
        if let Err(error) = self.file.write_all(&bytes) {
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// What a record becomes in a file of that length.
fn pieces(length: u64, record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(record.len() + record.len() / 1_024 + 2 * PIECE_HEAD);
    #[expect(clippy::cast_possible_truncation, reason = "it is less than a block")]
    let mut at = (length % BLOCK as u64) as usize;
    let (mut rest, mut is_first) = (record, true);
    loop {
        let mut room = BLOCK - at;
        if room < PIECE_HEAD {
            bytes.resize(bytes.len() + room, 0);
            room = BLOCK;
        }
        let (piece, more) = rest.split_at(rest.len().min(room - PIECE_HEAD));
        let kind = match (is_first, more.is_empty()) {
            (true, true) => WHOLE,
            (true, false) => FIRST,
            (false, false) => MIDDLE,
            (false, true) => LAST,
        };
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[kind]);
        sum.update(piece);
        bytes.extend(sum.finalize().to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "it is less than a block")]
        bytes.extend((piece.len() as u16).to_le_bytes());
        bytes.push(kind);
        bytes.extend(piece);
        if more.is_empty() {
            return bytes;
        }
        at = 0;
        (rest, is_first) = (more, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a log's bytes, by the rules above.
    fn read(bytes: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(&bytes[..7], b":W&B\xe1\xbe\x00");
        let (mut at, mut records, mut record) = (7, Vec::new(), Vec::new());
        while at < bytes.len() {
            let room = BLOCK - at % BLOCK;
            if room < 7 {
                assert!(bytes[at..at + room].iter().all(|byte| *byte == 0));
                at += room;
                continue;
            }
            let head = &bytes[at..at + 7];
            let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
            assert!(7 + length <= room, "a piece goes beyond its block");
            let piece = &bytes[at + 7..at + 7 + length];
            let sum = crc32fast::hash(&[&head[6..], piece].concat());
            assert_eq!(head[..4], sum.to_le_bytes());
            record.extend(piece);
            if head[6] == WHOLE || head[6] == LAST {
                records.push(std::mem::take(&mut record));
            }
            at += 7 + length;
        }
        records
    }

    #[test]
    fn records_of_every_length_around_a_block_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut written = Vec::new();
        // The first ends so many bytes before the end of its block.
        for left in (0..=9).chain([40]) {
            let path = folder.path().join(left.to_string());
            let mut log = Log::create(&path).unwrap();
            written.clear();
            for length in [BLOCK - 14 - left, 0, 1, 25, BLOCK, 3 * BLOCK, 5] {
                let record = vec![u8::try_from(length % 251).unwrap(); length];
                log.append(&record).unwrap();
                written.push(record);
            }
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len() as u64, log.length());
            assert_eq!(read(&bytes), written, "{left} bytes left in the block");
        }
    }

    #[test]
    fn what_follows_a_record_that_was_cut_off_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut log = Log::create(&path).unwrap();
        log.append(b"first").unwrap();
        // As a disk leaves it that is full in the middle of a record.
        log.file.write_all(&[9; 40_000]).unwrap();
        log.file.set_len(log.length).unwrap();
        log.append(b"next").unwrap();
        assert_eq!(read(&std::fs::read(&path).unwrap()), [b"first".to_vec(), b"next".to_vec()]);
    }

    #[test]
    fn what_cannot_be_written_whole_leaves_the_length_as_it_was() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut log = Log { file, length: 7 };
        assert!(log.append(b"record").is_err());
        assert_eq!(log.length(), 7);
    }
}
