// The client's half of the parser in test_parsers.py: a packet is a line of JSON for each of its fields, a message each.

const { EventEmitter } = require("node:events");

class Encoder {
  encode({ type, nsp, data, id }) {
    return [type, nsp, data ?? null, id ?? null].map((field) => JSON.stringify(field));
  }
}

class Decoder extends EventEmitter {
  fields = [];

  add(line) {
    this.fields.push(JSON.parse(line) ?? undefined);
    if (this.fields.length < 4) return;
    const [type, nsp, data, id] = this.fields.splice(0);
    this.emit("decoded", { type, nsp, data, id });
  }

  destroy() {
    this.removeAllListeners();
  }
}

module.exports = { Encoder, Decoder };
