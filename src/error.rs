//! The crate's error type. Every variant has a stable [`Error::code`], which is also the `code` of
//! JavaScript errors and of the command line's `--json` output.

/// Everything that can go wrong. Each message is one plain sentence addressed to the user.
///
/// # Examples
/// ```
/// # use tesserae::{Error, Picture};
/// let error = Picture::decode(b"no picture").unwrap_err();
/// assert_eq!(error, Error::ImageUnsupported);
/// assert_eq!(error.code(), "image_unsupported"); // stable, for programs
/// println!("{error}"); // a sentence, for people
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not in a supported image format.
    #[error("This file is not a PNG, JPEG or WebP picture.")]
    ImageUnsupported,
    /// The format is supported, but this variant of it is not.
    #[error("This is {0}, which is not supported; ordinary PNG and JPEG files are.")]
    ImageKind(&'static str),
    /// The picture's data is damaged or does not match its header.
    #[error("This picture is damaged and could not be read: {0}.")]
    ImageCorrupt(String),
    /// More pixels than can be read or encoded; detected before any work starts.
    #[error(
        "This picture is {width}×{height}; the largest of its shape that fits is {}×{}.",
        largest(*width, *height, *max_pixels).0,
        largest(*width, *height, *max_pixels).1
    )]
    ImageTooLarge {
        /// Width in pixels, from the header.
        width: u32,
        /// Height in pixels, from the header.
        height: u32,
        /// Upper limit on width × height.
        max_pixels: u64,
    },
    /// The file is empty, or the picture has no pixels.
    #[error("This file is empty.")]
    ImageEmpty,
    /// Two pictures that must have the same size do not.
    #[error("The pictures differ in size: {0}.")]
    ImageSize(String),
    /// The token file has a wrong magic number, length or checksum.
    #[error("This token file is damaged: {0}.")]
    TokensCorrupt(String),
    /// The token file's version is newer than this build supports.
    #[error("This token file has version {0}, which is newer than this program supports.")]
    TokensVersion(u8),
    /// The tokens belong to a different codebook than the model's.
    #[error(
        "These tokens belong to another model: its codebook is {found}, this model's is {expected}."
    )]
    TokensOtherCodebook {
        /// Hash of the codebook in use, in hexadecimal.
        expected: String,
        /// Hash in the token file, in hexadecimal.
        found: String,
    },
    /// The tokens belong to a codebook that a shipped model, named here, no longer has.
    #[error(
        "These tokens were made by an earlier version of {0}, whose codebook has been replaced; its old weights can decode them."
    )]
    TokensRetired(String),
    /// The grids do not match the model or the picture size stated in the file.
    #[error("These tokens do not fit this model: {0}.")]
    TokensGeometry(String),
    /// The prior predicts the tokens of another codebook than the model's.
    #[error(
        "This prior predicts the tokens of {}, whose codebook is {expected}; this model's is {found}.", shown(.name)
    )]
    PriorOtherCodebook {
        /// Name of the model whose tokens it predicts.
        name: String,
        /// Hash of that model's codebook, in hexadecimal.
        expected: String,
        /// Hash of the codebook in use, in hexadecimal.
        found: String,
    },
    /// The latents come from a different encoder than the model's.
    #[error(
        "These latents belong to another model: its encoder is {found}, this model's is {expected}."
    )]
    LatentsOtherEncoder {
        /// Hash of the encoder in use, in hexadecimal.
        expected: String,
        /// Hash in the latents, in hexadecimal.
        found: String,
    },
    /// The latents do not match the model or the picture size.
    #[error("These latents do not fit this model: {0}.")]
    LatentsGeometry(String),
    /// The weight file is not a well-formed safetensors file or checkpoint.
    #[error("This weight file is damaged or in an unsupported format: {0}.")]
    WeightsCorrupt(String),
    /// A different kind of file where weights are expected; says what it is and what to do.
    #[error("{0}.")]
    NotWeights(String),
    /// One shard of a weight file that is split across several files.
    #[error(
        "This is shard {part} of {of} of a sharded checkpoint: open its index, `{index}`, instead."
    )]
    WeightsSharded {
        /// Number of this shard.
        part: u32,
        /// Total number of shards.
        of: u32,
        /// Name of the index file that belongs next to them.
        index: String,
    },
    /// The pickle would execute code, or exceeds one of the reader's limits.
    #[error("This checkpoint was refused: {0}.")]
    PickleRefused(String),
    /// A well-formed weight file whose tensor names match no supported model.
    #[error("These weights do not belong to any supported model.")]
    WeightsUnknown,
    /// A PyTorch checkpoint opened in a browser, where pickles are not supported.
    #[error(
        "This is a PyTorch checkpoint, which cannot be read in a browser: `tesserae convert` converts it to a file that can."
    )]
    WeightsPickle,
    /// The model has no codebook, so it cannot produce tokens.
    #[error("This model has no codebook, so it has no tokens.")]
    NoCodebook,
    /// A well-formed weight file whose tensors do not match its config.
    #[error("These weights do not match their model: {0}.")]
    WeightsMismatch(String),
    /// A weight that is NaN or infinite.
    #[error("These weights contain NaN or infinity, in {}.", shown(.0))]
    WeightsNotFinite(String),
    /// The model does not fit in the memory of the device or the tab; detected before it is built.
    #[error(
        "This model needs {} MB in one allocation, but at most {} MB can be allocated here.",
        needed.div_ceil(1 << 20),
        limit >> 20
    )]
    ModelTooLarge {
        /// Bytes required.
        needed: u64,
        /// Bytes available.
        limit: u64,
    },
    /// The model config is invalid.
    #[error("This configuration is not valid: {0}.")]
    ConfigInvalid(String),
    /// No shipped model has this name.
    #[error("There is no model called `{0}`.")]
    ModelUnknown(String),
    /// The browser does not support WebGPU.
    #[error("This browser does not support WebGPU.")]
    WebGpuAbsent,
    /// WebGPU is supported, but no adapter was found.
    #[error("No graphics adapter was found, so only the CPU is available.")]
    AdapterAbsent,
    /// The adapter lacks a feature that the engine requires.
    #[error("The graphics adapter lacks the WebGPU feature `{0}`.")]
    FeatureMissing(String),
    /// The adapter refused to create a device.
    #[error("The graphics adapter did not provide a device: {0}.")]
    DeviceRefused(String),
    /// The device computes wrong results.
    #[error("The graphics device failed its self-test: {0}.")]
    SelfTestFailed(String),
    /// The device was lost while in use.
    #[error("The graphics device was lost: {0}.")]
    DeviceLost(String),
    /// The caller cancelled the work.
    #[error("The work was cancelled.")]
    Cancelled,
    /// A folder or data set contains no usable picture.
    #[error("No usable picture was found in {0}.")]
    DatasetEmpty(String),
    /// A file could not be read or written.
    #[error("{path}: {reason}.")]
    Io {
        /// The path as given.
        path: String,
        /// The operating system's message.
        reason: String,
    },
    /// An argument is out of range.
    #[error("{0}.")]
    Argument(String),
    /// Training diverged: the loss is not finite.
    #[error(
        "The training diverged: `{term}` became NaN or infinite after {step} steps. A lower learning rate may help."
    )]
    LossNotFinite {
        /// The loss term that is not finite.
        term: String,
        /// Number of completed steps.
        step: usize,
    },
    /// A prior predicted NaN or infinity.
    #[error(
        "The prior's prediction became NaN or infinite, so sampling stopped; its weights may be damaged."
    )]
    LogitsNotFinite,
    /// A bug in this crate or in one of its dependencies.
    #[error("Internal error: {0}.")]
    Internal(String),
}

