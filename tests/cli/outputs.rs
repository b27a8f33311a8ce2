//! Output files, and what they must not overwrite.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::tempdir;
use tesserae::Picture;

use super::support::TINY;
use super::support::program::{command, failed, json, listed, printed, run, text};

const ENCODE: &str = "encode SAMPLES/coffee.png x.tokens --model TINY --size 32";

#[test]
fn an_output_that_is_an_input_is_refused() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(super::sample_path("coffee.png"), path("a.png")).unwrap();
    fs::copy(super::sample_path("coffee.png"), path("other.png")).unwrap();
    fs::write(path("m.safetensors"), TINY).unwrap();
    fs::write(path("log.jsonl"), "{\"step\": 1, \"mse\": 2.0}\n").unwrap();
    fs::write(path("notes.md"), "Notes.").unwrap();
    printed(&run(&folder, &format!("{ENCODE} --json")));
    fs::hard_link(path("a.png"), path("hard.png")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("a.png", path("soft.png")).unwrap();
    let mut cases = vec![
        "reconstruct a.png a.png --model TINY",
        "reconstruct a.png ./a.png --model TINY",
        "reconstruct a.png hard.png --model TINY",
        "encode a.png a.png --model TINY",
        "encode a.png m.safetensors --model m.safetensors",
        "convert m.safetensors m.safetensors",
        "interpolate m.safetensors TINY --out m.safetensors",
        "plot log.jsonl log.jsonl",
        "tune a.png --model m.safetensors --out m.safetensors",
        "tune a.png --model TINY --out t.safetensors --held-out a.png --sheet a.png",
        "eval . --model TINY --sheet a.png",
    ];
    if cfg!(unix) {
        cases.push("reconstruct soft.png a.png --model TINY");
        cases.push("reconstruct a.png soft.png --model TINY");
    }
    let before = listed(&folder);
    let [picture, weights] = ["a.png", "m.safetensors"].map(|name| fs::read(path(name)).unwrap());
    for case in cases {
        failed(&run(&folder, case), "argument", "--overwrite");
    }
    assert_eq!(listed(&folder), before);
    assert!(fs::read(path("a.png")).unwrap() == picture);
    assert!(fs::read(path("m.safetensors")).unwrap() == weights);

    printed(&run(
        &folder,
        "convert m.safetensors m.safetensors --dtype int8 --overwrite",
    ));
    assert!(fs::read(path("m.safetensors")).unwrap().len() < weights.len());
    printed(&run(
        &folder,
        "reconstruct a.png a.png --model TINY --size 16 --overwrite",
    ));
    let small = Picture::decode(&fs::read(path("a.png")).unwrap()).unwrap();
    assert_eq!(small.width(), 16);
}

#[test]
fn outputs_are_checked_before_the_work() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder.png")).unwrap();
    fs::write(path("file"), "no folder").unwrap();
    fs::write(path("bad.png"), "no picture, which would be said first").unwrap();
    fs::write(path("m.safetensors"), TINY).unwrap();
    super::training(&folder, 1_000_000, ("", ""));
    let before = listed(&folder);
    // Each would otherwise run for hours, or report a bad picture.
    let tune = "tune SAMPLES/coffee.png --model TINY --size 16 --steps 1000000";
    let train = "train train.json --data SAMPLES --out";
    for (words, code, named) in [
        (
            format!("{tune} --out none/a.safetensors"),
            "io",
            "none/a.safetensors",
        ),
        (format!("{tune} --out folder.png"), "io", "folder.png"),
        (
            format!("{tune} --out a --held-out bad.png --sheet s.gif"),
            "argument",
            "gif",
        ),
        (
            format!("{tune} --out a.png --held-out bad.png --sheet a.png"),
            "argument",
            "More than one output",
        ),
        (
            format!("{train} none/a.safetensors"),
            "io",
            "none/a.safetensors",
        ),
        (format!("{train} a.jsonl"), "argument", "a.jsonl"),
        (format!("{train} -"), "argument", "--out"),
        (
            "eval bad.png SAMPLES --model TINY --sheet none/s.png".into(),
            "io",
            "none/s.png",
        ),
        (
            "eval bad.png SAMPLES --model TINY --sheet folder.png".into(),
            "io",
            "folder.png",
        ),
        (
            "eval bad.png SAMPLES --model TINY --out-dir file".into(),
            "io",
            "file",
        ),
        (
            "encode bad.png SAMPLES --model TINY --out-dir file/x".into(),
            "io",
            "file/x",
        ),
        (
            "convert m.safetensors none/a.safetensors".into(),
            "io",
            "none/a.safetensors",
        ),
        (
            "interpolate m.safetensors TINY --out folder.png".into(),
            "io",
            "folder.png",
        ),
        ("plot absent.jsonl none/a.svg".into(), "io", "none/a.svg"),
    ] {
        failed(&run(&folder, &words), code, named);
    }
    assert_eq!(listed(&folder), before);
}

