//! Parses a JPEG's markers without decoding its entropy-coded data.
//!
//! Source: ITU-T T.81, annex B.

use image::metadata::Orientation;

use super::super::exif;
use super::super::stored::{cut_short, damaged};
use crate::error::{Error, Result};

/// Bytes of filler after a scan: more than the decoder reads ahead.
const FILLER: usize = 64;
/// The same before a restart marker, which the decoder expects within its read-ahead: a code and
/// its following bits take at most 32 bits.
const RESTART_FILLER: usize = 4;
/// Progressive files have about ten. Decoding time per scan is proportional to the picture's
/// blocks.
const MAX_SCANS: usize = 100;
/// Trailing zeros that scan data cannot contain, but a file that was preallocated and never written
/// can.
const NEVER_WRITTEN: usize = 16;

/// The components' colour space (determined like libjpeg).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

#[derive(Debug, Clone, Copy)]
struct Component {
    id: u8,
    /// Horizontal and vertical sampling factors, 1 to 4.
    across: u8,
    down: u8,
}

/// A position where entropy-coded data ends and a marker begins.
#[derive(Debug, Clone, Copy)]
struct Gap {
    at: usize,
    /// Whether the scan continues after a restart marker.
    restart: bool,
}

/// A file's structure up to the first end marker.
#[derive(Debug)]
pub(super) struct Layout {
    pub width: u16,
    pub height: u16,
    pub colour: Colour,
    pub orientation: Option<Orientation>,
    /// Whether an end marker is present.
    pub ended: bool,
    progressive: bool,
    components: Vec<Component>,
    /// The transform flag of Adobe's segment.
    adobe: Option<u8>,
    /// Component indices of each scan.
    scans: Vec<Vec<usize>>,
    gaps: Vec<Gap>,
    /// For each component, a bit per coefficient that is known to full precision.
    finished: [u64; 4],
}