/// A result with [`Error`] as its default error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code in lower case; never changes once released.
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
            Self::TokensRetired(_) => "tokens_retired",
            Self::TokensGeometry(_) => "tokens_geometry",
            Self::PriorOtherCodebook { .. } => "prior_other_codebook",
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
            Self::LogitsNotFinite => "logits_not_finite",
            Self::Internal(_) => "internal",
        }
    }

    /// An [`Error::Io`] for `path` with the operating system's message.
    pub fn io(path: impl AsRef<std::path::Path>, reason: impl std::fmt::Display) -> Self {
        Self::Io {
            path: path.as_ref().display().to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Text quoted from a file or another library, made safe for a message: on one line, without
/// terminal control characters, and truncated.
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

/// A name from a file, formatted for a message: in backticks, truncated, with control characters
/// escaped.
pub(crate) fn shown(name: &str) -> String {
    const LENGTH: usize = 80;
    let start: String = name.chars().take(LENGTH).collect();
    let rest = if start.len() < name.len() { "…" } else { "" };
    format!("`{}{rest}`", start.escape_debug())
}

/// The largest width and height with the aspect ratio of `width`×`height` and at most `max_pixels`
/// pixels.
pub(crate) fn largest(width: u32, height: u32, max_pixels: u64) -> (u32, u32) {
    let scale = (max_pixels as f64 / (f64::from(width) * f64::from(height))).sqrt();
    // Rounded down, so that the product stays within the limit.
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    (scaled(width), scaled(height))
}
