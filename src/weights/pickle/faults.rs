use crate::error::Error;

/// The error for a damaged checkpoint.
pub fn corrupt(reason: impl Into<String>) -> Error {
    Error::WeightsCorrupt(reason.into())
}

/// The error for a pickle that would run code, or costs too much.
pub fn refused(reason: impl Into<String>) -> Error {
    Error::PickleRefused(reason.into())
}
