// @ts-check
// What a file is for, judging by its name; the engine checks what it contains. Also saves files for the
// visitor.

// Includes PyTorch's files and unsupported formats: the engine says what to do with them.
const WEIGHTS = /\.(safetensors?|sft|ckpt|pth?|bin|gguf|h5|keras|npz?)$/i;
const SHARD = /-\d+-of-\d+\.(safetensors|bin)$|\.index\.json$/i;

/** @typedef {'shards' | 'weights' | 'config' | 'tokens' | 'picture'} Purpose */

/** @param {string} name @returns {Purpose} */
export function purpose(name) {
  if (SHARD.test(name)) return 'shards';
  if (WEIGHTS.test(name)) return 'weights';
  if (/\.(json|ya?ml)$/i.test(name)) return 'config';
  return /\.tokens$/i.test(name) ? 'tokens' : 'picture';
}

/**
 * Which of several files dropped together to open, and its config.json.
 * @param {File[]} files @returns {{file?: File, config: File | null}}
 */
export function choose(files) {
  const first = (/** @type {Purpose} */ wanted) => files.find((f) => purpose(f.name) === wanted);
  const config = first('config') ?? null;
  // A config is the file itself only if there is nothing else.
  const file = first('shards') ?? first('weights') ?? files.find((f) => f !== config) ?? config;
  return { file: file ?? undefined, config };
}

/** @param {BlobPart} bytes @param {string} name @param {string} type */
export function save(bytes, name, type) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
