// Prints the webdriver.json from which `wasm-pack test` takes its browser; set-up writes it.
import { args, executablePath } from './chromium.js';

const options = { binary: executablePath, args: ['--headless', ...args] };
console.log(JSON.stringify({ 'goog:chromeOptions': options }, null, 2));
