//! Limits on a checkpoint's cost before any tensor is read. All are far above what published
//! checkpoints need, and together they bound the reader's own memory to about 130 MB.

/// Bytes of pickle. A state dict takes some 200 bytes per tensor: 2 MB for 10,000.
pub const PICKLE_BYTES: usize = 16 << 20;
/// Opcodes in all pickles of a file; a tensor takes about 30.
pub const OPCODES: usize = 4 << 20;
/// Items in all tuples, lists and dicts.
pub const ITEMS: usize = 4 << 20;
/// Values created; a tensor takes about 15. Each costs 32 bytes plus its items.
pub const VALUES: usize = 1 << 20;
/// Values on the stack. Python's pickler appends to dicts and lists in batches of a thousand.
pub const STACK: usize = 1 << 18;
/// Memo slots, where values are kept for reuse.
pub const MEMO: usize = 1 << 20;
/// Nesting depth of lists, tuples and dicts, and of marks on the stack. Hyper-parameters reach 30.
pub const LEVELS: u32 = 128;
/// Size of a value if every shared reference were expanded: anything larger is a reference bomb.
pub const UNFOLDED: u32 = 1 << 24;
/// Bytes in the name of a class, a storage or a zip entry. Each opcode may look such a name up
/// again, so none may be long.
pub const NAME: usize = 512;
/// Tensors in a file, including the optimizer's.
pub const TENSORS: usize = 1 << 16;
/// Axes of a tensor; a convolution's weight has 4.
pub const RANK: usize = 8;
/// Entries in a zip file: one per storage and a few more.
pub const ZIP_ENTRIES: usize = 1 << 16;
/// Bytes read to find the zip's entries, about 150 for each. Also ends the search for a directory
/// among bytes crafted to look like many.
pub const ZIP_BYTES: usize = 16 << 20;
