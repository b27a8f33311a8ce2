use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use zip::CompressionMethod;
use zip::read::{ArchiveOffset, Config};
use zip::unstable::read::ZipIterable;

use super::entry::{Checkpoint, Entry};
use super::faults::{corrupt, refused};
use super::machine::Machine;
use super::{limits, state};
use crate::error::{Error, Result, shown};
use crate::weights::Source;

/// Length of a zip's local header before the name, and the offset of its name and padding lengths.
const HEADER: usize = 30;
const NAME_LENGTH: usize = 26;

/// Reads the zip form of `torch.save`: uncompressed entries, with the pickle in `…/data.pkl` and
/// one storage in each `…/data/KEY`. Checksums are ignored, since PyTorch can be configured not to
/// write them.
///
/// Source: `_save` and `_load` in `torch/serialization.py`.
pub fn read(source: &dyn Source) -> Result<Checkpoint> {
    let entries = entries(source)?;
    let mut pickles = entries.iter().filter_map(|(name, stored)| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.is_empty() || folder.ends_with('/')).then_some((folder, stored))
    });
    let (folder, pickle) = match (pickles.next(), pickles.next()) {
        (Some(found), None) => found,
        (None, _) => {
            return Err(corrupt(
                "its zip file has no data.pkl, so PyTorch did not write it; unpack it and open the file inside",
            ));
        }
        (Some(_), Some(_)) => return Err(corrupt("its zip file has two data.pkl files")),
    };
    if let Some(order) = entries.get(&format!("{folder}byteorder"))
        && order.bytes(source)? != b"little"
    {
        return Err(refused("its numbers are not little-endian"));
    }
    let pickle = pickle.bytes(source)?;
    let mut machine = Machine::new(&pickle, false);
    let top = machine.run()?;
    let dict = state::find(&machine.arena, top)?;
    let entries = dict.tensors.iter().map(|&(name, tensor)| {
        let storage = entries.get(&format!("{folder}data/{}", tensor.storage.key));
        match storage {
            Some(stored) if stored.length >= tensor.storage.bytes => {
                Entry::new(name, tensor, stored.start, tensor.storage.bytes)
            }
            Some(_) => Err(corrupt(format!(
                "the storage of {} is too short",
                shown(name)
            ))),
            None => Err(corrupt(format!(
                "the storage of {} is missing",
                shown(name)
            ))),
        }
    });
    Ok(Checkpoint {
        entries: entries.collect::<Result<_>>()?,
        taken: dict.path,
        passed_over: dict.others,
    })
}

/// Location of a zip entry's data.
#[derive(Debug)]
struct Stored {
    start: u64,
    length: u64,
}

impl Stored {
    /// Reads all of it, unless it exceeds the length limit of a pickle.
    fn bytes(&self, source: &dyn Source) -> Result<Vec<u8>> {
        match usize::try_from(self.length) {
            Ok(length) if length <= limits::PICKLE_BYTES => source.read(self.start, length),
            _ => Err(refused(format!(
                "its pickle is longer than {} MiB",
                limits::PICKLE_BYTES >> 20
            ))),
        }
    }
}

