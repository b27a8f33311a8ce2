//! Images to tokens and back.

use super::{Codec, Coder, Phase, unwatched};
use crate::error::{Error, Result};
use crate::pixels::Picture;
use crate::quantize;
use crate::readback::read;
use crate::tokens::{Grid, Tokens};
use crate::weights;

impl Codec {
    /// Encodes an image to tokens.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::ImageTooLarge`] past [`Codec::max_pixels`], and device
    /// errors.
    pub async fn encode(&self, picture: &Picture) -> Result<Tokens> {
        self.encode_with(picture, &mut unwatched).await
    }

    /// [`Codec::encode`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::encode`], and [`Error::Cancelled`].
    pub async fn encode_with(
        &self,
        picture: &Picture,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Tokens> {
        let grids = self.coder.encode_grids(picture, watch).await?;
        Ok(self.named(picture.width(), picture.height(), grids))
    }

    /// Encodes something between two images of the same size, `a` at a `share` of 0 and `b` at 1: their
    /// latents are interpolated, then quantized.
    ///
    /// # Errors
    /// The errors of [`Codec::encode`], and [`Error::Argument`] for a share outside 0 to 1 or for images
    /// of different sizes.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::{Codec, Picture};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weights = std::fs::read("www/models/digits.safetensors")?;
    /// let codec = Codec::from_weights(weights, &Device::flex())?;
    /// let [dark, light] = [30, 220].map(|grey| Picture::from_rgb(28, 28, vec![grey; 28 * 28 * 3]));
    /// let (dark, light) = (dark?, light?);
    /// let between = block_on(codec.encode_between(&dark, &light, 0.5))?;
    /// assert_eq!(between.count(), 49);
    /// assert_eq!(block_on(codec.encode_between(&dark, &light, 0.0))?, block_on(codec.encode(&dark))?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn encode_between(&self, a: &Picture, b: &Picture, share: f32) -> Result<Tokens> {
        self.encode_between_with(a, b, share, &mut unwatched).await
    }

