const { io } = require("socket.io-client");

const url = process.argv[2] ?? "http://127.0.0.1:3000";
const connect = (name, namespace = "/") => io(url + namespace, { auth: { name }, forceNew: true });
const next = (socket, event) => new Promise((done) => socket.once(event, (...args) => done(args)));

async function main() {
  const nobody = connect("");
  const [error] = await next(nobody, "connect_error");
  console.log("nobody:", error.message, error.data);

  const ada = connect("Ada");
  const ben = connect("Ben");
  console.log("Ada is with", await ada.emitWithAck("enter", "lunch"));
  const note = next(ada, "note");
  console.log("Ben is with", await ben.emitWithAck("enter", "lunch"));
  console.log("Ada reads", await note);

  const heard = Promise.all([next(ada, "said"), next(ben, "said")]);
  ben.emit("say", "lunch", "hello 🍲");
  console.log("both read", await heard);

  ada.on("question", (text, answer) => answer("soup"));
  console.log("only Ada answers", await ben.emitWithAck("poll", "lunch", "soup or salad?"));
  ben.on("question", (text, answer) => answer("soup"));
  console.log("both answer", await ben.emitWithAck("poll", "lunch", "soup or salad?"));

  const left = next(ada, "note");
  ben.disconnect();
  console.log("Ada reads", await left);

  const admin = connect("", "/admin");
  console.log("online:", await admin.emitWithAck("online"));
  const closed = next(ada, "note");
  admin.emit("close room", "lunch");
  console.log("Ada reads", await closed);
  ada.on("said", () => console.log("never"));
  await ada.emitWithAck("poll", "lunch", "anybody?");
  ada.emit("say", "lunch", "anybody?");
  console.log("Ada is with", await ada.emitWithAck("enter", "dinner"));

  for (const socket of [nobody, ada, admin]) socket.disconnect();
}

main();
