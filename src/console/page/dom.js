// Builds elements. Whatever text comes in becomes a text node: nothing on this page is ever parsed
// as markup.

const SVG = "http://www.w3.org/2000/svg";

// Properties are attributes, but for `on`, which has listeners; null and false leave one out.
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

export const byId = (id) => document.getElementById(id);

// Sets a text only where it differs, so that a page at rest is not laid out again.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

// Brings the children of `parent` to be those of `items`, in order, and keeps the elements of items
// that stay: focus, open details and selections live on. `make(item)` gives a new element,
// `update(element, item)` brings it up to date.
export function keyed(parent, items, key, make, update) {
  const kept = (parent.kept ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [name, element] of kept) {
    if (!wanted.has(name)) {
      element.remove();
      kept.delete(name);
    }
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = kept.get(name);
    if (!element) kept.set(name, (element = make(item)));
    update?.(element, item);
    if (element === next) {
      next = next.nextElementSibling;
    } else {
      parent.insertBefore(element, next);
    }
  }
}
