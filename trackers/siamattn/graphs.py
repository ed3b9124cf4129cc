"""CUDA graphs of the network's calls: one launch for each instead of several hundred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from trackers.siamattn.network import Network, Proposals, Template
from trackers.siamattn.records import filled, named_tensors


class CapturedNetwork:
    """A network on a GPU whose search and box head are replayed as CUDA graphs.

    A graph is captured for each number of targets. Results lie in memory that the next call of
    the same number overwrites.
    """

    def __init__(self, network: Network) -> None:
        """``network`` is in evaluation mode, on a GPU."""
        self.config, self.device = network.config, network.device
        self._network = network
        self._graphs: dict[tuple[Any, ...], _Graph] = {}

    def template(self, z: Tensor) -> Template:
        """As ``Network.template``, not captured: it runs once for each target."""
        return self._network.template(z)

    def search(self, x: Tensor, template: Template) -> Proposals:
        """As ``Network.search``."""

        def work(given: dict[str, Tensor]) -> Proposals:
            return self._network.search(given["x"], filled(template, given))

        return self._replay("search", work, {"x": x, **named_tensors(template)})  # type: ignore[no-any-return]

    def refine_box(self, features: Any, rois: Tensor) -> Tensor:
        """As ``Network.refine_box``; ``features`` are the last that ``search`` gave."""

        def work(given: dict[str, Tensor]) -> Tensor:
            return self._network.refine_box(filled(features, given), given["rois"])

        return self._replay("box", work, {"rois": rois, **named_tensors(features)})  # type: ignore[no-any-return]

    def refine_mask(self, features: Any, rois: Tensor) -> Tensor:
        """As ``Network.refine_mask``, not captured: the number of targets with masks varies."""
        return self._network.refine_mask(features, rois)

    def confidence(self, x: Tensor, template: Template) -> tuple[Tensor, Tensor]:
        """As ``Network.confidence``, not captured."""
        return self._network.confidence(x, template)

    def _replay(
        self, name: str, work: Callable[[dict[str, Tensor]], Any], given: dict[str, Tensor]
    ) -> Any:
        key = (name, *(tuple(each.shape) for each in given.values()))
        if key not in self._graphs:
            self._graphs[key] = _Graph(work, given)
        return self._graphs[key](given)


class _Graph:
    """A captured call with its inputs and result."""

    def __init__(self, work: Callable[[dict[str, Tensor]], Any], given: dict[str, Tensor]) -> None:
        self._given = {name: each.clone() for name, each in given.items()}
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries choose and allocate before the capture
            for _ in range(3):
                work(self._given)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._found = work(self._given)

    def __call__(self, given: dict[str, Tensor]) -> Any:
        for name, each in given.items():
            if each is not self._given[name]:
                self._given[name].copy_(each)
        self._graph.replay()
        return self._found
