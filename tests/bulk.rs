//! Shards of pictures: tar files and folders, encoded and measured one by one.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json as object};
use support::program::{failed, failed_last, json, listed, numbers, printed, run, text};
use support::{TINY, codec, sample, sample_path};
use tar::{Archive, Builder, Header};
use tempfile::{TempDir, tempdir};
use tesserae::{Picture, Tokens};

/// Creates two pictures and a note in `a.tar`, a picture in a folder and a broken one in `b.tar`,
/// and the same in the folders `a` and `b`, all inside `folder`.
fn shards(folder: &Path) {
    let cut = fs::read(sample_path("coffee.png")).unwrap()[..5000].to_vec();
    let read = |name: &str| fs::read(sample_path(name)).unwrap();
    let shards = [
        (
            "a",
            vec![
                ("astronaut.png", read("astronaut.png")),
                ("notes.txt", b"no picture".to_vec()),
                ("rocket.jpg", read("rocket.jpg")),
            ],
        ),
        (
            "b",
            vec![("cats/chelsea.png", read("chelsea.png")), ("cut.png", cut)],
        ),
    ];
    for (shard, files) in shards {
        let mut tar = Builder::new(File::create(folder.join(format!("{shard}.tar"))).unwrap());
        for (name, bytes) in files {
            let path = folder.join(shard).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
            tar.append_path_with_name(&path, name).unwrap();
        }
        tar.finish().unwrap();
    }
}

fn with_shards() -> TempDir {
    let folder = tempdir().unwrap();
    shards(folder.path());
    folder
}

/// Names and contents of a tar's files, in order.
fn unpacked(tar: impl AsRef<Path>) -> Vec<(String, Vec<u8>)> {
    let mut tar = Archive::new(File::open(tar).unwrap());
    let entries = tar.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        })
        .collect()
}

/// The report without the values that vary from run to run.
fn settled(mut report: Value) -> Value {
    let images = report["images"].as_array_mut().unwrap();
    for image in images {
        image["seconds"].take();
    }
    report["seconds"].take();
    report
}

/// Fails unless two reports agree up to rounding and file names.
fn same(a: &Value, b: &Value) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{a:?} and {b:?}");
            for key in a.keys().filter(|key| *key != "file") {
                same(&a[key], &b[key]);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| same(a, b));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * a.abs(), "{a} and {b}");
        }
        _ => assert_eq!(a, b),
    }
}

#[test]
fn encode_makes_a_tar_of_token_files_for_each_shard() {
    let folder = with_shards();
    let words = "encode --out-dir out/tokens a.tar b.tar --model TINY --size 64";
    let output = run(&folder, words);
    assert_eq!(
        printed(&output),
        "a.tar: 2 pictures, 0 left out, in out/tokens/a.tokens.tar\n\
         b.tar: 1 pictures, 1 left out, in out/tokens/b.tokens.tar\n"
    );
    let told = text(&output.stderr);
    assert!(
        told.contains("b.tar/cut.png") && told.lines().count() == 1,
        "{told}"
    );

    // The names are kept, and the tokens equal those of the pictures encoded individually.
    let out = folder.path().join("out/tokens");
    let made = unpacked(out.join("a.tokens.tar"));
    let names: Vec<_> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["astronaut.tokens", "rocket.tokens"]);
    assert_eq!(
        unpacked(out.join("b.tokens.tar"))[0].0,
        "cats/chelsea.tokens"
    );
    let astronaut = sample("astronaut.png").fit(64, false);
    let expected = support::encode(&codec(TINY), &astronaut);
    assert_eq!(Tokens::from_bytes(&made[0].1).unwrap(), expected);
    // Nothing else is left.
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2);

    // Folders give byte-identical output.
    let words = "encode --out-dir folders a b/ --model TINY --size 64";
    printed(&run(&folder, words));
    for name in ["a.tokens.tar", "b.tokens.tar"] {
        let of_folder = fs::read(folder.path().join("folders").join(name)).unwrap();
        assert!(fs::read(out.join(name)).unwrap() == of_folder, "{name}");
    }
}

