// Prints the webdriver.json that tells `wasm-pack test` which browser to use; set-up writes it.
import { args, executablePath } from './chromium.js';

const options = { binary: executablePath, args: ['--headless', ...args] };
console.log(JSON.stringify({ 'goog:chromeOptions': options }, null, 2));