/// The zip's entries by name. None is compressed, so none is longer than the file, and none
/// overlaps another.
fn entries(source: &dyn Source) -> Result<HashMap<String, Stored>> {
    let mut reader = Window::new(source);
    let listed = list(&mut reader);
    // The zip reader may hide the reason for a failed read behind its own error.
    if let Some(fault) = reader.fault {
        return Err(fault);
    }
    let listed = listed?;
    let mut ranges = Vec::with_capacity(listed.len());
    let mut entries = HashMap::with_capacity(listed.len());
    for (name, header, length) in listed {
        let damaged = || {
            corrupt(format!(
                "its zip entry {} lies outside the file",
                shown(&name)
            ))
        };
        let local = source.read(header, HEADER).map_err(|_| damaged())?;
        let (Some(b"PK\x03\x04"), Some([a, b, c, d])) =
            (local.first_chunk(), local[NAME_LENGTH..].first_chunk())
        else {
            return Err(corrupt(format!(
                "its zip entry {} has no header",
                shown(&name)
            )));
        };
        let before = HEADER as u64
            + u64::from(u16::from_le_bytes([*a, *b]))
            + u64::from(u16::from_le_bytes([*c, *d]));
        let start = header.checked_add(before).ok_or_else(damaged)?;
        let end = start.checked_add(length).ok_or_else(damaged)?;
        if end > source.len() {
            return Err(damaged());
        }
        ranges.push((header, end));
        let shown = shown(&name);
        if entries.insert(name, Stored { start, length }).is_some() {
            return Err(corrupt(format!("its zip file has two entries {shown}")));
        }
    }
    ranges.sort_unstable();
    if ranges.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(refused("entries of its zip file overlap"));
    }
    Ok(entries)
}

/// Name, local header offset and length of each entry, from the central directory.
fn list(reader: &mut Window) -> Result<Vec<(String, u64, u64)>> {
    let damaged = |e: zip::result::ZipError| {
        corrupt(format!("its zip directory cannot be read: {}", plain(&e)))
    };
    // A checkpoint begins with its first entry, so its offsets need no correction. If the reader
    // were to detect the start of the archive, it would look for the directory immediately before
    // the end record, past the ZIP64 records that PyTorch always writes: 76 bytes, which is also
    // the length of a directory entry when the file's stem has 21 characters.
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let mut archive = ZipIterable::try_new(reader, config).map_err(damaged)?;
    if archive.len() > limits::ZIP_ENTRIES {
        return Err(refused(format!(
            "its zip file has more than {} entries",
            limits::ZIP_ENTRIES
        )));
    }
    let mut listed = Vec::new();
    for entry in archive.files().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.name_raw().len() > limits::NAME {
            return Err(refused(format!(
                "its zip file has a name of more than {} bytes",
                limits::NAME
            )));
        }
        if name.contains("/code/") || name.ends_with("/constants.pkl") {
            return Err(refused("it is a TorchScript archive, which contains code"));
        }
        if entry.compression() != CompressionMethod::Stored
            || entry.size() != entry.compressed_size()
        {
            return Err(refused(format!(
                "its zip entry {} is compressed, which torch.save never does",
                shown(&name)
            )));
        }
        if entry.encrypted() {
            return Err(refused(format!(
                "its zip entry {} is encrypted",
                shown(&name)
            )));
        }
        listed.push((name, entry.header_start(), entry.size()));
    }
    Ok(listed)
}

/// Presents a source as a file, and stops after [`limits::ZIP_BYTES`].
struct Window<'s> {
    source: &'s dyn Source,
    at: u64,
    left: usize,
    fault: Option<Error>,
}

impl<'s> Window<'s> {
    fn new(source: &'s dyn Source) -> Self {
        Self {
            source,
            at: 0,
            left: limits::ZIP_BYTES,
            fault: None,
        }
    }
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.source.len().saturating_sub(self.at);
        let length = into
            .len()
            .min(usize::try_from(available).unwrap_or(usize::MAX));
        if length > self.left {
            let fault = refused(format!(
                "its zip directory is longer than {} MiB",
                limits::ZIP_BYTES >> 20
            ));
            self.fault = Some(fault.clone());
            return Err(io::Error::other(fault));
        }
        let bytes = self.source.read(self.at, length).map_err(|fault| {
            self.fault = Some(fault.clone());
            io::Error::other(fault)
        })?;
        into[..length].copy_from_slice(&bytes);
        self.left -= length;
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The zip reader's message, reworded to fit inside a sentence.
fn plain(error: &zip::result::ZipError) -> String {
    error.to_string().trim_end_matches('.').to_owned()
}
