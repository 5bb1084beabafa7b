// Run asynchronous tasks with a limit on how many are active at once.
'use strict';

async function runPool(tasks, limit) {
  const results = new Array(tasks.length);
  let next = 0;

  async function worker() {
    while (next < tasks.length) {
      const index = next;
      next += 1;
      results[index] = await tasks[index]();
    }
  }

  const count = Math.min(limit, tasks.length);
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const tasks = [30, 10, 20, 5].map((ms) => async () => {
  await sleep(ms);
  return `${ms} ms`;
});

runPool(tasks, 2).then((results) => console.log(results));
