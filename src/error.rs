//! The one error type. Every variant has a stable [`Error::code`], which is also the `code` of the
//! JavaScript errors and of the command line's `--json` output.

/// What can go wrong, with a message that is one plain sentence for the person in front of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are in no picture format that is read here.
    #[error("This file is not a PNG, JPEG or WebP picture.")]
    ImageUnsupported,
    /// A picture in a format that is read here, of a kind that is not.
    #[error("This is {0}, which is not supported; ordinary PNG and JPEG files are.")]
    ImageKind(&'static str),
    /// The picture's header promises a picture that its data does not hold.
    #[error("This picture is damaged and could not be read: {0}.")]
    ImageCorrupt(String),
    /// More pixels than are read or encoded, known before the work begins.
    #[error(
        "This picture is {width}×{height}; the largest of its shape that fits is {}×{}.",
        largest(*width, *height, *max_pixels).0,
        largest(*width, *height, *max_pixels).1
    )]
    ImageTooLarge {
        /// Width in pixels, as the header says.
        width: u32,
        /// Height in pixels, as the header says.
        height: u32,
        /// The bound on width × height.
        max_pixels: u64,
    },
    /// No bytes, or a picture without pixels.
    #[error("This file is empty.")]
    ImageEmpty,
    /// Two pictures that should have one size have two.
    #[error("The pictures differ in size: {0}.")]
    ImageSize(String),
    /// The token file's magic, lengths or checksum are wrong.
    #[error("This token file is damaged: {0}.")]
    TokensCorrupt(String),
    /// A token file of a version that this build does not read.
    #[error("This token file is of version {0}, which is newer than this program.")]
    TokensVersion(u8),
    /// The tokens index another codebook than the model's.
    #[error(
        "These tokens belong to another model: its codebook is {found}, this model's is {expected}."
    )]
    TokensOtherCodebook {
        /// Hash of the codebook in use, in hexadecimal.
        expected: String,
        /// Hash in the token file, in hexadecimal.
        found: String,
    },
    /// The grids do not fit the model or the picture size that the file states.
    #[error("These tokens do not fit this model: {0}.")]
    TokensGeometry(String),
    /// The latents were made by another encoder than the model's.
    #[error(
        "These latents belong to another model: its encoder is {found}, this model's is {expected}."
    )]
    LatentsOtherEncoder {
        /// Hash of the encoder in use, in hexadecimal.
        expected: String,
        /// Hash in the latents, in hexadecimal.
        found: String,
    },
    /// The latents do not match the model or the picture's size.
    #[error("These latents do not fit this model: {0}.")]
    LatentsGeometry(String),
    /// The weight file is no well-formed safetensors file or checkpoint.
    #[error("This weight file is damaged, or of a kind that is not read here: {0}.")]
    WeightsCorrupt(String),
    /// A file of another kind where weights are expected: what it is, and what to do.
    #[error("{0}.")]
    NotWeights(String),
    /// One of several files that only together hold the weights.
    #[error(
        "This is part {part} of {of} of some weights: open `{index}`, which names all the parts."
    )]
    WeightsSharded {
        /// Which part.
        part: u32,
        /// How many there are.
        of: u32,
        /// Name of the index that belongs beside them.
        index: String,
    },
    /// A pickle that would run code, or that is past a limit of what is read.
    #[error("This checkpoint was refused: {0}.")]
    PickleRefused(String),
    /// A well-formed weight file whose tensors have the names of no known model.
    #[error("These weights belong to no kind of model that is known here.")]
    WeightsUnknown,
    /// A PyTorch checkpoint where pickles are not read: in a browser.
    #[error(
        "This is a PyTorch checkpoint, which a browser does not read: `tesserae convert` turns it into a file that it does."
    )]
    WeightsPickle,
    /// A model that has no codebook, so that there are no tokens to be had.
    #[error("This model has no codebook, so it makes no tokens.")]
    NoCodebook,
    /// A well-formed weight file whose tensors are not the ones that its config asks for.
    #[error("These weights do not fit their model: {0}.")]
    WeightsMismatch(String),
    /// A weight that is NaN or infinite.
    #[error("These weights hold a value that is not a number, in {}.", shown(.0))]
    WeightsNotFinite(String),
    /// A model that the device, or a tab's memory, cannot hold; known before it is built.
    #[error(
        "This model needs {} MB in one piece, and {} MB is the most that fits here.",
        needed.div_ceil(1 << 20),
        limit >> 20
    )]
    ModelTooLarge {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that there are.
        limit: u64,
    },
    /// A model config that no model can be built from.
    #[error("This model configuration is not valid: {0}.")]
    ConfigInvalid(String),
    /// No model of this name among the shipped ones.
    #[error("There is no model called `{0}`.")]
    ModelUnknown(String),
    /// The browser has no WebGPU at all.
    #[error("This browser has no WebGPU.")]
    WebGpuAbsent,
    /// No graphics adapter answers, though there is an interface to ask for one.
    #[error("No graphics adapter was found, so only the CPU can compute.")]
    AdapterAbsent,
    /// The adapter lacks a feature that the engine cannot do without.
    #[error("The graphics adapter lacks the WebGPU feature `{0}`.")]
    FeatureMissing(String),
    /// The adapter would not give a device.
    #[error("The graphics adapter refused to give a device: {0}.")]
    DeviceRefused(String),
    /// The device computes wrong results.
    #[error("The graphics device failed its self-test: {0}.")]
    SelfTestFailed(String),
    /// The device went away while it was in use.
    #[error("The graphics device was lost: {0}.")]
    DeviceLost(String),
    /// The caller asked for the work to stop.
    #[error("The work was cancelled.")]
    Cancelled,
    /// A folder or a data set without one usable picture.
    #[error("No usable picture was found in {0}.")]
    DatasetEmpty(String),
    /// A file that cannot be read or written.
    #[error("{path}: {reason}.")]
    Io {
        /// The path, as it was given.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// An argument that is out of its range.
    #[error("{0}.")]
    Argument(String),
    /// Training that ran away.
    #[error(
        "The training went wrong: `{term}` is no longer a number after {step} steps. A lower learning rate may help."
    )]
    LossNotFinite {
        /// Which term of the loss.
        term: String,
        /// Steps done.
        step: usize,
    },
    /// A bug in this crate or below it.
    #[error("Something inside went wrong: {0}.")]
    Internal(String),
}

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code: lower-case words, never changed once released.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ImageUnsupported | Self::ImageKind(_) => "image_unsupported",
            Self::ImageCorrupt(_) => "image_corrupt",
            Self::ImageTooLarge { .. } => "image_too_large",
            Self::ImageEmpty => "image_empty",
            Self::ImageSize(_) => "image_size",
            Self::TokensCorrupt(_) => "tokens_corrupt",
            Self::TokensVersion(_) => "tokens_version",
            Self::TokensOtherCodebook { .. } => "tokens_other_codebook",
            Self::TokensGeometry(_) => "tokens_geometry",
            Self::LatentsOtherEncoder { .. } => "latents_other_encoder",
            Self::LatentsGeometry(_) => "latents_geometry",
            Self::WeightsCorrupt(_) | Self::NotWeights(_) => "weights_corrupt",
            Self::WeightsSharded { .. } => "weights_sharded",
            Self::PickleRefused(_) => "pickle_refused",
            Self::WeightsUnknown => "weights_unknown",
            Self::WeightsPickle => "weights_pickle",
            Self::NoCodebook => "no_codebook",
            Self::WeightsMismatch(_) => "weights_mismatch",
            Self::WeightsNotFinite(_) => "weights_not_finite",
            Self::ModelTooLarge { .. } => "model_too_large",
            Self::ConfigInvalid(_) => "config_invalid",
            Self::ModelUnknown(_) => "model_unknown",
            Self::WebGpuAbsent => "webgpu_absent",
            Self::AdapterAbsent => "adapter_absent",
            Self::FeatureMissing(_) => "feature_missing",
            Self::DeviceRefused(_) => "device_refused",
            Self::SelfTestFailed(_) => "self_test_failed",
            Self::DeviceLost(_) => "device_lost",
            Self::Cancelled => "cancelled",
            Self::DatasetEmpty(_) => "dataset_empty",
            Self::Io { .. } => "io",
            Self::Argument(_) => "argument",
            Self::LossNotFinite { .. } => "loss_not_finite",
            Self::Internal(_) => "internal",
        }
    }

    /// An [`Error::Io`] from what the system said about `path`.
    pub fn io(path: impl AsRef<std::path::Path>, reason: impl std::fmt::Display) -> Self {
        Self::Io {
            path: path.as_ref().display().to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Words that quote a file, such as a JSON reader's, fit for a sentence: on one line, without what a
/// terminal would obey, and not too long.
pub(crate) fn one_line(words: impl std::fmt::Display) -> String {
    const LENGTH: usize = 300;
    let words = words.to_string();
    let mut line: String = words
        .chars()
        .take(LENGTH)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if words.chars().nth(LENGTH).is_some() {
        line.push('…');
    }
    line
}

/// A name from a file, for a sentence: in backticks, short, and with what a terminal would obey
/// escaped.
pub(crate) fn shown(name: &str) -> String {
    const LENGTH: usize = 80;
    let start: String = name.chars().take(LENGTH).collect();
    let rest = if start.len() < name.len() { "…" } else { "" };
    format!("`{}{rest}`", start.escape_debug())
}

/// Sides of the largest picture that is shaped like `width`×`height` and has at most `max_pixels`.
pub(crate) fn largest(width: u32, height: u32, max_pixels: u64) -> (u32, u32) {
    let scale = (max_pixels as f64 / (f64::from(width) * f64::from(height))).sqrt();
    // Rounded down, so that the product stays below.
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    (scaled(width), scaled(height))
}
