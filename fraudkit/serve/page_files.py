"""The pages for people: a few static files of this package, with headers that keep other hosts out."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response

from fraudkit.serve.problems import refuse

_FOLDER = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_router() -> APIRouter:
    """Routes of the start page, the reference page, the analysts' page and their files."""
    router = APIRouter(include_in_schema=False)
    files = {path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _TYPES}

    def send(name: str) -> Response:
        if name not in files:
            raise refuse(404, "path", "does not exist", "see / and /docs")
        media_type = _TYPES[Path(name).suffix] + "; charset=utf-8"
        return Response(files[name], media_type=media_type, headers=_HEADERS)

    @router.get("/")
    async def start_page() -> Response:
        return send("index.html")

    @router.get("/docs")
    async def reference_page() -> Response:
        return send("docs.html")

    @router.get("/review")
    async def review_page() -> Response:
        return send("review.html")

    @router.get("/static/{name}")
    async def file(name: str) -> Response:
        return send(name)

    return router
