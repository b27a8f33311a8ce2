//! Builds pickles, zip files and checkpoints by hand, including faulty ones.

/// A pickle under construction, one opcode at a time.
#[derive(Clone)]
pub struct Pickle(pub Vec<u8>);

impl Pickle {
    /// Starts with protocol 2, like `torch.save`.
    pub fn new() -> Self {
        Self(vec![0x80, 2])
    }

    /// Appends opcodes and their arguments as raw bytes.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// Appends the same opcodes `count` times.
    pub fn times(self, count: usize, bytes: impl AsRef<[u8]>) -> Self {
        self.raw(bytes.as_ref().repeat(count))
    }

    pub fn text(self, text: &str) -> Self {
        let length = (text.len() as u32).to_le_bytes();
        self.raw(b"X").raw(length).raw(text)
    }

    pub fn int(self, value: i64) -> Self {
        self.raw([0x8a, 8]).raw(value.to_le_bytes())
    }

    pub fn ints(self, values: &[i64]) -> Self {
        let all = self.raw(b"(");
        values
            .iter()
            .fold(all, |all, value| all.int(*value))
            .raw(b"t")
    }

    /// A class or function by its dotted name.
    pub fn global(self, path: &str) -> Self {
        let (module, name) = path.rsplit_once('.').unwrap();
        self.raw(format!("c{module}\n{name}\n"))
    }

    /// A storage by its persistent id.
    pub fn storage(self, class: &str, key: &str, elements: i64) -> Self {
        let id = self.raw(b"(").text("storage").global(class).text(key);
        id.text("cpu").int(elements).raw(b"tQ")
    }

    /// An f32 view of the storage with the key `0`.
    pub fn tensor(self, elements: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Self {
        self.view("torch.FloatStorage", elements, offset, shape, strides)
    }

    pub fn view(
        self,
        class: &str,
        elements: i64,
        offset: i64,
        shape: &[i64],
        strides: &[i64],
    ) -> Self {
        let args = self.global("torch._utils._rebuild_tensor_v2").raw(b"(");
        let args = args.storage(class, "0", elements).int(offset);
        let args = args.ints(shape).ints(strides).raw([0x89]);
        args.global("collections.OrderedDict").raw(b")RtR")
    }

    /// Ends the pickle.
    pub fn stop(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// A state dict with one tensor `w`, built by `tensor`.
pub fn state(tensor: impl FnOnce(Pickle) -> Pickle) -> Vec<u8> {
    tensor(Pickle::new().raw(b"}").text("w")).raw(b"s.").0
}

/// An entry of a zip file, with the values in its headers.
#[derive(Clone)]
pub struct ZipEntry {
    pub name: String,
    pub data: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// Uncompressed length.
    pub size: u32,
    /// Offset of the local header, if not the actual one.
    pub header: Option<u32>,
}

impl ZipEntry {
    pub fn new(name: &str, data: impl Into<Vec<u8>>) -> Self {
        let data = data.into();
        Self {
            name: name.to_owned(),
            method: 0,
            flags: 0,
            size: data.len() as u32,
            header: None,
            data,
        }
    }

    /// The fields that both headers share, from the flags to the length of the name.
    fn middle(&self) -> Vec<u8> {
        let mut middle = Vec::new();
        middle.extend(self.flags.to_le_bytes());
        middle.extend(self.method.to_le_bytes());
        // Time, date and checksum.
        middle.extend([0; 8]);
        middle.extend((self.data.len() as u32).to_le_bytes());
        middle.extend(self.size.to_le_bytes());
        middle.extend((self.name.len() as u16).to_le_bytes());
        middle
    }
}

/// A zip file; the names must be unique.
pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let header = entry.header.unwrap_or(file.len() as u32);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(entry.middle());
        // Extra field, comment, disk and attributes.
        directory.extend([0; 12]);
        directory.extend(header.to_le_bytes());
        directory.extend(entry.name.as_bytes());
        file.extend(b"PK\x03\x04\x14\0");
        file.extend(entry.middle());
        file.extend([0; 2]);
        file.extend(entry.name.as_bytes());
        file.extend(&entry.data);
    }
    let (start, count) = (file.len() as u32, entries.len() as u16);
    let length = directory.len() as u32;
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// A checkpoint in the zip format, with this pickle and these storages by key.
pub fn checkpoint(pickle: impl Into<Vec<u8>>, storages: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries = vec![
        ZipEntry::new("archive/data.pkl", pickle),
        ZipEntry::new("archive/byteorder", "little"),
    ];
    for (key, data) in storages {
        entries.push(ZipEntry::new(&format!("archive/data/{key}"), *data));
    }
    entries.push(ZipEntry::new("archive/version", "3\n"));
    zip(&entries)
}

/// The first three pickles of the legacy format.
pub fn legacy_head(little_endian: bool) -> Vec<u8> {
    let magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
    let head = Pickle::new().raw([0x8a, 10]).raw(magic).raw(b".");
    let head = head.raw([0x80, 2]).int(1001).raw(b".");
    let head = head.raw([0x80, 2]).raw(b"}").text("little_endian");
    head.raw([if little_endian { 0x88 } else { 0x89 }])
        .raw(b"s.")
        .0
}

/// A checkpoint in the legacy format; each storage has its key, its stated number of elements and
/// its bytes.
pub fn legacy(pickle: &[u8], storages: &[(&str, i64, &[u8])]) -> Vec<u8> {
    let mut file = legacy_head(true);
    file.extend(pickle);
    let keys = Pickle::new().raw(b"](");
    let keys = storages.iter().fold(keys, |keys, (key, ..)| keys.text(key));
    file.extend(keys.raw(b"e.").0);
    for (_, elements, data) in storages {
        file.extend(elements.to_le_bytes());
        file.extend(*data);
    }
    file
}

/// Floats as bytes.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
