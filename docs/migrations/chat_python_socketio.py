import asyncio
import os

import socketio
import uvicorn

sio = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins=["https://example.com"],
    ping_timeout=10,
)
app = socketio.ASGIApp(sio)


@sio.event
async def connect(sid, environ, auth):
    name = (auth or {}).get("name")
    if not name:
        raise socketio.exceptions.ConnectionRefusedError("say who you are", {"field": "name"})
    await sio.save_session(sid, {"name": name})


@sio.event
async def enter(sid, room):
    session = await sio.get_session(sid)
    await sio.enter_room(sid, room)
    await sio.emit("note", f"{session['name']} came in", room=room, skip_sid=sid)
    names = []
    for other, _ in sio.manager.get_participants("/", room):
        names.append((await sio.get_session(other))["name"])
    return sorted(names)


@sio.event
async def say(sid, room, text):
    session = await sio.get_session(sid)
    await sio.emit("said", (session["name"], text), room=room)


@sio.event
async def poll(sid, room, question):
    asked = [other for other, _ in sio.manager.get_participants("/", room)]
    calls = (sio.call("question", question, to=other, timeout=0.3) for other in asked)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return [answer for answer in answers if not isinstance(answer, Exception)]


@sio.event
async def disconnect(sid, reason):
    session = await sio.get_session(sid)
    for room in sio.rooms(sid):
        if room != sid:
            await sio.emit("note", f"{session['name']} left", room=room, skip_sid=sid)


class Admin(socketio.AsyncNamespace):
    async def on_online(self, sid):
        return sum(1 for _ in sio.manager.get_participants("/", None))


sio.register_namespace(Admin("/admin"))


@sio.on("close room", namespace="/admin")
async def close_room(sid, room):
    await sio.emit("note", "closed", room=room)
    await sio.close_room(room)


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "3000")))
