// The Chromium that every test uses, and its flags: for Playwright here, and for wasm-pack through
// webdriver.js. WebGPU runs on SwiftShader, which needs no GPU.
export const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

export const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];
