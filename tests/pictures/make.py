"""Makes the pictures that Rust's `image` crate cannot write: `python make.py` (Pillow 13)."""

from PIL import Image

# Four flat 8×8 blocks in inks, the format of printers: C, M, Y, K of 0 to 255.
inks = [(255, 0, 0, 0), (0, 128, 255, 0), (0, 0, 0, 128), (40, 80, 120, 60)]
picture = Image.new("CMYK", (32, 8))
for index, ink in enumerate(inks):
    picture.paste(ink, (index * 8, 0, index * 8 + 8, 8))
picture.save("cmyk.jpg", quality=95)

# The same as a progressive JPEG in RGB, with every chroma halved.
picture.convert("RGB").save("progressive.jpg", quality=95, progressive=True, subsampling=2)

# Half transparent red, then green.
frames = [Image.new("RGBA", (6, 4), colour) for colour in [(255, 0, 0, 128), (0, 255, 0, 255)]]
frames[0].save("animated.webp", save_all=True, append_images=frames[1:], lossless=True)
frames[0].save("animated.png", save_all=True, append_images=frames[1:])

# Two of 256 colours, the second transparent.
palette = Image.new("P", (2, 1))
palette.putpalette([10, 20, 30, 40, 50, 60])
palette.putpixel((1, 0), 1)
palette.save("palette.png", transparency=1)
