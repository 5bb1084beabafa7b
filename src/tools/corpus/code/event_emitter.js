// A minimal event emitter with on, once, off and emit.
'use strict';

class Emitter {
  #listeners = new Map();

  on(event, listener) {
    if (!this.#listeners.has(event)) {
      this.#listeners.set(event, new Set());
    }
    this.#listeners.get(event).add(listener);
    return () => this.off(event, listener);
  }

  once(event, listener) {
    const stop = this.on(event, (...args) => {
      stop();
      listener(...args);
    });
    return stop;
  }

  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  emit(event, ...args) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      listener(...args);
    }
  }
}

const emitter = new Emitter();
const stop = emitter.on('greet', (name) => console.log(`hello, ${name}`));
emitter.once('greet', () => console.log('this is printed only once'));
emitter.emit('greet', 'Ada');
emitter.emit('greet', 'Grace');
stop();
emitter.emit('greet', 'nobody hears this');
