const { createServer } = require("http");
const { Server } = require("socket.io");

const httpServer = createServer();
const io = new Server(httpServer, {
  cors: { origin: ["https://example.com"], credentials: true },
  pingTimeout: 10000,
});

io.use((socket, next) => {
  const { name } = socket.handshake.auth;
  if (name) {
    socket.data.name = name;
    next();
  } else {
    const error = new Error("say who you are");
    error.data = { field: "name" };
    next(error);
  }
});

io.on("connection", (socket) => {
  const { name } = socket.data;

  socket.on("enter", async (room, callback) => {
    socket.join(room);
    socket.to(room).emit("note", `${name} came in`);
    const people = await io.in(room).fetchSockets();
    callback(people.map((person) => person.data.name).sort());
  });

  socket.on("say", (room, text) => {
    io.to(room).emit("said", name, text);
  });

  socket.on("poll", async (room, question, callback) => {
    try {
      callback(await io.to(room).timeout(300).emitWithAck("question", question));
    } catch (error) {
      callback(error.responses);
    }
  });

  socket.on("disconnecting", () => {
    for (const room of socket.rooms) {
      if (room !== socket.id) socket.to(room).emit("note", `${name} left`);
    }
  });
});

const admin = io.of("/admin");

admin.on("connection", (socket) => {
  socket.on("online", (callback) => callback(io.of("/").sockets.size));

  socket.on("close room", (room) => {
    io.in(room).emit("note", "closed");
    io.in(room).socketsLeave(room);
  });
});

httpServer.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