#[test]
fn a_dash_is_standard_input_and_output() {
    let folder = tempdir().unwrap();
    printed(&run(&folder, ENCODE));
    printed(&run(&folder, "decode x.tokens x.png --model TINY"));
    let [tokens, picture] =
        ["x.tokens", "x.png"].map(|name| fs::read(folder.path().join(name)).unwrap());
    let through = |words: &str, input: &[u8]| {
        let mut command = command(&folder, words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    let sample = fs::read(super::sample_path("coffee.png")).unwrap();
    // The report does not mix with it.
    let output = through("encode - - --model TINY --size 32 --json", &sample);
    assert!(output.stdout == tokens);
    let told: super::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["tokens"], 64);
    let output = through("decode - - --model TINY", &tokens);
    assert!(output.stdout == picture);
    assert!(
        text(&output.stderr).contains("32×"),
        "{}",
        text(&output.stderr)
    );
    let output = through("reconstruct - - --model TINY --size 32", &sample);
    assert!(output.stdout == picture);
    if cfg!(target_os = "linux") {
        let output = through("decode - /dev/stdout --model TINY", &tokens);
        assert!(output.stdout == picture);
    }
    // Neither does an error.
    let output = through("decode - - --model TINY --json", b"no tokens");
    assert!(output.stdout.is_empty() && output.status.code() == Some(1));
    assert_eq!(listed(&folder), ["x.png", "x.tokens"]);
}

#[test]
fn what_lies_under_a_temporary_name_is_left_alone() {
    let folder = tempdir().unwrap();
    printed(&run(&folder, ENCODE));
    // A folder cannot be overwritten, and a link would be written through.
    fs::create_dir(folder.path().join("a.png.part")).unwrap();
    printed(&run(&folder, "decode x.tokens a.png --model TINY"));
    #[cfg(unix)]
    {
        fs::write(folder.path().join("mine"), "mine").unwrap();
        std::os::unix::fs::symlink("mine", folder.path().join("b.png.part")).unwrap();
        printed(&run(&folder, "decode x.tokens b.png --model TINY"));
        assert_eq!(fs::read(folder.path().join("mine")).unwrap(), b"mine");
    }
}

#[cfg(unix)]
#[test]
fn links_pipes_and_devices_stay_what_they_are() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    printed(&run(&folder, ENCODE));
    let decode = |output: &str| {
        let done = run(&folder, &format!("decode x.tokens {output} --model TINY"));
        printed(&done);
    };
    decode("plain.png");
    let picture = fs::read(path("plain.png")).unwrap();

    fs::create_dir(path("elsewhere")).unwrap();
    fs::write(path("elsewhere/old.png"), "old").unwrap();
    symlink("elsewhere/old.png", path("link.png")).unwrap();
    symlink("link.png", path("far.png")).unwrap();
    symlink("elsewhere/new.png", path("dangling.png")).unwrap();
    for (link, target) in [("far.png", "old.png"), ("dangling.png", "new.png")] {
        decode(link);
        assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink());
        assert!(
            fs::read(path("elsewhere").join(target)).unwrap() == picture,
            "{link}"
        );
    }
    assert!(fs::symlink_metadata(path("link.png")).unwrap().is_symlink());
    assert_eq!(listed(path("elsewhere")), ["new.png", "old.png"]);
    symlink("circle.png", path("circle.png")).unwrap();
    let output = run(&folder, "decode x.tokens circle.png --model TINY");
    failed(&output, "io", "circle.png");

    let made = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(&folder)
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    assert!(made("mkfifo", &["pipe.png"]));
    let pipe = path("pipe.png");
    let reader = std::thread::spawn(move || fs::read(pipe).unwrap());
    decode("pipe.png");
    assert!(reader.join().unwrap() == picture);
    assert!(
        fs::symlink_metadata(path("pipe.png"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
    // A custom device file, where creating one is allowed.
    if made("mknod", &["null", "c", "1", "3"]) {
        decode("null");
        assert!(
            fs::symlink_metadata(path("null"))
                .unwrap()
                .file_type()
                .is_char_device()
        );
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_has_the_mode_of_any_other_and_an_old_one_keeps_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let mode = |name: &str| {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    printed(&run(&folder, ENCODE));
    File::create(folder.path().join("plain")).unwrap();
    assert_eq!(mode("x.tokens"), mode("plain"));
    for own in [0o600, 0o664] {
        let permissions = fs::Permissions::from_mode(own);
        fs::set_permissions(folder.path().join("x.tokens"), permissions).unwrap();
        printed(&run(&folder, ENCODE));
        assert_eq!(mode("x.tokens"), own);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_whole_is_left_as_it_was() {
    let folder = tempdir().unwrap();
    printed(&run(&folder, "init vqvae-tiny a.safetensors"));
    let before = fs::read(folder.path().join("a.safetensors")).unwrap();
    let words = command(&folder, "init vqvae-tiny a.safetensors --seed 9");
    let words: Vec<_> = [words.get_program()]
        .into_iter()
        .chain(words.get_args())
        .collect();
    // At most one block, without a signal for exceeding it.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let output = Command::new("bash")
        .args(["-c", limited, "bash"])
        .args(words)
        .current_dir(&folder)
        .output()
        .unwrap();
    failed(&output, "io", "a.safetensors");
    assert!(fs::read(folder.path().join("a.safetensors")).unwrap() == before);
    assert_eq!(listed(&folder), ["a.safetensors"]);
}

#[test]
fn a_shipped_model_is_not_named_out_of_its_folder() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("models")).unwrap();
    fs::write(folder.path().join("notes.md"), "Notes.").unwrap();
    for name in [
        "../x",
        "/tmp/x",
        "a/b",
        "..",
        ".hidden",
        "a\\b",
        "a\u{1b}b",
        "x.v2",
        "x.discriminator",
    ] {
        json(&run(
            &folder,
            &format!("init vqvae-tiny x.safetensors --json --name {name}"),
        ));
        let ship = "ship x.safetensors --judge SAMPLES/coffee.png --judged-on a --trained-on b";
        let output = run(&folder, &format!("{ship} --notes notes.md --models models"));
        failed(&output, "argument", "The weight file's name");
        assert!(listed(folder.path().join("models")).is_empty());
    }
    assert_eq!(listed(&folder), ["models", "notes.md", "x.safetensors"]);
    json(&run(
        &folder,
        "init vqvae-tiny x.safetensors --json --name good-1_0",
    ));
    let ship = "ship x.safetensors --judge SAMPLES/coffee.png --judged-on a --trained-on b";
    printed(&run(
        &folder,
        &format!("{ship} --notes notes.md --models models"),
    ));
    let expected = ["good-1_0.md", "good-1_0.safetensors", "index.json"];
    assert_eq!(listed(folder.path().join("models")), expected);
}
