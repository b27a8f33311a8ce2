//! The memory used for a picture is bounded by its dimensions, whatever else the file contains. A
//! separate test binary, as it counts the allocations of all threads.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]
// Implementing an allocator requires unsafe code.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tesserae::Picture;

const MIB: usize = 1 << 20;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is forwarded unchanged to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: same contract as this call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: same contract as this call.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The result of `work`, and the peak memory it allocated.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed) - before)
}

/// A PNG with these chunks, without checksums.
fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(*name);
        file.extend(*data);
        file.extend([0; 4]);
    }
    file
}

/// The header of a PNG with this colour type and bits per sample.
fn header(width: u32, height: u32, bits: u8, colour: u8) -> Vec<u8> {
    [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[bits, colour, 0, 0, 0],
    ]
    .concat()
}

fn compressed_zeros(length: usize) -> Vec<u8> {
    fdeflate::compress_to_vec(&vec![0; length])
}

/// A single test, as others running in parallel would be counted too.
#[test]
fn memory_is_bounded_by_the_sides() {
    // Profiles and texts that would take a thousand times the picture's size.
    let bomb = compressed_zeros(64 * MIB);
    let header64 = header(64, 64, 8, 2);
    let data = compressed_zeros(64 * (64 * 3 + 1));
    for (name, prefix) in [
        (b"iCCP", &b"profile\0\0"[..]),
        (b"zTXt", b"comment\0\0"),
        (b"zTXt", b"Raw profile type exif\0\0"),
    ] {
        let content = [prefix, &bomb].concat();
        let file = png(&[
            (b"IHDR", &header64),
            (name, &content),
            (b"IDAT", &data),
            (b"IEND", b""),
        ]);
        let (picture, bytes) = peak(|| Picture::decode(&file).unwrap());
        assert_eq!((picture.width(), picture.height()), (64, 64));
        assert!(bytes < 3 * MIB, "{bytes} bytes");
    }

    // 64 Mi black pixels in a few kilobytes: too large to encode, and rejected from the header.
    let file = png(&[
        (b"IHDR", &header(8192, 8192, 1, 0)),
        (b"IDAT", &compressed_zeros(8192 * 1025)),
        (b"IEND", b""),
    ]);
    let (error, bytes) = peak(|| Picture::decode_fit(&file, 0, false).unwrap_err());
    assert_eq!(error.code(), "image_too_large");
    assert!(bytes < MIB, "{bytes} bytes");
    let (picture, bytes) = peak(|| Picture::decode_fit(&file, 64, false).unwrap());
    assert_eq!((picture.width(), picture.height()), (64, 64));
    // Grey, then RGB, plus some memory for scaling.
    assert!(bytes < 320 * MIB, "{bytes} bytes");

    // A WebP with a small canvas and a frame whose header says 16383×16383.
    let mut frame = vec![0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F];
    frame.resize(64, 0);
    let mut file = b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x3F\0\0\x3F\0\0VP8 \x40\0\0\0".to_vec();
    file.extend(frame);
    let (error, bytes) = peak(|| Picture::decode(&file).unwrap_err());
    assert_eq!(error.code(), "image_corrupt");
    assert!(bytes < MIB, "{bytes} bytes");
}