impl Layout {
    /// # Errors
    /// [`Error::ImageKind`] for unsupported kinds of JPEG, [`Error::ImageCorrupt`] if there is no
    /// frame or no scan, a segment contradicts another, or a scan has more restart markers than the
    /// picture has blocks. Any error from `admit`, which is given the dimensions.
    pub fn of(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Self> {
        let mut layout = Self {
            width: 0,
            height: 0,
            colour: Colour::YCbCr,
            orientation: None,
            ended: false,
            progressive: false,
            components: Vec::new(),
            adobe: None,
            scans: Vec::new(),
            gaps: Vec::new(),
            finished: [0; 4],
        };
        let (mut jfif, mut in_scan, mut interval) = (false, false, 0);
        let mut restarts = 0;
        let mut at = 2;
        while let Some((start, after, marker)) = next_marker(bytes, at) {
            let restart = (0xD0..=0xD7).contains(&marker);
            if in_scan {
                // Each takes memory here, and more in the padded file.
                restarts += u32::from(restart);
                if restarts > layout.blocks() {
                    return Err(damaged());
                }
                let restart = restart && interval > 0;
                layout.gaps.push(Gap { at: start, restart });
            }
            if restart {
                at = after;
                continue;
            }
            in_scan = false;
            // Ignore everything after a complete picture, with or without an end marker: phones
            // append a second picture or records of their own.
            layout.ended = marker == 0xD9;
            if layout.ended || layout.is_complete() {
                break;
            }
            let segment = Segment::at(bytes, after)?;
            let (after, whole, segment) = (segment.after, segment.whole, segment.content);
            match marker {
                0xC0..=0xC2 => {
                    layout.frame(marker, segment)?;
                    admit(u32::from(layout.width), u32::from(layout.height))?;
                }
                0xC3 | 0xCB | 0xF7 => return Err(Error::ImageKind("a lossless JPEG")),
                0xC5..=0xC7 | 0xCD..=0xCF | 0xDE | 0xDF => {
                    return Err(Error::ImageKind("a hierarchical JPEG"));
                }
                0xC9 | 0xCA | 0xCC => {
                    return Err(Error::ImageKind("a JPEG with arithmetic coding"));
                }
                0xDA if !whole => return Err(cut_short()),
                0xDA => {
                    layout.scan(segment)?;
                    (in_scan, restarts) = (true, 0);
                }
                0xDD => interval = segment.first_chunk().map_or(0, |n| u16::from_be_bytes(*n)),
                0xE0 => jfif |= segment.starts_with(b"JFIF\0"),
                0xE1 if segment.starts_with(b"Exif\0\0") => {
                    layout.orientation = layout.orientation.or_else(|| exif::orientation(segment));
                }
                0xEE if segment.starts_with(b"Adobe") => {
                    layout.adobe = segment.get(11).copied();
                }
                _ => {}
            }
            at = after;
        }
        if layout.components.is_empty() {
            return Err(cut_short());
        }
        if in_scan {
            let at = trimmed(bytes);
            layout.gaps.push(Gap { at, restart: false });
        }
        layout.colour = layout.colours(jfif);
        Ok(layout)
    }

    fn frame(&mut self, marker: u8, segment: &[u8]) -> Result<()> {
        let Some((&[bits, h1, h2, w1, w2, count], rest)) = segment.split_first_chunk() else {
            return Err(cut_short());
        };
        if bits != 8 {
            return Err(Error::ImageKind(match bits {
                12 => "a 12-bit JPEG",
                _ => "a JPEG with an unusual bit depth",
            }));
        }
        if !self.components.is_empty() {
            return Err(damaged());
        }
        self.height = u16::from_be_bytes([h1, h2]);
        self.width = u16::from_be_bytes([w1, w2]);
        if self.height == 0 {
            return Err(Error::ImageKind(
                "a JPEG that states its height after its data",
            ));
        }
        self.progressive = marker == 0xC2;
        if ![1, 3, 4].contains(&count) {
            return Err(Error::ImageKind(
                "a JPEG with an unusual number of channels",
            ));
        }
        let (triples, _) = rest.as_chunks::<3>();
        self.components = triples
            .iter()
            .take(usize::from(count))
            .map(|&[id, factors, _]| Component {
                id,
                across: factors >> 4,
                down: factors & 15,
            })
            .collect();
        let valid = |factor| (1..=4).contains(&factor);
        let valid = |c: &Component| valid(c.across) && valid(c.down);
        if self.components.len() != usize::from(count) || !self.components.iter().all(valid) {
            return Err(damaged());
        }
        Ok(())
    }

    fn scan(&mut self, segment: &[u8]) -> Result<()> {
        let (&count, rest) = segment.split_first().ok_or_else(damaged)?;
        let (pairs, _) = rest.as_chunks::<2>();
        let components = pairs
            .iter()
            .take(usize::from(count))
            .map(|&[id, _]| self.components.iter().position(|c| c.id == id))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(damaged)?;
        let parameters = rest.get(usize::from(count) * 2..).ok_or_else(damaged)?;
        let &[first, last, bits] = parameters.first_chunk().ok_or_else(damaged)?;
        let coefficients = match self.progressive {
            false => u64::MAX,
            true if first > last || last > 63 => return Err(damaged()),
            // A further scan follows for coefficients that are not yet at full precision.
            true if bits & 15 != 0 => 0,
            true => u64::MAX >> (63 - (last - first)) << first,
        };
        for &component in &components {
            self.finished[component] |= coefficients;
        }
        if self.scans.len() == MAX_SCANS {
            return Err(damaged());
        }
        self.scans.push(components);
        Ok(())
    }

    /// Number of 8×8 blocks in the picture: the most that a scan can have per component.
    fn blocks(&self) -> u32 {
        u32::from(self.width).div_ceil(8) * u32::from(self.height).div_ceil(8)
    }

    /// Source: libjpeg's `default_decompress_parms`.
    fn colours(&self, jfif: bool) -> Colour {
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        match (ids.len(), self.adobe) {
            (1, _) => Colour::Grey,
            (4, Some(2)) => Colour::Ycck,
            (4, _) => Colour::Cmyk,
            _ if jfif => Colour::YCbCr,
            (_, Some(0)) => Colour::Rgb,
            (_, Some(_)) => Colour::YCbCr,
            _ if ids == *b"RGB" => Colour::Rgb,
            _ => Colour::YCbCr,
        }
    }

    /// Whether the scans so far contain every coefficient.
    fn is_complete(&self) -> bool {
        let finished = &self.finished[..self.components.len()];
        !finished.is_empty() && finished.iter().all(|&known| known == u64::MAX)
    }

    /// Checks that all components were scanned, that the last scan was actually written, and that
    /// the decoder supports this kind of scan.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        let finished = &self.finished[..self.components.len()];
        let end = self.gaps.last().map_or(0, |gap| gap.at);
        let whole = match self.ended {
            // Some writers omit the finest coefficients.
            true => finished.iter().all(|&known| known & 1 != 0),
            false => self.is_complete() && !bytes[..end].ends_with(&[0; NEVER_WRITTEN]),
        };
        if !whole {
            return Err(cut_short());
        }
        match self.is_read_right() {
            true => Ok(()),
            false => Err(Error::ImageKind("a JPEG with unusual subsampling")),
        }
    }

