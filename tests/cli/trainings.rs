//! Trainings that would overwrite another, and warnings about pictures and codes.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;
use tesserae::Picture;

use super::support::program::{failed, failed_last, json, listed, printed, run, text};
use super::{TINY, sample_path, training};

#[test]
fn a_training_does_not_begin_over_another() {
    let folder = tempdir().unwrap();
    training(&folder, 3, ("", ""));
    let words = "train train.json --data SAMPLES --out a.safetensors";
    printed(&run(&folder, words));
    let names = [
        "a.checkpoint",
        "a.discriminator.safetensors",
        "a.jsonl",
        "a.safetensors",
    ];
    let read = || names.map(|name| fs::read(folder.path().join(name)).unwrap());
    let before = read();
    failed(&run(&folder, words), "argument", "--resume");
    // An unfinished training may have left only its checkpoint.
    for name in &names[1..] {
        fs::rename(
            folder.path().join(name),
            folder.path().join(format!("{name}.aside")),
        )
        .unwrap();
    }
    failed(&run(&folder, words), "argument", "a.checkpoint");
    for name in &names[1..] {
        fs::rename(
            folder.path().join(format!("{name}.aside")),
            folder.path().join(name),
        )
        .unwrap();
    }
    assert!(read() == before);
    printed(&run(&folder, &format!("{words} --resume")));
    assert!(read() == before);

    training(&folder, 4, ("", ""));
    let told = json(&run(&folder, &format!("{words} --overwrite --json")));
    assert_eq!(told["step"], 4);
    let log = fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 1);
    let both = run(&folder, &format!("{words} --overwrite --resume"));
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_training_that_replaces_its_input_goes_on() {
    let folder = tempdir().unwrap();
    training(&folder, 2, ("", ""));
    fs::write(folder.path().join("m.safetensors"), TINY).unwrap();
    let words = "train train.json --data SAMPLES --from m.safetensors --out m.safetensors";
    failed(&run(&folder, words), "argument", "--overwrite");
    let resume = format!("{words} --resume");
    failed(&run(&folder, &resume), "argument", "m.safetensors");
    assert!(fs::read(folder.path().join("m.safetensors")).unwrap() == TINY);
    printed(&run(&folder, &format!("{words} --overwrite")));
    let output = run(&folder, &resume);
    printed(&output);
    let told = text(&output.stderr);
    assert!(told.contains("resuming after 2 steps"), "{told}");
}

#[test]
fn a_training_does_not_learn_from_its_own_sheet() {
    let folder = tempdir().unwrap();
    training(&folder, 2, ("", ""));
    let path = |name: &str| folder.path().join(name);
    for (below, name) in [("photos", "coffee.png"), ("held", "chelsea.png")] {
        fs::create_dir(path(below)).unwrap();
        fs::copy(sample_path(name), path(below).join(name)).unwrap();
    }
    let words = "train train.json --data photos --held-out held --out photos/m.safetensors";
    // A file that exists before the first run is the user's own picture.
    fs::copy(sample_path("rocket.jpg"), path("photos/m.png")).unwrap();
    failed(&run(&folder, words), "argument", "photos/m.png");
    assert!(
        fs::read(path("photos/m.png")).unwrap() == fs::read(sample_path("rocket.jpg")).unwrap()
    );
    fs::remove_file(path("photos/m.png")).unwrap();
    printed(&run(&folder, words));
    for option in ["--resume", "--overwrite"] {
        assert!(path("photos/m.png").is_file());
        let output = run(&folder, &format!("{words} {option}"));
        printed(&output);
        let told = text(&output.stderr);
        assert!(told.contains("training on 1 picture\n"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_training_removes_no_pipe_that_its_checkpoint_goes_to() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tempdir().unwrap();
    training(&folder, 1, ("", ""));
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    symlink("pipe", folder.path().join("m.checkpoint")).unwrap();
    let from = pipe.clone();
    let reader = std::thread::spawn(move || fs::read(from).unwrap());
    let words = "train train.json --data SAMPLES --out m.safetensors --overwrite";
    printed(&run(&folder, words));
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(!reader.join().unwrap().is_empty());
}

#[test]
fn a_training_names_its_bad_pictures_and_goes_on() {
    let folder = tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("bad-1.jpg"), "no picture").unwrap();
    fs::write(photos.join("bad-2.png"), "no picture").unwrap();
    training(&folder, 1, ("", ""));
    let words = "train train.json --data photos --out a.safetensors";
    let output = run(&folder, words);
    failed_last(&output, "dataset_empty", "photos");
    for bad in ["photos/bad-1.jpg: ", "photos/bad-2.png: "] {
        assert!(
            text(&output.stderr).contains(bad),
            "{}",
            text(&output.stderr)
        );
    }
    assert_eq!(listed(&folder), ["photos", "train.json"]);
    fs::copy(sample_path("coffee.png"), photos.join("good")).unwrap();
    let output = run(&folder, words);
    printed(&output);
    let told = text(&output.stderr);
    for expected in [
        "photos/bad-1.jpg: ",
        "photos/bad-2.png: ",
        "2 files left out",
        "on 1 picture",
    ] {
        assert!(told.contains(expected), "`{expected}` is not in: {told}");
    }
}

#[test]
fn a_training_says_that_its_codebook_has_collapsed() {
    let folder = tempdir().unwrap();
    // A single colour gives at most 16 distinct latents, one per position of a crop, for 512 codes.
    let flat = Picture::from_rgb(64, 64, [200, 90, 40].repeat(64 * 64)).unwrap();
    fs::write(folder.path().join("flat.png"), flat.png().unwrap()).unwrap();
    training(&folder, 200, ("\"n_embed\":32", "\"n_embed\":512"));
    let json_file = folder.path().join("train.json");
    let config = fs::read_to_string(&json_file).unwrap();
    let config = config.replace("\"crop\": 16", "\"crop\": 16, \"colour\": false");
    // Restarts are disabled, so they do not revive unused codes.
    let config = config.replace("\"restart_every\": 5", "\"dead_below\": 0");
    fs::write(&json_file, config).unwrap();
    let words = "train train.json --data flat.png --out a.safetensors --json";
    let output = run(&folder, words);
    let last = json(&output);
    assert_eq!(last["collapsed"], true);
    let told = text(&output.stderr);
    let lines: Vec<_> = told
        .lines()
        .filter(|line| line.contains("collapsed"))
        .collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(
        lines[0].starts_with("after 150 steps: the codebook has collapsed to "),
        "{told}"
    );
    assert!(
        lines[0].contains("of its 512 codes") && lines[0].contains("Try "),
        "{told}"
    );
    assert!(lines[1].starts_with("at the end: "), "{told}");
    let log = fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let collapsed: Vec<_> = lines
        .map(|line| (line["step"].clone(), line["collapsed"].clone()))
        .collect();
    let expected = [
        (50, None),
        (100, None),
        (150, Some(true)),
        (200, Some(true)),
    ];
    let expected =
        expected.map(|(step, told)| (Value::from(step), told.map_or(Value::Null, Value::from)));
    assert_eq!(collapsed, expected);

    // Varied pictures and fewer codes: no warning.
    training(&folder, 160, ("", ""));
    let output = run(
        &folder,
        "train train.json --data SAMPLES --out b.safetensors --json",
    );
    assert!(json(&output)["collapsed"].is_null());
    assert!(
        !text(&output.stderr).contains("collapsed"),
        "{}",
        text(&output.stderr)
    );
}
