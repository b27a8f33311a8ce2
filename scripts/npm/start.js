// @ts-check
// Replaces www/engine/start.js in the npm package: bundlers find a worker by exactly this
// expression. Its policy is that of its own response, so a page with a strict one sends it with every file.

/** @returns {Worker} */
export const startEngine = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'tesserae' });

/** @returns {Worker} */
export const startDecoder = () => new Worker(new URL('./decoder.js', import.meta.url), { type: 'module', name: 'tesserae-decoder' });