    /// Whether the decoder handles this layout correctly.
    fn is_read_right(&self) -> bool {
        let widest = self.components.iter().map(|c| c.across).max().unwrap_or(1);
        let tallest = self.components.iter().map(|c| c.down).max().unwrap_or(1);
        let divides = |c: &Component| widest % c.across == 0 && tallest % c.down == 0;
        let alone = |scan: &&Vec<usize>| scan.len() == 1;
        self.components.iter().all(divides)
            && self.scans.iter().filter(alone).all(|scan| {
                let component = self.components[scan[0]];
                counted_right(self.width, component.across, widest)
                    && counted_right(self.height, component.down, tallest)
            })
    }

    /// The file up to its end, with `filler` inserted after each run of entropy-coded data, and an
    /// end marker.
    pub fn filled(&self, bytes: &[u8], filler: &[u8]) -> Vec<u8> {
        let times = |gap: &Gap| if gap.restart { RESTART_FILLER } else { FILLER };
        let extra: usize = self.gaps.iter().map(|gap| times(gap) * filler.len()).sum();
        let mut file = Vec::with_capacity(bytes.len() + extra + 2);
        let mut copied = 0;
        for gap in &self.gaps {
            file.extend(&bytes[copied..gap.at]);
            copied = gap.at;
            file.extend(filler.repeat(times(gap)));
        }
        file.extend([0xFF, 0xD9]);
        file
    }
}

/// Whether jpeg-decoder expects the correct number of blocks along an axis in a single-component
/// scan: it computes it from the size in pixels, which gives too many if a factor lies between one
/// and the largest.
fn counted_right(side: u16, factor: u8, largest: u8) -> bool {
    let (side, factor, largest) = (u32::from(side), u32::from(factor), u32::from(largest));
    let expected = (side.div_ceil(8 * largest) * factor).min(side.div_ceil(8));
    expected == (side * factor).div_ceil(8 * largest)
}

/// The next marker at or after `from`: its start, including fill bytes, its end, and its code.
/// Bytes between segments are skipped.
fn next_marker(bytes: &[u8], from: usize) -> Option<(usize, usize, u8)> {
    let mut at = from;
    loop {
        let start = at + bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        let fill = bytes[start..]
            .iter()
            .take_while(|&&byte| byte == 0xFF)
            .count();
        let after = start + fill + 1;
        match *bytes.get(after - 1)? {
            0x00 | 0x01 => at = after,
            code => return Some((start, after, code)),
        }
    }
}

/// The segment after a marker; may be truncated at the end of the file.
struct Segment<'a> {
    content: &'a [u8],
    /// Offset of the end of the segment.
    after: usize,
    whole: bool,
}

impl<'a> Segment<'a> {
    /// The segment whose marker ends at `start`.
    fn at(bytes: &'a [u8], start: usize) -> Result<Self> {
        let length = bytes.get(start..).and_then(<[u8]>::first_chunk);
        let length = usize::from(u16::from_be_bytes(*length.ok_or_else(cut_short)?));
        if length < 2 {
            return Err(damaged());
        }
        let after = (start + length).min(bytes.len());
        Ok(Self {
            content: &bytes[start + 2..after],
            after,
            whole: after == start + length,
        })
    }
}

/// The length without a dangling first byte of a truncated marker.
fn trimmed(bytes: &[u8]) -> usize {
    bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0xFF).count()
}
