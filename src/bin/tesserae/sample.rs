use tesserae::{Error, Result};

use crate::draw::DrawArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    draw: DrawArgs,
    /// Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM.
    #[arg(long, default_value_t = 0.0)]
    eta: f64,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        if let Some(survey) = self.draw.generator()? {
            return self.draw.generate(survey, self.eta, json).await;
        }
        if self.eta != 0.0 {
            return Err(Error::Argument("--eta is for a diffusion model".to_owned()));
        }
        let anew = async |_: &_| Ok(None);
        self.draw.run("digits-maskgit", &[], anew, json).await
    }
}
