//! Recognises files mistaken for weights by their first bytes.

use crate::error::Error;

/// Number of bytes needed to tell.
pub const BEGINNING: u64 = 1024;

/// First bytes of files, and the error message for each. Only those that no weight file can start
/// with, or that [`explain`] has checked.
const MAGICS: [(&[u8], &str); 15] = [
    (
        b"GGUF",
        "This is a GGUF file, packed for llama.cpp and similar programs, which is not supported; \
         use the same model as safetensors",
    ),
    (b"\x89PNG\r\n\x1a\n", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"II*\0", PICTURE),
    (b"MM\0*", PICTURE),
    (b"\x1f\x8b\x08", PACKED),
    (b"7z\xbc\xaf\x27\x1c", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"BZh", PACKED),
    (b"Rar!", PACKED),
    (
        b"\x89HDF\r\n\x1a\n",
        "This is an HDF5 file, such as Keras writes, which is not supported; use the model as \
         safetensors or as a PyTorch checkpoint",
    ),
    (
        b"\x93NUMPY",
        "This is a NumPy array, not a model's weights; use the model as safetensors or as a \
         PyTorch checkpoint",
    ),
    (
        b"TSRA",
        "This is a token file, not a weight file; open it as tokens, with the model that made it",
    ),
];
const PICTURE: &str = "This is a picture, not a weight file; choose a safetensors file";
const PACKED: &str = "This is a packed archive; unpack it and open the weight file inside";

/// First bytes of a zip file, the newer form of PyTorch's checkpoints.
pub const ZIP: &[u8] = b"PK\x03\x04";

/// Whether a file with these first bytes is a PyTorch checkpoint; nine bytes are enough.
pub fn is_pickle(first: &[u8]) -> bool {
    // A safetensors file may start with the same two bytes, as part of its header length.
    let safetensors = first.get(8) == Some(&b'{');
    first.starts_with(ZIP) || (matches!(first, [0x80, 2..=5, ..]) && !safetensors)
}

/// Explains what a file with these first bytes is, if it is not a weight file; `None` if it may be
/// a damaged one.
pub fn explain(first: &[u8]) -> Option<Error> {
    // Fewer bytes are not enough to tell, and byte 9 of a safetensors file is its header's brace.
    if first.len() < 9 {
        return None;
    }
    let sentence = match text(first) {
        Some(text) => of_text(text),
        None if first[8] == b'{' => return None,
        None => of_bytes(first)?.to_owned(),
    };
    Some(Error::NotWeights(sentence))
}

fn of_bytes(first: &[u8]) -> Option<&'static str> {
    let is = |at: usize, magic: &[u8]| first.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if is(0, b"RIFF") && is(8, b"WEBP") {
        return Some(PICTURE);
    }
    // AVIF and HEIC are among the images with such a box.
    if is(4, b"ftyp") {
        return Some("This is a picture or a video, not a weight file; choose a safetensors file");
    }
    if is(257, b"ustar") {
        return Some(PACKED);
    }
    let mut magics = MAGICS.iter();
    magics
        .find(|(magic, _)| is(0, magic))
        .map(|(_, sentence)| *sentence)
}

fn of_text(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let start: String = text.chars().take(16).collect::<String>().to_lowercase();
    let is = |beginning: &str| start.starts_with(beginning);
    if text.starts_with("version https://git-lfs.github.com/spec/") {
        return lfs(text);
    }
    if text.starts_with("/annex/objects/") {
        return "This is a git-annex pointer, not the file itself; fetch it with `git annex get`"
            .to_owned();
    }
    let known = if ["<!doctype", "<html", "<head", "<body", "<?xml"]
        .into_iter()
        .any(is)
    {
        "This is a web page, not a weight file: the download returned a page, perhaps one that \
         asks you to log in; open the address in a browser and download the file itself"
    } else if is("{") && text.contains("\"weight_map\"") {
        "This is the index of a sharded checkpoint; open it with `tesserae convert`, next to the \
         files that it names"
    } else if is("{") || is("[") {
        "This is a JSON file, such as a config, not a weight file; open the weights next to it"
    } else if is_yaml(text) {
        "This is a YAML file, such as a training config, not a weight file; open the checkpoint \
         that it belongs to"
    } else {
        "This is a text file, not a weight file; choose a safetensors file"
    };
    known.to_owned()
}

/// A Git LFS pointer, which states the size of the actual file.
fn lfs(pointer: &str) -> String {
    let size = pointer
        .lines()
        .find_map(|line| line.strip_prefix("size ")?.trim().parse::<u64>().ok());
    let size = size.map_or(String::new(), |bytes| {
        format!(" ({:.1} MB)", bytes as f64 / 1e6)
    });
    format!(
        "This is a Git LFS pointer, not the file itself; fetch the file{size} with `git lfs \
         pull`, or download it from its page"
    )
}

