// @ts-check
// What the visitor reads if the page's modules do not start. One module that fails to load or to
// evaluate stops all of them, so this script is outside their graph, in syntax that old browsers
// understand.
(function () {
  'use strict';

  // The modules take seconds on a slow connection.
  var SLOW_MS = 20000;
  var SLOW = 'This page is slow to load: the connection is slow, or the server does not respond. Wait a moment, or reload the page.';
  var MISSING = 'A part of this page could not be loaded. Check the connection, then reload the page.';
  var STOPPED = 'This page could not start in this browser. Reload it, or open it in a current Chrome, Edge, Firefox or Safari.';
  var page = document.documentElement;
  // Where this script is missing too, the page has a sentence for that, which the style hides by this.
  page.dataset.boot = '';

  /** @param {string} sentence what went wrong; an empty one hides the box */
  function show(sentence) {
    var box = document.getElementById('boot');
    if (box) {
      /** @type {HTMLElement} */ (box.firstElementChild).textContent = sentence;
      /** @type {HTMLElement} */ (box.lastElementChild).onclick = function () {
        location.reload();
      };
      box.hidden = !sentence;
    } else if (sentence) {
      // The head is parsed before the box exists.
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

  /** @param {Event} event from a script that did not load, or from one that threw */
  function onError(event) {
    if (ofModule(event)) fail(MISSING);
    // A resize observer's loop is reported too, without an error, and is harmless.
    else if ('error' in event && event.error) fail(STOPPED);
  }

  /** @param {PromiseRejectionEvent} event */
  function onRejection(event) {
    // A room's imports are not among the page's scripts; browsers' messages about them share one word.
    fail(event.reason instanceof TypeError && /import/i.test(event.reason.message) ? MISSING : STOPPED);
  }

  var slow = setTimeout(function () {
    show(SLOW);
  }, SLOW_MS);

  // Once the page has set its state, it reports failures itself.
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
