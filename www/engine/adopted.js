// @ts-check
// Weight files that the visitor brought to draw pictures with: which of them is the prior, and whether the other
// one decodes its tokens.
import { Code, PageCode, TesseraeError, failure } from './protocol.js';

/** @typedef {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} Opened */
/** @typedef {{bytes: Blob | Uint8Array, json: string | undefined}} Read a weight file, and its config */

/**
 * Checks a file with the config that came with it, which may be for the other file.
 * @template T
 * @param {Read} file @param {boolean} alone whether there is no other @param {(bytes: Read['bytes'], json?: string) => T} check
 */
export function checked({ bytes, json }, alone, check) {
  try {
    return check(bytes, json);
  } catch (error) {
    if (alone || json === undefined || failure(error).code !== Code.CONFIG_INVALID) throw error;
    return check(bytes);
  }
}

/**
 * A file as a prior, or null if it is none.
 * @param {Opened} opened @param {Read} file @param {boolean} alone
 * @returns {import('./wasm.js').PriorWeights | null}
 */
export function asPrior({ wasm, engine }, file, alone) {
  try {
    return checked(file, alone, (bytes, json) => wasm.PriorWeights.check(engine, bytes, json));
  } catch (error) {
    if (alone || failure(error).code !== Code.WEIGHTS_MISMATCH) throw error;
    return null;
  }
}

/** Which file is the prior. @param {boolean[]} priors whether each is one */
export function only(priors) {
  const count = priors.filter(Boolean).length;
  if (count === 1) return priors.indexOf(true);
  const words = count ? 'Both of these files are priors, so neither decodes what the other draws.' : 'Neither of these files is a prior.';
  throw new TesseraeError(PageCode.PRIOR_FILES, words);
}

/** Fails if the model does not decode the prior's tokens. @param {import('./wasm.js').Prior} prior @param {import('./wasm.js').Model} model */
export function mustFit(prior, model) {
  try {
    prior.fits(model);
  } catch (error) {
    throw new TesseraeError(PageCode.PRIOR_FILES, failure(error).message);
  }
}

/** Whether weights that are no model are a prior. @param {Opened} opened @param {Read} file @param {unknown} error that they gave as a model */
export function isPrior(opened, file, error) {
  if (failure(error).code !== Code.WEIGHTS_MISMATCH) return false;
  try {
    asPrior(opened, file, true)?.free();
    return true;
  } catch {
    return false;
  }
}