/// Whether these are `key: value` lines, as in YAML.
pub fn is_yaml(text: &str) -> bool {
    let lines = text.lines().map(str::trim_end);
    let mut lines =
        lines.filter(|line| !(line.is_empty() || line.starts_with('#') || line.starts_with("---")));
    let key = |line: &str| {
        let (key, rest) = line.split_once(':')?;
        let key = key.trim_start_matches([' ', '-']);
        let named = |c: char| c.is_alphanumeric() || "_-.\"'".contains(c);
        let spaced = rest.is_empty() || rest.starts_with(' ');
        Some(spaced && !key.is_empty() && key.chars().all(named))
    };
    // A single line with a colon may be ordinary prose.
    let mut next = || lines.next().and_then(key).unwrap_or(false);
    next() && next()
}

/// The bytes as text, if they are all text. The last character may be truncated.
fn text(first: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&first[..e.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let odd = |c: char| c.is_control() && !c.is_whitespace();
    (!text.trim().is_empty() && !text.contains(odd)).then_some(text)
}

/// Rejects a single shard of a larger model, recognised by its name, such as
/// `model-00001-of-00002.safetensors`.
///
/// # Errors
/// [`Error::WeightsSharded`] names the index to open.
pub fn refuse_shard(name: &str) -> Result<(), Error> {
    match shard(name) {
        Some((part, of, index)) if of > 1 => Err(Error::WeightsSharded { part, of, index }),
        _ => Ok(()),
    }
}

fn shard(name: &str) -> Option<(u32, u32, String)> {
    let (stem, extension) = name.rsplit_once('.')?;
    let (stem, of) = stem.rsplit_once("-of-")?;
    let (stem, part) = stem.rsplit_once('-')?;
    let number = |digits: &str| {
        let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        all.then(|| digits.parse::<u32>().ok())?
    };
    Some((
        number(part)?,
        number(of)?,
        format!("{stem}.{extension}.index.json"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(bytes: impl AsRef<[u8]>) -> Option<String> {
        let error = explain(bytes.as_ref())?;
        assert_eq!(error.code(), "weights_corrupt");
        Some(error.to_string())
    }

    #[test]
    fn each_kind_of_file_has_its_own_sentence() {
        let cases: [(&[u8], &str); 13] = [
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 334643268\n",
                "a Git LFS pointer, not the file itself; fetch the file (334.6 MB) with",
            ),
            (b"<!DOCTYPE html><html>", "a web page"),
            (b"\n  <html lang=en>", "a web page"),
            (b"GGUF\x03\0\0\0\0\0\0\0", "a GGUF file"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a picture"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "a picture"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "unpack it"),
            (b"TSRA\x01\0\0\0\0\0\0", "a token file"),
            (b"{\"_class_name\": \"VQModel\"}", "a JSON file"),
            (b"{\"weight_map\": {}}", "the index of a sharded checkpoint"),
            (b"# config\nmodel:\n  target: taming", "a YAML file"),
            (b"What is this?", "a text file"),
        ];
        for (bytes, words) in cases {
            let told = sentence(bytes).unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn what_may_be_weights_is_left_to_their_reader() {
        // A header of 0x8b1f bytes, which begins like a gzip; none; zeros.
        for bytes in [
            &b"\x1f\x8b\0\0\0\0\0\0{\"a\""[..],
            b"",
            b"text",
            &[0; 64],
            b"\x70\x04\0\0\0\0\0\0{",
        ] {
            assert_eq!(sentence(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_shard_names_its_index() {
        let index =
            |name: &str| shard(name).map(|(part, of, index)| format!("{part}/{of} {index}"));
        for (name, told) in [
            (
                "model-00001-of-00002.safetensors",
                Some("1/2 model.safetensors.index.json"),
            ),
            (
                "pytorch_model-00003-of-00007.bin",
                Some("3/7 pytorch_model.bin.index.json"),
            ),
            ("model.safetensors", None),
            ("one-of-a-kind.safetensors", None),
            ("model-1-of-.safetensors", None),
            ("model-1-of-+2.safetensors", None),
        ] {
            assert_eq!(index(name).as_deref(), told, "{name}");
        }
        refuse_shard("model-00001-of-00001.safetensors").unwrap();
        let error = refuse_shard("model-00001-of-00002.safetensors").unwrap_err();
        assert_eq!(error.code(), "weights_sharded");
    }
}
