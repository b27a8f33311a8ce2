// The headers that go out with every file, in one place: for this server, and for other hosts'
// configurations. The policy itself is the one in index.html, so that it applies where a host sends no
// headers; directives that only work in a header are added here.

/** @param {string} html of the page @returns {string} the policy in its meta tag */
export function policyOf(html) {
  const found = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/i.exec(html);
  if (!found) throw new Error('index.html has no content security policy');
  return found[1].replace(/\s+/g, ' ');
}

/** @param {string} html of the page @returns {[string, string][]} */
export const headersOf = (html) => [
  ['Content-Security-Policy', `${policyOf(html)}; frame-ancestors 'none'`],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  // Revalidated at every visit, and sent again only if changed. Nothing depends on it: a release's
  // files have their own addresses.
  ['Cache-Control', 'no-cache'],
];

/** For Netlify and Cloudflare Pages: `_headers`. @param {[string, string][]} headers */
export const netlify = (headers) => ['/*', ...headers.map(([name, value]) => `  ${name}: ${value}`), ''].join('\n');

/** For Apache with mod_headers: `.htaccess`. @param {[string, string][]} headers */
export const apache = (headers) =>
  [
    'AddType text/javascript .js',
    'AddType application/wasm .wasm',
    'AddType application/manifest+json .webmanifest',
    // Without the module, a page that works is better than one that is refused.
    '<IfModule mod_headers.c>',
    ...headers.map(([name, value]) => `Header always set ${name} "${value}"`),
    '</IfModule>',
    '',
  ].join('\n');

/** For nginx, inside a `server` block: `nginx.conf`. @param {[string, string][]} headers */
export const nginx = (headers) =>
  [
    '# include this in the server block that serves the page; a location with an add_header of its own',
    '# must include it again, since nginx then drops these.',
    ...headers.map(([name, value]) => `add_header ${name} "${value}" always;`),
    '',
  ].join('\n');