#[test]
fn names_in_a_tar_are_kept_apart_and_lead_nowhere() {
    let folder = tempdir().unwrap();
    let bytes = fs::read(sample_path("rocket.jpg")).unwrap();
    let mut tar = Builder::new(File::create(folder.path().join("a.tar")).unwrap());
    for name in ["x.jpg", "x.jpeg", "../../up.jpg", "d/\u{1b}[2Je.jpg"] {
        let mut header = Header::new_gnu();
        // Bypasses the check for paths that do not belong in an archive.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, &bytes[..]).unwrap();
    }
    tar.finish().unwrap();
    let words = "encode --out-dir . a.tar --model TINY --size 16";
    printed(&run(&folder, words));
    let made = unpacked(folder.path().join("a.tokens.tar"));
    let names: Vec<_> = made.iter().map(|(name, _)| name.as_str()).collect();
    let clean = "d/\u{fffd}[2Je.tokens";
    assert_eq!(names, ["x.tokens", "x.jpeg.tokens", "up.tokens", clean]);
}

#[test]
fn what_is_there_stays_and_the_rest_is_done() {
    let folder = with_shards();
    let words = "encode --out-dir out a.tar b.tar --model TINY --size 64 --json";
    let told = json(&run(&folder, words));
    let expected = object!([
        {"shard": "a.tar", "output": "out/a.tokens.tar", "pictures": 2, "skipped": 0},
        {"shard": "b.tar", "output": "out/b.tokens.tar", "pictures": 1, "skipped": 1},
    ]);
    assert_eq!(told["shards"], expected);
    let output = |name: &str| folder.path().join("out").join(name);
    let (a, b) = (output("a.tokens.tar"), output("b.tokens.tar"));
    let whole = fs::read(&b).unwrap();
    let before = fs::metadata(&a).unwrap().modified().unwrap();

    // The state left by a killed run, except for its randomly named temporary file.
    fs::remove_file(&b).unwrap();
    let told = json(&run(&folder, words));
    assert!(told["shards"][0]["pictures"].is_null(), "{told}");
    assert_eq!(told["shards"][1]["pictures"], 1);
    assert_eq!(fs::metadata(&a).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read(&b).unwrap(), whole);
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 2);

    // In that case the shards are not even read.
    fs::write(folder.path().join("a.tar"), "gone").unwrap();
    let output = run(&folder, words.trim_end_matches(" --json"));
    let there = "a.tar: out/a.tokens.tar already exists\nb.tar: out/b.tokens.tar already exists\n";
    assert_eq!(printed(&output), there);

    printed(&run(&folder, "init vqvae-tiny other.safetensors"));
    let words = "encode --out-dir out a.tar --model other.safetensors --size 64";
    failed(
        &run(&folder, words),
        "io",
        "out/a.tokens.tar: These tokens belong",
    );
    let words = "eval --out-dir out b.tar --model TINY --size 64";
    printed(&run(&folder, words));
    failed(
        &run(&folder, &format!("{words} --square")),
        "io",
        "out/b.json",
    );
    printed(&run(&folder, words));
}

