"""Django and Socket.IO under any ASGI server, in one file; a project has the last lines in its asgi.py.

daphne app:application, or uvicorn --http fastsio.uvicorn:HttpProtocol app:application, then open http://127.0.0.1:8000.
"""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from fastsio import ASGIApp, Server, Socket

io = Server()


@io.event
def hello(socket: Socket, name: str) -> str:
    return f"hello {name}"


# ---- Django's part ----

PAGE = """<!doctype html><title>django</title><ul></ul>
<form method="post" action="/news"><input name="text"><button>publish</button></form>
<script src="/socket.io/socket.io.min.js"></script>
<script>
  io().on("news", (text) => document.querySelector("ul").appendChild(document.createElement("li")).append(text));
</script>
"""


async def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


@require_POST
async def news(request: HttpRequest) -> JsonResponse:
    """Tells everybody. Views that emit are `async def`: others run in threads."""
    io.emit("news", request.POST["text"])
    return JsonResponse({"told": io.engine.clients_count})


urlpatterns = [path("", index), path("news", news)]

settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY", "for the example only"),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
)

application = ASGIApp(io, get_asgi_application())
