// Faults that neither the types nor the formatter find. Run from the repository's root.
import js from '@eslint/js';
import globals from 'globals';

const PAGE = 'www/**/*.js';
const WORKERS = ['www/engine/{worker,decoder,tuned}.js', 'www/sw.js'];

export default [
  { ignores: ['**/node_modules/', 'pkg/', 'dist/', 'target/', 'data/', 'runs/', 'www/vendor/'] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'array-callback-return': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-throw-literal': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unreachable-loop': 'error',
      'prefer-const': 'error',
      // Playwright wants the pattern, numbers and their units narrow spaces.
      'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
      'no-irregular-whitespace': ['error', { skipTemplates: true }],
      // It reports values assigned by `??=` and `||=` as unread.
      'no-unused-private-class-members': 'off',
    },
  },
  { files: [PAGE], languageOptions: { globals: globals.browser } },
  { files: WORKERS, languageOptions: { globals: { ...globals.worker, ...globals.serviceworker } } },
  { files: ['www/boot.js', 'www/sw.js'], languageOptions: { sourceType: 'script' } },
  // Code that a test runs in the page has the page's globals.
  {
    files: ['scripts/**/*.js', 'tests/{e2e,bundlers}/**/*.js', 'train/*.mjs'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];
