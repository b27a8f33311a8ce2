use std::path::PathBuf;

use burn::tensor::Device;
use serde_json::json;
use tesserae::Result;
use tesserae::weights::{self, About};

use crate::convert::Dtype;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;
use crate::weights::ConfigArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file at one end.
    from: PathBuf,
    /// Weight file at the other end, of a model with the same config.
    to: PathBuf,
    /// Blend factor: 0 is the first, 1 the second, other values extrapolate.
    #[arg(long, default_value_t = 0.5, allow_negative_numbers = true)]
    share: f32,
    /// Weight file to write.
    #[arg(long)]
    out: PathBuf,
    /// Model name to store in the weight file.
    #[arg(long)]
    name: Option<String>,
    /// Storage type of the weights.
    #[arg(long, value_enum, default_value_t = Dtype::F16)]
    dtype: Dtype,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let ends = [&self.from, &self.to].map(|path| crate::weights::inputs(path));
        let inputs = ends.iter().flatten().map(PathBuf::as_path);
        let out = Outputs::new(inputs, self.overwrite.overwrite).claim(&self.out)?;
        let device = Device::flex();
        let load = |path| crate::weights::load(path, &ConfigArgs::default(), &device);
        let (from, to) = (load(&self.from)?, load(&self.to)?);
        let model = weights::blend(&from, &to, self.share)?;
        let about = About::named(self.name.as_deref());
        let bytes = weights::save(&model, &from.config, about, self.dtype.into()).await?;
        out.write(&bytes)?;
        match json {
            true => terminal::print_json(json!({"bytes": bytes.len()}))?,
            false => terminal::print(format_args!("{} bytes", bytes.len()))?,
        }
        Ok(())
    }
}
