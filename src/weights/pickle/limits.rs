//! What a checkpoint may cost before one of its tensors is read. Every bound is far above what any
//! published checkpoint needs, and together they hold the reader's own memory under some 130 MB.

/// Bytes of pickle. A state dict takes some 200 bytes a tensor: 2 MB for one of 10,000.
pub const PICKLE_BYTES: usize = 16 << 20;
/// Opcodes of all the pickles of a file; a tensor takes about 30.
pub const OPCODES: usize = 4 << 20;
/// Items of all tuples, lists and dicts.
pub const ITEMS: usize = 4 << 20;
/// Values made; a tensor takes about 15. Each costs 32 bytes beside the items that it holds.
pub const VALUES: usize = 1 << 20;
/// Values on the stack. Python's pickler appends to dicts and lists by the thousand.
pub const STACK: usize = 1 << 18;
/// Places of the memo, where values are kept for later.
pub const MEMO: usize = 1 << 20;
/// Levels of lists, tuples and dicts within each other, and of marks on the stack. Hyper-parameters
/// reach 30.
pub const LEVELS: u32 = 128;
/// Values that a value would come to if every shared one were written out: past it there is nothing
/// but a bomb of references.
pub const UNFOLDED: u32 = 1 << 24;
/// Bytes in the name of a class, a storage or a zip entry. Such a name may be looked up again and
/// again at the cost of an opcode, so none may be long.
pub const NAME: usize = 512;
/// Tensors in a file, those of the optimizer included.
pub const TENSORS: usize = 1 << 16;
/// Sides of a tensor; a convolution's weight has 4.
pub const RANK: usize = 8;
/// Entries of a zip file, one for each storage and some more.
pub const ZIP_ENTRIES: usize = 1 << 16;
/// Bytes read to find the zip's entries, about 150 for each. It also ends the search for a directory
/// among bytes made to look like many.
pub const ZIP_BYTES: usize = 16 << 20;
