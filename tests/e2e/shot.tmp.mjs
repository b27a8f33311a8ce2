import { chromium } from 'playwright-core';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-quic','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync','--enable-unsafe-webgpu','--use-webgpu-adapter=swiftshader'] });
const shots = process.argv.slice(2);
for (const [w,h,scheme,name,sample] of [[1280,900,'light','d-light','astronaut'],[360,740,'dark','p-dark','chelsea'],[1280,900,'dark','d-dark','coffee'],[360,740,'light','p-light','astronaut']]) {
  const p = await b.newPage({ viewport: { width:w, height:h }, colorScheme: scheme });
  p.on('console', m => { if (m.type()==='error') console.log(name, m.text()); });
  await p.goto('http://127.0.0.1:8090/');
  await p.waitForFunction(() => document.documentElement.dataset.state === 'ready', null, { timeout: 60000 });
  await p.screenshot({ path: `/tmp/shots/${name}-ready.png` });
  await p.click(`#samples button[data-sample="${sample}"]`);
  await p.waitForFunction(() => document.documentElement.dataset.state === 'done', null, { timeout: 60000 });
  await p.waitForTimeout(500);
  await p.screenshot({ path: `/tmp/shots/${name}-done.png`, fullPage: w<500 });
  console.log(name, await p.evaluate(() => ['psnr','ssim','count','bpp','usage','time'].map(i => i+': '+document.getElementById(i)?.textContent).join(' | ')));
  await p.close();
}
await b.close();
