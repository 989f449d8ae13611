// What every JavaScript peer answers: echo, b and stall. See bench/README.md, "The servers".

function longestGap() {
  const state = { last: 0, gap: 0, timer: null };
  const tick = () => {
    const now = performance.now();
    state.gap = Math.max(state.gap, now - state.last - 1);
    state.last = now;
  };
  return function take() {
    if (state.timer === null) {
      state.last = performance.now();
      state.timer = setInterval(tick, 1);
    }
    const { gap } = state;
    state.gap = 0;
    return gap;
  };
}

module.exports = function answer(io) {
  const stall = longestGap();
  io.on("connection", (socket) => {
    socket.on("echo", (...args) => {
      const ack = args.pop();
      ack(...args);
    });
    socket.on("b", (seq, payload) => io.emit("b", seq, payload));
    socket.on("stall", (ack) => ack(stall()));
  });
};
