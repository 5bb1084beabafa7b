// The stream of events from the program, and whether it flows. The browser reconnects by itself
// after most failures; where it gives up, and where a connection is open but silent, this does.

// The program says something each second: so long a silence is a lost connection.
const SILENCE = 6_000;
const RETRY = 1_500;

export class Connection {
  // `on.state`, `on.history`, `on.journal(event, id)`, `on.missed` get data, `on.changed` this.
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.status = "connecting";
    this.since = Date.now() / 1000;
    this.reason = null;
    this.heard = performance.now();
    this.open();
    setInterval(() => this.watch(), 1_000);
  }

  open() {
    this.source?.close();
    this.heard = performance.now();
    const source = (this.source = new EventSource(this.address));
    const listen = (name, take) =>
      source.addEventListener(name, (event) => {
        if (this.source !== source) return;
        this.heard = performance.now();
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          return;
        }
        take(data, event.lastEventId);
      });
    listen("state", (data) => {
      this.on.state(data);
      this.become("live", null);
    });
    listen("history", (data) => this.on.history(data));
    listen("journal", (data, id) => this.on.journal(data, id === "" ? null : Number(id)));
    listen("missed", (data) => this.on.missed(data.missed));
    listen("bye", (data) => this.become("ended", typeof data.reason === "string" ? data.reason : null));
    source.addEventListener("error", () => {
      if (this.source !== source) return;
      this.lose();
      if (source.readyState === EventSource.CLOSED) this.later();
    });
  }

  watch() {
    if (performance.now() - this.heard < SILENCE) return;
    this.lose();
    this.open();
  }

  later() {
    if (this.retrying) return;
    this.retrying = setTimeout(() => {
      this.retrying = null;
      this.open();
    }, RETRY);
  }

  // After an orderly end it stays known that it was one.
  lose() {
    if (this.status === "live") this.become("lost", null);
  }

  become(status, reason) {
    if (status === this.status) return;
    this.previous = this.status;
    this.status = status;
    this.reason = reason;
    this.since = Date.now() / 1000;
    this.on.changed(this);
  }
}
