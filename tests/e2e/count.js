// Prints how many of the page's tests passed, failed and were skipped, from Playwright's JSON report.
import { readFileSync } from 'node:fs';

const { stats, errors } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// An error outside every test (a broken spec file, no server) counts as one.
console.log(stats.expected + stats.flaky, stats.unexpected + errors.length, stats.skipped);
