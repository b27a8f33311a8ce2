//! JPEGs truncated at arbitrary positions.

use crate::pixels::tests::waves;
use crate::{Error, Picture};

const RESTARTS: &[u8] = include_bytes!("../../../../tests/pictures/layouts/2x2-restarts.jpg");

fn jpegs() -> [&'static [u8]; 7] {
    [
        RESTARTS,
        include_bytes!("../../../../tests/pictures/layouts/2x2-together.jpg"),
        include_bytes!("../../../../tests/pictures/layouts/2x2-progressive.jpg"),
        include_bytes!("../../../../tests/pictures/layouts/2x2-apart.jpg"),
        include_bytes!("../../../../tests/pictures/layouts/2x2-luma-chroma.jpg"),
        include_bytes!("../../../../tests/pictures/layouts/3x1-progressive.jpg"),
        include_bytes!("../../../../tests/pictures/layouts/rgb-together.jpg"),
    ]
}

#[test]
fn a_jpeg_is_whole_without_its_end_marker_and_damaged_without_more() {
    for file in jpegs() {
        let (content, end) = file.split_last_chunk::<2>().unwrap();
        assert_eq!(end, &[0xFF, 0xD9]);
        let whole = Picture::decode(file).unwrap();
        for half in [&[][..], &[0xFF]] {
            let read = Picture::decode(&[content, half].concat()).unwrap();
            assert_eq!(read, whole);
        }
        // The last byte of a scan may contain only padding bits.
        for length in 1..content.len() - 1 {
            let error = match Picture::decode(&content[..length]) {
                Err(error) => error,
                Ok(_) => panic!("{length} of {} bytes pass for the picture", content.len()),
            };
            assert!(["image_corrupt", "image_unsupported"].contains(&error.code()));
        }
    }
}

#[test]
fn what_follows_a_whole_jpeg_is_not_its_own() {
    for file in jpegs() {
        let (content, _) = file.split_last_chunk::<2>().unwrap();
        let whole = Picture::decode(file).unwrap();
        // A second picture, and records that look like other markers.
        for tail in [file, b"SEFH\xFF\xC9\0\0\xFF\xE1\xFF\xFFSEFT"] {
            for end in [&b"\xFF\xD9"[..], b""] {
                let read = Picture::decode(&[content, end, tail].concat()).unwrap();
                assert_eq!(read, whole);
            }
        }
    }
}

#[test]
fn a_cut_scan_is_damaged_whatever_follows_it() {
    for file in jpegs() {
        let data = file
            .windows(2)
            .rposition(|pair| pair == [0xFF, 0xDA])
            .unwrap()
            + 14;
        for length in data..file.len() - 4 {
            for tail in [&b"\xFF\xD9"[..], &[0; 4096], &[0xFF; 64]] {
                let cut = [&file[..length], tail].concat();
                assert!(Picture::decode(&cut).is_err(), "{length} of {}", file.len());
            }
        }
    }
}

#[test]
fn a_jpeg_that_lacks_data_before_a_restart_marker_is_damaged() {
    let restart = |pair: &&[u8]| pair[0] == 0xFF && (0xD0..=0xD7).contains(&pair[1]);
    let markers: Vec<usize> = (0..RESTARTS.len() - 1)
        .filter(|&at| restart(&&RESTARTS[at..at + 2]))
        .collect();
    assert!(markers.len() >= 2);
    for pair in markers.windows(2) {
        let data = pair[0] + 2;
        for kept in data..pair[1] - 2 {
            let cut = [&RESTARTS[..kept], &RESTARTS[pair[1]..]].concat();
            assert_eq!(code(&cut), "image_corrupt");
        }
    }
    // An unexpected restart marker also ends the data.
    let whole = jpegs()[1];
    let data = whole
        .windows(2)
        .rposition(|pair| pair == [0xFF, 0xDA])
        .unwrap()
        + 40;
    let stray = [&whole[..data], &[0xFF, 0xD0], &whole[data..]].concat();
    assert_eq!(code(&stray), "image_corrupt");
}

#[test]
fn more_restart_markers_than_the_picture_has_blocks_are_damage() {
    let file = waves(8, 8).encode_as("jpg").unwrap();
    let (content, end) = file.split_last_chunk::<2>().unwrap();
    let interval = b"\xFF\xDD\0\x04\0\x01";
    for segment in [&interval[..], b""] {
        let with = |count| {
            let markers = b"\xFF\xD0".repeat(count);
            [&content[..2], segment, &content[2..], &markers, end].concat()
        };
        Picture::decode(&with(1)).unwrap();
        assert_eq!(code(&with(4096)), "image_corrupt");
    }
}

#[test]
fn a_thumbnail_does_not_hide_a_cut() {
    let bytes = waves(19, 21).encode_as("jpg").unwrap();
    // An APP1 segment that contains an end marker.
    let mut cut = bytes[..2].to_vec();
    cut.extend([0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 0, 0]);
    cut.extend(&bytes[2..bytes.len() - 20]);
    assert_eq!(
        Picture::decode(&cut).unwrap_err(),
        Error::ImageCorrupt("the file ends too early".into())
    );
}

fn code(bytes: &[u8]) -> &'static str {
    Picture::decode(bytes).unwrap_err().code()
}
