"""TraX server for plug-in trackers, so that the VOT toolkits can run them.

TraX (Cehovin, "TraX: The visual Tracking eXchange protocol and library", Neurocomputing 2017)
uses standard input and output, or a socket; images are paths, raw pixels or encoded files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import BenchError, TrackerError, install_extra
from bench.images import read_image
from bench.interop.session import Session
from bench.interop.trax_streams import IDLE, Feed, Streams, protocol_streams
from bench.registry import TrackerSpec
from bench.tracker import Region

REGIONS = ["rectangle", "polygon", "mask"]  # supported TraX region types
_IMAGES = ["path", "memory", "buffer"]
_NOT_VISIBLE = 0  # code of a special region


class TraxServer:
    """Serves one tracker to one client.

    Args:
        spec: the tracker and its options.
        seed: seed of the random generators, set before each initialisation.

    Raises:
        TrackerError: vot-trax is not installed, or the tracker could not be built.
        ConfigError: the tracker is unknown.
    """

    def __init__(self, spec: TrackerSpec, seed: int = 0) -> None:
        _require_trax()
        self._name = spec.name
        self._session = Session(spec, seed)

    def serve(self, streams: Streams | None = None, idle: float = IDLE) -> None:
        """Answer requests until the client quits; errors are reported to it as well.

        Args:
            streams: of the client, from ``protocol_streams``; by default claimed here.
            idle: seconds of silence after which the client counts as gone.

        Raises:
            TrackerError: the tracker failed, or the client is gone.
            DatasetError: an image cannot be decoded.
        """
        from trax import TraxException

        if streams is None:
            with protocol_streams() as claimed:
                return self.serve(claimed, idle)
        feed = Feed(streams, idle)
        feed.start()
        try:
            server = _opened(Streams(feed.outlet, streams.sink), self._name)
            try:
                while self._answer(server):
                    pass
            except BenchError as error:
                server.quit(reason=_sendable(str(error)))
                raise
            server.quit()
        except TraxException as error:
            raise _gone(f"{feed.fault} ({error})" if feed.fault else str(error)) from error
        if feed.fault is not None:
            raise _gone(feed.fault)
        return None

    def _answer(self, server: Any) -> bool:
        """Serve one request; False if it ends the session."""
        request = server.wait()
        if request.type not in ("initialize", "frame"):
            return False
        if "color" not in request.image:
            raise TrackerError("expected a colour image from the TraX client, found none")
        image = decode_image(request.image["color"])
        if request.type == "initialize":
            if not request.objects:
                raise TrackerError("expected a region from the TraX client, found none")
            region = request.objects[0][0]
            self._session.start(image, decode_region(region, image))
            server.status([(region, {})])
        else:
            answer, score = self._session.follow(image)
            properties = {} if score is None else {"confidence": score}
            server.status([(encode_region(answer), properties)])
        return True


def _opened(streams: Streams, name: str) -> Any:
    """The library's server on given streams, which its own constructor cannot take."""
    from ctypes import byref

    from trax import HandleWrapper, TraxException
    from trax._ctypes import (
        trax_is_alive,
        trax_logger,
        trax_logger_setup,
        trax_metadata_create,
        trax_metadata_release,
        trax_server_setup_file_v,
    )
    from trax.image import Image as TraxImage
    from trax.image import ImageChannel
    from trax.region import Region as TraxRegion
    from trax.server import Server

    offered = (TraxRegion.encode_list(REGIONS), TraxImage.encode_list(_IMAGES))
    channels = ImageChannel.encode_list(["color"])
    metadata = trax_metadata_create(*offered, channels, name.encode(), b"", b"", 0)
    server = Server.__new__(Server)
    server._logger = trax_logger()
    logger = trax_logger_setup(server._logger, None, 0)
    handle = trax_server_setup_file_v(metadata, streams.source, streams.sink, logger, 0)
    trax_metadata_release(byref(metadata))
    if not handle or trax_is_alive(handle) == 0:
        raise TraxException("the connection could not be opened")
    server._handle = HandleWrapper(handle)
    return server


def _sendable(text: str) -> str:
    """Text that the library can send: one line, and no character that UTF-8 lacks."""
    return " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())


def _gone(why: str) -> TrackerError:
    return TrackerError(
        f"the TraX client disconnected: {why}. `bench serve` must be started by a toolkit that "
        "communicates over standard input and output."
    )


def decode_image(image: Any) -> Image:
    """A TraX image as RGB ``uint8 (H, W, 3)``.

    Raises:
        DatasetError: the image file is missing or cannot be decoded.
        TrackerError: it is not an 8-bit image.
    """
    import cv2

    if image.type() == "path":
        return read_image(Path(image.path()))
    if image.type() == "memory":
        pixels = image.array()
        if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3):
            return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    else:
        encoded = np.frombuffer(image.buffer(), dtype=np.uint8)
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        if decoded is not None:
            return np.ascontiguousarray(decoded[:, :, ::-1])
    raise TrackerError("expected an 8-bit colour or grey image from the TraX client")


def decode_region(region: Any, image: Image) -> Region:
    """A TraX region as box ``(4,)``, polygon ``(K, 2)`` or mask ``(H, W)`` of the image.

    Raises:
        TrackerError: the region has another type.
    """
    if region.type == "rectangle":
        return np.array(region.bounds())
    if region.type == "polygon":
        return np.array(list(region))
    if region.type == "mask":
        return _placed(region.array() > 0, region.offset(), image.shape[:2])
    raise TrackerError(
        f"expected an initial region of type {', '.join(REGIONS)}, found {region.type!r}"
    )


def _placed(part: BoolArray, corner: tuple[int, int], shape: tuple[int, ...]) -> BoolArray:
    """A mask of ``shape`` with ``part`` at ``corner`` (x, y), which may be outside."""
    mask = np.zeros(shape, dtype=bool)
    rows, columns = np.nonzero(part)
    x, y = columns + corner[0], rows + corner[1]
    inside = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    mask[y[inside], x[inside]] = True
    return mask


def encode_region(region: FloatArray | None) -> Any:
    """A box ``(4,)`` or polygon ``(K, 2)`` as a TraX region; None (not visible) as special."""
    from trax import Polygon, Rectangle, Special

    if region is None:
        return Special.create(_NOT_VISIBLE)
    if region.ndim == 1:
        return Rectangle.create(*region.tolist())
    return Polygon.create([tuple(corner) for corner in region.tolist()])


def _require_trax() -> None:
    try:
        import trax.server  # noqa: F401
    except (ImportError, OSError) as error:
        raise TrackerError(
            f"serving a tracker over TraX requires the package vot-trax ({error}). Install it "
            f"with `{install_extra('trax')}`."
        ) from error
