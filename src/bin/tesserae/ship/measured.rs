use serde_json::Value;
use tesserae::ModelConfig;
use tesserae::tokens::Hash;
use tesserae::weights::{Need, Sampling};

/// What the entry of one kind of model says of it.
pub struct Measured {
    pub stage: &'static str,
    pub config: ModelConfig,
    pub codebook: Option<Hash>,
    pub needs: Vec<Need>,
    pub classes: Vec<String>,
    pub sampling: Option<Sampling>,
    pub quality: Value,
}

pub fn round(value: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}
