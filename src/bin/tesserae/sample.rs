use std::path::PathBuf;

use clap::ValueEnum;
use tesserae::generate::{Origin, PictureOptions, Route, Walk};
use tesserae::{Error, Result};

use crate::draw::DrawArgs;
use crate::files;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    draw: DrawArgs,
    /// Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM.
    #[arg(long, default_value_t = 0.0)]
    eta: f64,
    /// Of a generator: seed of the last picture, with the others on the way from the first.
    #[arg(long)]
    walk_to: Option<u64>,
    /// Shape of that way.
    #[arg(long, value_enum, default_value_t = RouteName::Spherical, requires = "walk_to")]
    route: RouteName,
    /// Picture for a generator to start from: a diffusion model makes others like it, a VAE or a GAN
    /// decodes the latent that fits it best.
    #[arg(long, conflicts_with = "walk_to")]
    from: Option<PathBuf>,
    /// How far a diffusion model goes back to noise from that picture, from 0 to 1.
    #[arg(long, default_value_t = 0.6, requires = "from")]
    strength: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RouteName {
    Straight,
    Spherical,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        if let Some(survey) = self.draw.generator()? {
            let route = match self.route {
                RouteName::Straight => Route::Straight,
                RouteName::Spherical => Route::Spherical,
            };
            let options = PictureOptions {
                eta: self.eta,
                walk: self.walk_to.map(|to| Walk { to, route }),
                strength: self.strength,
                ..PictureOptions::default()
            };
            let origin = match &self.from {
                Some(path) => Origin::Picture(files::picture(path)?),
                None => Origin::Seed,
            };
            let inputs = self.from.as_slice();
            return self
                .draw
                .generate(survey, options, origin, inputs, json)
                .await;
        }
        if self.eta != 0.0 || self.walk_to.is_some() || self.from.is_some() {
            let told = "--eta, --walk-to and --from are for a generator";
            return Err(Error::Argument(told.to_owned()));
        }
        let anew = async |_: &_| Ok(None);
        self.draw.run("digits-maskgit", &[], anew, json).await
    }
}