#[test]
fn tokens_of_other_options_are_noticed() {
    let folder = with_shards();
    let encode = |options: &str| {
        let words = format!("encode --out-dir out a.tar --model TINY {options}");
        run(&folder, &words)
    };
    let path = folder.path().join("out/a.tokens.tar");
    printed(&encode("--size 64"));
    let first = fs::read(&path).unwrap();
    for other in ["--size 32", "--size 65", "--size 64 --square", ""] {
        failed(&encode(other), "io", "`tesserae encode --size 64`");
    }
    assert!(printed(&encode("--size 64")).contains("already exists"));
    assert!(fs::read(&path).unwrap() == first);
    assert!(printed(&encode("--size 32 --overwrite")).contains("2 pictures"));
    failed(&encode("--size 64"), "io", "`tesserae encode --size 32`");
    let tokens = Tokens::from_bytes(&unpacked(&path)[0].1).unwrap();
    assert_eq!(tokens.width.max(tokens.height), 32);

    // A file without recorded options is still checked by the picture sizes in its tokens.
    let mut tar = Builder::new(File::create(&path).unwrap());
    let wide = support::encode(&codec(TINY), &sample("rocket.jpg").fit(64, false));
    assert_ne!(wide.width, wide.height);
    let bytes = wide.to_bytes().unwrap();
    let mut header = Header::new_gnu();
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, "rocket.tokens", &bytes[..])
        .unwrap();
    tar.finish().unwrap();
    for possible in ["--size 64", "--size 0"] {
        assert!(printed(&encode(possible)).contains("already exists"));
    }
    for other in ["--size 63", "--size 64 --square"] {
        failed(&encode(other), "io", "from a 64×");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_links_lead_to_again_is_visited_once() {
    use std::os::unix::fs::symlink;
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::copy(sample_path("coffee.png"), folder.path().join("c.png")).unwrap();
    fs::copy(sample_path("coffee.png"), folder.path().join("in/d.png")).unwrap();
    for (target, link) in [
        (".", "a"),
        (".", "b"),
        ("..", "in/up"),
        ("in", "other"),
        ("self", "self"),
    ] {
        symlink(target, folder.path().join(link)).unwrap();
    }
    for paths in [".", ". in", "other a b"] {
        let words = format!("eval {paths} --model TINY --size 32 --json");
        let told = json(&run(&folder, &words));
        assert_eq!(told["images"].as_array().unwrap().len(), 2, "{told}");
    }
}

#[test]
fn pictures_are_known_by_what_is_in_them() {
    let folder = tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    let [jpeg, png] = ["rocket.jpg", "coffee.png"].map(|name| fs::read(sample_path(name)).unwrap());
    let webp = sample("coffee.png")
        .fit(32, false)
        .encode_as("webp")
        .unwrap();
    let apple = [&[0, 5, 22, 7, 0, 2, 0, 0][..], b"Mac OS X"].concat();
    let files = [
        ("a.jfif", &jpeg[..]),
        ("b.jpe", &jpeg),
        ("c.jpg_large", &jpeg),
        ("d", &png),
        ("e.JPG", &jpeg),
        ("f.bin", &webp),
        // None of these counts as a picture.
        ("._e.JPG", &apple),
        ("._d", &apple),
        (".part", &png),
        (".#a.jpg", b"an editor's lock"),
        ("empty", b""),
        ("words", b"words"),
        ("words.jfif", b"words"),
        ("g.gif", b"GIF89a\x01\x00\x01\x00"),
    ];
    let mut tar = Builder::new(File::create(folder.path().join("photos.tar")).unwrap());
    for (name, bytes) in files {
        fs::write(photos.join(name), bytes).unwrap();
        tar.append_path_with_name(photos.join(name), name).unwrap();
    }
    tar.finish().unwrap();
    let measured = |path: &str| {
        let output = run(
            &folder,
            &format!("eval {path} --model TINY --size 16 --json"),
        );
        let told = json(&output);
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
        assert_eq!(told["skipped"], 0);
        let names = told["images"].as_array().unwrap().iter().map(|image| {
            let file = image["file"].as_str().unwrap();
            file.rsplit('/').next().unwrap().to_owned()
        });
        names.collect::<Vec<_>>()
    };
    let expected = ["a.jfif", "b.jpe", "c.jpg_large", "d", "e.JPG", "f.bin"];
    assert_eq!(measured("photos"), expected);
    assert_eq!(measured("photos.tar"), expected);
}

#[test]
fn a_compressed_archive_is_called_one() {
    let folder = with_shards();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    for name in ["a.tar.gz", "b.tgz", "c.tar"] {
        fs::write(folder.path().join(name), gzip).unwrap();
        for words in ["eval", "encode --out-dir out", "eval --out-dir out"] {
            let output = run(&folder, &format!("{words} {name} --model TINY"));
            failed(
                &output,
                "io",
                &format!("{name}: this archive is compressed (gzip); unpack it"),
            );
        }
        let tune = format!("tune {name} --model TINY --out t.safetensors");
        failed(&run(&folder, &tune), "io", "compressed (gzip)");
    }
    assert!(listed(folder.path().join("out")).is_empty());
}

#[test]
fn processes_with_one_shard_do_not_meet() {
    let folder = with_shards();
    let words = "encode --out-dir out a.tar --model TINY --size 64";
    fs::create_dir(folder.path().join("out")).unwrap();
    // Blocks a temporary name that several processes would derive from the same shard.
    fs::create_dir(folder.path().join("out/a.tokens.tar.part")).unwrap();
    let children: Vec<_> = (0..3)
        .map(|_| support::program::command(&folder, words).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let names = ["a.tokens.tar", "a.tokens.tar.part"];
    assert_eq!(listed(folder.path().join("out")), names);
    assert_eq!(unpacked(folder.path().join("out/a.tokens.tar")).len(), 2);
}

#[test]
fn a_shard_that_fails_keeps_no_other_from_being_done() {
    let folder = with_shards();
    let tar = fs::read(folder.path().join("a.tar")).unwrap();
    fs::write(folder.path().join("cut.tar"), &tar[..tar.len() / 2]).unwrap();
    fs::write(folder.path().join("words.tar"), "these are only words").unwrap();
    fs::create_dir(folder.path().join("none")).unwrap();
    for (word, suffix) in [("encode", "tokens.tar"), ("eval", "json")] {
        let options = format!("{word} --model TINY --size 64 --out-dir {word}");
        let output = run(
            &folder,
            &format!("{options} cut.tar words.tar none absent.tar b.tar"),
        );
        failed_last(&output, "io", "4 of 5 shards failed");
        let told = text(&output.stderr);
        for expected in [
            "failed: cut.tar: this is not a tar file, or it is damaged: it ends too early. [io]",
            "failed: words.tar: this is not a tar file, or it is damaged: ",
            "failed: none: No usable picture was found in none. [dataset_empty]",
            "failed: absent.tar: ",
        ] {
            assert!(told.contains(expected), "`{expected}` is not in: {told}");
        }
        let left = fs::read_dir(folder.path().join(word)).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [format!("b.{suffix}").as_str()]);
        // With a single shard, its failure is the program's.
        failed(
            &run(&folder, &format!("{options} cut.tar")),
            "io",
            "cut.tar: ",
        );
    }
    failed(
        &run(&folder, "eval a.tar cut.tar --model TINY"),
        "io",
        "cut.tar: ",
    );
    let words = "encode --out-dir out a.tar a --model TINY";
    failed(&run(&folder, words), "argument", "out/a.tokens.tar");
    let words = "encode a.tar b.tar c.tar --model TINY";
    failed(&run(&folder, words), "argument", "--out-dir");
    printed(&run(&folder, "init kl-tiny kl.safetensors"));
    let words = "encode --out-dir out a.tar --model kl.safetensors";
    failed(&run(&folder, words), "no_codebook", "");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn pictures_that_panicked_a_decoder_are_left_out_of_their_shard() {
    let folder = tempdir().unwrap();
    let shard = folder.path().join("a");
    fs::create_dir(&shard).unwrap();
    fs::copy(sample_path("chelsea.png"), shard.join("chelsea.png")).unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/cases");
    for case in ["panic.webp", "jpeg-12bit.jpg", "png-cgbi.png"] {
        fs::copy(cases.join(case), shard.join(case)).unwrap();
    }
    for words in ["encode --out-dir out a", "eval a"] {
        let output = run(
            folder.path(),
            &format!("{words} --model TINY --size 64 --json"),
        );
        let lines = text(&output.stderr);
        assert_eq!(lines.lines().count(), 3, "{lines}");
        assert!(
            lines.lines().all(|line| line.starts_with("left out: a/")),
            "{lines}"
        );
        let report = json(&output);
        let shards = report.get("shards");
        let skipped = &shards.map_or(&report, |shards| &shards[0])["skipped"];
        assert_eq!(skipped, 3, "{words}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_left_out_of_its_shard() {
    let folder = with_shards();
    // Dangling links, as in a photo library on a disconnected drive.
    for shard in ["a", "b"] {
        std::os::unix::fs::symlink("none", folder.path().join(shard).join("gone.jpg")).unwrap();
    }
    let output = run(&folder, "eval a --model TINY --size 64 --json");
    let (report, told) = (json(&output), text(&output.stderr));
    assert_eq!(report["skipped"], 1);
    assert_eq!(report["images"].as_array().unwrap().len(), 2);
    assert!(told.starts_with("left out: a/gone.jpg: "), "{told}");
    for words in ["encode --out-dir tokens a b", "eval --out-dir reports a b"] {
        let told = json(&run(
            &folder,
            &format!("{words} --model TINY --size 64 --json"),
        ));
        let counts =
            |at: usize| ["pictures", "skipped"].map(|count| told["shards"][at][count].clone());
        assert_eq!([counts(0), counts(1)], [[2, 1], [1, 2]], "{told}");
    }
}

#[test]
fn merged_reports_are_one_report_of_all() {
    let folder = with_shards();
    let options = "--model TINY --size 64 --codecs";
    let all = json(&run(&folder, &format!("eval a.tar b.tar {options} --json")));
    assert_eq!(all["skipped"], 1);
    assert_eq!(all["images"].as_array().unwrap().len(), 3);
    // Folders contain the same pictures under other names.
    let folders = json(&run(&folder, &format!("eval a b {options} --json")));
    same(&settled(all.clone()), &settled(folders));

    printed(&run(
        &folder,
        &format!("eval --out-dir out b.tar a.tar {options}"),
    ));
    for reports in ["out", "out/b.json out/a.json"] {
        let merged = json(&run(&folder, &format!("eval --merge {reports} --json")));
        assert_eq!(merged["images"][2]["file"], "b.tar/cats/chelsea.png");
        same(&settled(all.clone()), &settled(merged));
    }
    let output = run(&folder, "eval --merge out");
    assert!(
        printed(&output).contains("mean of 3;"),
        "{}",
        printed(&output)
    );

    // Identical pictures have infinite PSNR, which is null.
    let a = fs::read(folder.path().join("out/a.json")).unwrap();
    let mut a: Value = serde_json::from_slice(&a).unwrap();
    a["images"][0]["psnr"] = Value::Null;
    fs::write(folder.path().join("out/a.json"), a.to_string()).unwrap();
    let merged = json(&run(&folder, "eval --merge out --json"));
    assert!(merged["psnr"].is_null());
    same(&merged["ssim"], &all["ssim"]);

    a["settings"]["size"] = 65.into();
    fs::write(folder.path().join("out/c.json"), a.to_string()).unwrap();
    failed(&run(&folder, "eval --merge out"), "io", "out/c.json: ");
    fs::write(folder.path().join("out/c.json"), "{}").unwrap();
    failed(
        &run(&folder, "eval --merge out"),
        "io",
        "out/c.json: this is not a report",
    );
    failed(&run(&folder, "eval --merge a"), "dataset_empty", "a");

    printed(&run(&folder, "init kl-tiny kl.safetensors"));
    let options = "--model kl.safetensors --size 64 --out-dir kl";
    printed(&run(&folder, &format!("eval a.tar {options}")));
    let merged = json(&run(&folder, "eval --merge kl --json"));
    for field in ["bpp", "perplexity", "used"] {
        assert!(merged[field].is_null(), "{merged}");
    }
}

#[test]
fn other_codecs_get_the_bits_of_the_tokens() {
    let folder = tempdir().unwrap();
    // Smooth enough for any codec, and too fine for all of them.
    let painted = |value: fn(u32, u32) -> u32| {
        let pixels = (0..64 * 64).flat_map(|at| [value(at % 64, at / 64) as u8; 3]);
        Picture::from_rgb(64, 64, pixels.collect()).unwrap()
    };
    for (name, picture) in [
        ("smooth.png", painted(|x, y| 2 * x + y)),
        (
            "noise.png",
            painted(|x, y| (x * 8191 + y * 131_071) * (x ^ y) / 32),
        ),
    ] {
        fs::write(folder.path().join(name), picture.png().unwrap()).unwrap();
    }
    // 5 bits per 16 pixels: 160 bytes, too few for JPEG's tables.
    let told = json(&run(&folder, "eval . --model TINY --codecs --json"));
    let fields = ["bpp", "psnr", "ssim", "ms_ssim", "gradient_energy"];
    let image = |name: &str| {
        let images = told["images"].as_array().unwrap();
        images
            .iter()
            .find(|image| image["file"].as_str().unwrap().ends_with(name))
            .unwrap()
    };
    let (noise, smooth) = (image("noise.png"), image("smooth.png"));
    for (row, codec, fits) in [
        (noise, "jpeg", false),
        (noise, "webp", false),
        (smooth, "jpeg", false),
        (smooth, "webp", true),
    ] {
        let other = &row[codec];
        numbers(other, &fields);
        assert_eq!(other["fits"], fits, "{codec}: {row}");
        let bits = [other, row].map(|of| of["bpp"].as_f64().unwrap());
        assert_eq!(bits[0] <= bits[1], fits, "{codec}: {row}");
        let lowest = if codec == "jpeg" { 1.0 } else { 0.0 };
        assert_eq!(
            other["quality"].as_f64() == Some(lowest),
            !fits,
            "{codec}: {row}"
        );
    }
    for codec in ["jpeg", "webp"] {
        for field in fields {
            let of = |row: &Value| row[codec][field].as_f64().unwrap();
            let mean = (of(noise) + of(smooth)) / 2.0;
            assert!((of(&told) - mean).abs() < 1e-9, "{codec} {field}: {told}");
        }
    }
    assert_eq!(
        (&told["jpeg"]["fits"], &told["webp"]["fits"]),
        (&0.into(), &1.into())
    );
    let output = run(&folder, "eval . --model TINY --codecs");
    let lines: Vec<_> = printed(&output).lines().rev().take(2).collect();
    assert!(
        lines[1].contains("JPEG; ") && lines[1].contains("0 of 2 fit"),
        "{lines:?}"
    );
    assert!(
        lines[0].contains("WebP; ") && lines[0].contains("1 of 2 fit"),
        "{lines:?}"
    );

    printed(&run(&folder, "init kl-tiny kl.safetensors"));
    let words = "eval smooth.png --codecs --model kl.safetensors";
    failed(&run(&folder, words), "no_codebook", "");
}
