// @ts-check
// What the visitor reads when the page's modules do not come up. One module that fails to load or to
// evaluate keeps all of them from running, so this script stands outside their graph, in a syntax
// that old browsers read.
(function () {
  'use strict';

  // The modules take seconds on a slow connection.
  var SLOW_MS = 20000;
  var SLOW = 'This page is slow to load: the connection is slow, or the server does not respond. Wait a moment, or reload the page.';
  var MISSING = 'A part of this page could not be loaded. Check the connection, then reload the page.';
  var STOPPED = 'This page could not start in this browser. Reload it, or open it in a current Chrome, Edge, Firefox or Safari.';
  var page = document.documentElement;

  /** @param {string} sentence of what went wrong; none takes the box away */
  function show(sentence) {
    var box = document.getElementById('boot');
    if (box) {
      /** @type {HTMLElement} */ (box.firstElementChild).textContent = sentence;
      /** @type {HTMLElement} */ (box.lastElementChild).onclick = function () {
        location.reload();
      };
      box.hidden = !sentence;
    } else if (sentence) {
      // The head is parsed before the box is there.
      document.addEventListener('DOMContentLoaded', function () {
        show(sentence);
      });
    }
  }

  /** @param {string} sentence */
  function fail(sentence) {
    clearTimeout(slow);
    page.dataset.state = 'error';
    life.takeRecords();
    show(sentence);
  }

  /** @param {Event} event */
  function ofModule(event) {
    return event.target instanceof HTMLScriptElement && event.target.type === 'module';
  }

  /** @param {Event} event of a script that could not be had, or of one that threw */
  function onError(event) {
    if (ofModule(event)) fail(MISSING);
    // A layout that does not settle is reported too, without an error, and harms nothing.
    else if ('error' in event && event.error) fail(STOPPED);
  }

  /** @param {PromiseRejectionEvent} event */
  function onRejection(event) {
    // What a room imports is not among the page's own scripts; browsers agree on one word about it.
    fail(event.reason instanceof TypeError && /import/i.test(event.reason.message) ? MISSING : STOPPED);
  }

  var slow = setTimeout(function () {
    show(SLOW);
  }, SLOW_MS);

  // Once the page tells its own state, whatever fails is its own to report.
  var life = new MutationObserver(function () {
    if (page.dataset.state === 'loading') return;
    life.disconnect();
    clearTimeout(slow);
    removeEventListener('error', onError, true);
    removeEventListener('unhandledrejection', onRejection);
    show('');
  });
  life.observe(page, { attributes: true, attributeFilter: ['data-state'] });

  addEventListener('error', onError, true);
  addEventListener('unhandledrejection', onRejection);
  document.addEventListener(
    'load',
    function (event) {
      if (!ofModule(event)) return;
      clearTimeout(slow);
      if (page.dataset.state === 'loading') show('');
    },
    true,
  );
  if (!('noModule' in HTMLScriptElement.prototype)) fail(STOPPED);
})();
