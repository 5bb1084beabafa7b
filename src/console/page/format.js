// Numbers, ages and names as people read them.

const grouped = new Intl.NumberFormat("en");
const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const known = (value) => typeof value === "number" && Number.isFinite(value);

export const NONE = "–";

export const count = (value) => (known(value) ? grouped.format(Math.round(value)) : NONE);

export const fixed = (value, digits) => (known(value) ? value.toFixed(digits) : NONE);

// Large counts in three figures.
export function short(value) {
  if (!known(value)) return NONE;
  if (value < 10_000) return count(value);
  for (const [unit, size] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ]) {
    if (value >= size) return (value / size).toPrecision(3).replace(/\.0+$/, "") + unit;
  }
  return count(value);
}

export function rate(value) {
  if (!known(value)) return NONE;
  return value < 100 ? value.toFixed(1) : count(value);
}

export const percent = (value) =>
  known(value) ? `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %` : NONE;

export function age(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

// How long an answer took.
export const took = (seconds) =>
  known(seconds) && seconds < 0.1 ? `${Math.ceil(seconds * 1_000)} ms` : age(seconds);

// A time of today by the clock; an earlier one with its day.
export function clock(seconds) {
  if (!known(seconds)) return NONE;
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clockFormat.format(date) : `${dayFormat.format(date)} ${clockFormat.format(date)}`;
}

export const iso = (seconds) => (known(seconds) ? new Date(seconds * 1000).toISOString() : "");

export const shortKey = (key) => (key.length > 12 ? `${key.slice(0, 5)}…${key.slice(-4)}` : key);

export const words = (name) => String(name).replaceAll("_", " ");