    /// [`Codec::encode_between`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::encode_between`], and [`Error::Cancelled`].
    pub async fn encode_between_with(
        &self,
        a: &Picture,
        b: &Picture,
        share: f32,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Tokens> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::Argument(format!("The share {share} is not 0 to 1")));
        }
        let (width, height) = (a.width(), a.height());
        if (width, height) != (b.width(), b.height()) {
            return Err(Error::Argument(format!(
                "One picture is {width}×{height} pixels, the other {}×{}; make them the same size",
                b.width(),
                b.height()
            )));
        }
        let parts = [(a, 1.0 - share), (b, share)];
        let grids = self.coder.encode_mixture(&parts, watch).await?;
        Ok(self.named(width, height, grids))
    }

    /// One grid of this model's tokens, such as a prior draws, as those of a picture that it fills.
    ///
    /// # Errors
    /// The errors of [`Codec::check`].
    pub fn tokens(&self, grid: Grid) -> Result<Tokens> {
        let factor = self.coder.config.factor() as u32;
        let [height, width] = [grid.rows, grid.columns].map(|side| side.saturating_mul(factor));
        let tokens = self.named(width, height, vec![grid]);
        self.check(&tokens).map(|()| tokens)
    }

    /// The same for a grid drawn on that of `original`: if there is one of that size, the picture keeps
    /// its size in pixels, which need not fill the grid.
    ///
    /// # Errors
    /// The errors of [`Codec::check`].
    pub fn tokens_like(&self, original: Option<&Tokens>, grid: Grid) -> Result<Tokens> {
        let sides = [grid.rows, grid.columns];
        let same = original.filter(|tokens| match &tokens.grids[..] {
            [grid] => [grid.rows, grid.columns] == sides,
            _ => false,
        });
        let Some(&Tokens { width, height, .. }) = same else {
            return self.tokens(grid);
        };
        let tokens = self.named(width, height, vec![grid]);
        self.check(&tokens).map(|()| tokens)
    }

    fn named(&self, width: u32, height: u32, grids: Vec<Grid>) -> Tokens {
        Tokens {
            width,
            height,
            codebook_size: self.coder.config.codes() as u32,
            codebook_hash: self.hashes.codebook,
            decoder_hash: self.hashes.decoder,
            grids,
        }
    }

    /// Decodes tokens to an image.
    ///
    /// # Errors
    /// The errors of [`Codec::check`], and device errors.
    pub async fn decode(&self, tokens: &Tokens) -> Result<Picture> {
        self.decode_with(tokens, &mut unwatched).await
    }

    /// [`Codec::decode`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::decode`], and [`Error::Cancelled`].
    pub async fn decode_with(
        &self,
        tokens: &Tokens,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.check(tokens)?;
        let sides = [tokens.height, tokens.width];
        self.coder.decode_grids(&tokens.grids, sides, watch).await
    }

    /// Decodes tokens with a decoder between this model's, at a `share` of 0, and `other`'s, at 1;
    /// see [`weights::blend_decoders`]. Its weights are freed with the last pixel.
    ///
    /// # Errors
    /// The errors of [`Codec::decode`] and [`weights::blend_decoders`].
    pub async fn decode_between(
        &self,
        other: &Self,
        share: f32,
        tokens: &Tokens,
    ) -> Result<Picture> {
        let watch = &mut unwatched;
        self.decode_between_with(other, share, tokens, watch).await
    }

    /// [`Codec::decode_between`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::decode_between`], and [`Error::Cancelled`].
    pub async fn decode_between_with(
        &self,
        other: &Self,
        share: f32,
        tokens: &Tokens,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.check(tokens)?;
        let coder = Coder {
            model: weights::blend_decoders(&self.loaded(), &other.loaded(), share)?,
            config: self.coder.config.clone(),
            device: self.coder.device.clone(),
            limits: self.coder.limits,
        };
        let sides = [tokens.height, tokens.width];
        coder.decode_grids(&tokens.grids, sides, watch).await
    }

    /// Checks that this model can decode `tokens`.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::TokensOtherCodebook`], and [`Error::TokensGeometry`] for
    /// grids that do not match the image size stated in the tokens.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::{Codec, Picture};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weights = |name: &str| std::fs::read(format!("www/models/{name}.safetensors"));
    /// let digits = Codec::from_weights(weights("digits")?, &Device::flex())?;
    /// let emoji = Codec::from_weights(weights("emoji")?, &Device::flex())?;
    /// let picture = Picture::from_rgb(16, 16, vec![128; 16 * 16 * 3])?;
    /// let tokens = block_on(digits.encode(&picture))?;
    /// assert_eq!(digits.check(&tokens), Ok(()));
    /// assert_eq!(emoji.check(&tokens).unwrap_err().code(), "tokens_other_codebook");
    /// # Ok(())
    /// # }
    /// ```
    pub fn check(&self, tokens: &Tokens) -> Result<()> {
        let factors = self.coder.config.grids();
        if factors.is_empty() {
            return Err(Error::NoCodebook);
        }
        if tokens.codebook_hash != self.hashes.codebook {
            return Err(Error::TokensOtherCodebook {
                expected: self.hashes.codebook.to_string(),
                found: tokens.codebook_hash.to_string(),
            });
        }
        if tokens.grids.len() != factors.len() {
            return Err(Error::TokensGeometry(format!(
                "there are {} grids, but this model has {}",
                tokens.grids.len(),
                factors.len()
            )));
        }
        let factor = self.coder.config.factor() as u64;
        for (grid, pixels) in tokens.grids.iter().zip(factors) {
            let length = |side: u32| u64::from(side).div_ceil(factor) * (factor / pixels as u64);
            let [rows, columns] = [grid.rows, grid.columns].map(u64::from);
            if (length(tokens.height), length(tokens.width)) != (rows, columns)
                || grid.indices.len() as u64 != rows * columns
            {
                return Err(Error::TokensGeometry(format!(
                    "a {}×{} picture does not match a {rows}×{columns} grid",
                    tokens.width, tokens.height
                )));
            }
            let codes = self.coder.config.codes();
            if grid.indices.iter().any(|&index| index as usize >= codes) {
                return Err(Error::TokensGeometry(
                    "an index is past the end of the codebook".into(),
                ));
            }
        }
        self.admit(tokens.width, tokens.height)
    }

    /// A warning if `tokens` were made with a different decoder, in which case the decoded image
    /// differs from the one their author saw.
    pub fn warning(&self, tokens: &Tokens) -> Option<&'static str> {
        (tokens.decoder_hash != self.hashes.decoder).then_some(
            "These tokens were made with different decoder weights, so the picture may differ from the original reconstruction.",
        )
    }

    /// A colour for each code of a grid; see [`quantize::palette`].
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::Argument`] for a grid that the model does not have, and
    /// device errors.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::Codec;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weights = std::fs::read("www/models/digits.safetensors")?;
    /// let codec = Codec::from_weights(weights, &Device::flex())?;
    /// let colours = block_on(codec.palette(0))?;
    /// assert_eq!(colours.len(), codec.config().codes() * 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn palette(&self, grid: usize) -> Result<Vec<u8>> {
        let values = read(self.coder.model.codebook(grid)?).await?;
        Ok(quantize::palette(&values, self.coder.config.embed_dim()))
    }
}
