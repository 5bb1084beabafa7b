// Debounce: run a function only after calls to it have paused for a while.
'use strict';

function debounce(fn, delayMs) {
  let timer = null;

  function debounced(...args) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      fn.apply(this, args);
    }, delayMs);
  }

  debounced.cancel = () => {
    clearTimeout(timer);
    timer = null;
  };

  return debounced;
}

// Three quick calls lead to a single log line with the last value.
const search = debounce((text) => console.log(`searching for "${text}"`), 100);
search('r');
search('ru');
search('rust');
