use tesserae::Result;

use crate::draw::DrawArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    draw: DrawArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let anew = async |_: &_| Ok(None);
        self.draw.run("digits-maskgit", &[], anew, json).await
    }
}
