// Group the items of an array by a key and total a field in each group.
'use strict';

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) {
      group.push(item);
    } else {
      groups.set(key, [item]);
    }
  }
  return groups;
}

const orders = [
  { customer: 'Lina', total: 20 },
  { customer: 'Omar', total: 35 },
  { customer: 'Lina', total: 15 },
];

for (const [customer, list] of groupBy(orders, (order) => order.customer)) {
  const sum = list.reduce((acc, order) => acc + order.total, 0);
  console.log(`${customer}: ${list.length} orders, ${sum} in total`);
}
