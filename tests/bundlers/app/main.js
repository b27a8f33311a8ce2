import { EngineClient } from 'tesserae/client';

const file = async (url) => (await fetch(url)).blob();
const engine = new EngineClient();
await engine.open('cpu');
await engine.load({ from: 'file', name: 'photos-f8', blob: await file('photos-f8.safetensors'), config: null });
const photo = { blob: await file('chelsea.png'), maxSide: 128, square: true };
const { png, quality } = await engine.picture(photo, null);
document.body.append(Object.assign(new Image(), { src: URL.createObjectURL(new Blob([png])) }));
document.title = `${quality.psnr.toFixed(2)} dB, SSIM ${quality.ssim.toFixed(4)}`;
