"""The tracking step for many targets at once: frames to crops, through the network, and back."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.arrays import FloatArray, Image
from bench.errors import TrackerError
from bench.geometry import box_to_polygon
from trackers.siamattn import masks, on_device, search
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.figure import ConfidenceMaps
from trackers.siamattn.graphs import CapturedNetwork
from trackers.siamattn.network import Features, Network, Proposals, Template
from trackers.siamattn.records import join
from trackers.siamattn.target_state import SiamesePrediction, State

Floats = NDArray[np.float32]


class _Mask(NamedTuple):
    """Probabilities ``(h, w)`` of a region, with its corner ``(2,)`` and size ``(2,)``."""

    probabilities: Floats
    corner: FloatArray
    size: FloatArray


class Engine:
    """Turns a network's predictions into tracks. Targets are kept in states, not here.

    Args:
        network: in evaluation mode, on its device; or what answers as it does.
        tf32: whether a GPU may multiply float32 numbers in TF32.
        captured: replay the network's calls as CUDA graphs.
        on_device: choose proposals on the network's device; by default on a GPU.
    """

    def __init__(
        self,
        network: Network,
        *,
        tf32: bool = False,
        captured: bool = False,
        on_device: bool | None = None,
    ) -> None:
        self.network: Any = CapturedNetwork(network) if captured else network
        self.config = network.config
        self.device = network.device
        self.tf32 = tf32
        self.on_device = self.device.type == "cuda" if on_device is None else on_device
        self._stacked: tuple[list[Template], Any] = ([], None)
        tracking = self.config.tracking_for()  # any set: the map's geometry is the same
        self.anchors = search.anchors(self.config.rpn, tracking)
        self.window = search.cosine_window(self.config.rpn, tracking)
        if self.on_device:
            self._anchors, self._window = (
                torch.from_numpy(each).to(self.device) for each in (self.anchors, self.window)
            )

    def start(
        self, image: Image, box: FloatArray, tracking: TrackingConfig, masked: bool
    ) -> State:
        """The state of a target in its first frame.

        Args:
            image: ``(H, W, 3)``.
            box: centred, ``(4,)`` pixels.
            tracking: the hyper-parameters.
            masked: whether to predict a mask and the rectangle around it.
        """
        side = round(float(search.context_side(box[2:], tracking.context)))
        fill = image.mean(axis=(0, 1), dtype=np.float64)
        centre = search.middle_of_crop(box[:2], side, tracking)
        crop = search.crop(image, centre, side, tracking.exemplar, fill)
        target = search.roi_of(search.offset(side / 2 - centre, box)) * (tracking.exemplar / side)
        crop = search.fade_surround(crop, target, self.config.neck.surround)
        with inference(self.tf32):
            template = self.network.template(self._pixels([crop]))
        return State(box, fill, template, tracking, masked)

    def advance(
        self, states: Sequence[State], images: Sequence[Image]
    ) -> tuple[list[State], list[SiamesePrediction]]:
        """Track B targets into their next frames, in one pass through the network.

        Results equal those of one target at a time, up to float32 rounding.

        Args:
            states: not modified.
            images: one per state, of any sizes.

        Raises:
            TrackerError: the network's output is not finite.
        """
        views = [state.view for state in states]
        crops = [search_crop(*lane) for lane in zip(states, images, views, strict=True)]
        with inference(self.tf32):
            template = self._stack([state.template for state in states])
            answer = self.network.search(self._pixels(crops), template)
            features = answer.features
            choose = self._choose_on_device if self.on_device else self._choose
            proposals, deltas = choose(answer, states, views)
            found = self._locate(views, proposals, deltas)
            finds = zip(states, images, proposals, found, strict=True)
            moved = [self._follow(*lane) for lane in finds]
            small = self._masks(features, moved, views, proposals)
        ends = zip(moved, images, proposals, small, strict=True)
        return moved, [self._answer(*lane) for lane in ends]

    def confidence_maps(self, state: State, image: Image) -> ConfidenceMaps:
        """Figure 4 of the paper for a target's next frame; raises as ``advance``."""
        crop = search_crop(state, image, state.view)
        with inference(self.tf32):
            maps = self.network.confidence(self._pixels([crop]), state.template)
        plain, attended = (_numpy(each)[0] for each in maps)
        self._refuse_infinite("confidence", plain, attended)
        return ConfidenceMaps(crop, plain, attended, self.config.rpn.stride)

    def _stack(self, templates: list[Template]) -> Any:
        """The templates of all targets as one, kept for as long as the targets are the same."""
        kept, stacked = self._stacked
        if len(kept) != len(templates) or any(map(operator.is_not, kept, templates)):
            stacked = join(templates)
            self._stacked = (templates, stacked)
        return stacked

    def _choose(
        self, answer: Proposals, states: Sequence[State], views: Sequence[search.View]
    ) -> tuple[list[search.Proposal], search.Floats | None]:
        """The proposal of each target, and the box head's output ``(B, 4)`` if there is one."""
        maps = zip(states, views, _numpy(answer.cls), _numpy(answer.loc), strict=True)
        proposals = [self._propose(*lane) for lane in maps]
        if not self.config.refine.box:
            return proposals, None
        boxes = self._in_crop(views, proposals)
        lanes = zip(boxes, states, strict=True)
        rois = self._rois([search.box_region(box, state.tracking) for box, state in lanes])
        return proposals, _numpy(self.network.refine_box(answer.features, rois))

    def _choose_on_device(
        self, answer: Proposals, states: Sequence[State], views: Sequence[search.View]
    ) -> tuple[list[search.Proposal], search.Floats | None]:
        """The same with one copy back, of eleven numbers for each target."""
        tracking = [state.tracking for state in states]
        pairs = zip(states, views, strict=True)
        sizes = [state.box[2:] * view.zoom for state, view in pairs]
        lanes = on_device.lanes(sizes, tracking, self.device)
        rows = on_device.best_proposals(answer.cls, answer.loc, self._anchors, self._window, lanes)
        deltas = None
        if self.config.refine.box:
            rois = on_device.box_regions(rows, tracking)
            rows = torch.cat([rows, self.network.refine_box(answer.features, rois).double()], 1)
        found: FloatArray = rows.cpu().numpy()
        proposals = [on_device.proposal_of(row) for row in found]
        for proposal in proposals:
            self._check_proposal(proposal)
        if self.config.refine.box:
            deltas = found[:, 7:]
        return proposals, deltas

    def _propose(
        self, state: State, view: search.View, cls: Floats, loc: Floats
    ) -> search.Proposal:
        size = state.box[2:] * view.zoom
        with np.errstate(all="ignore"):  # non-finite values rank first and are refused below
            boxes, scores = search.decode(loc, self.anchors), search.foreground(cls)
            best = search.best_proposal(scores, boxes, size, self.window, state.tracking)
        self._check_proposal(best)
        return best

    def _check_proposal(self, best: search.Proposal) -> None:
        self._refuse_infinite("score or box of a proposal", best.score, best.penalty, best.box)

    def _in_crop(
        self, views: Sequence[search.View], proposals: Sequence[search.Proposal]
    ) -> list[FloatArray]:
        pairs = zip(proposals, views, strict=True)
        return [search.proposal_in_crop(p.box, view.instance) for p, view in pairs]

    def _locate(
        self,
        views: Sequence[search.View],
        proposals: Sequence[search.Proposal],
        deltas: search.Floats | None,
    ) -> list[FloatArray]:
        """Centred boxes in pixels of the frame, refined if there is a box head."""
        if deltas is None:
            pairs = zip(proposals, views, strict=True)
            return [search.offset(view.centre, p.box / view.zoom) for p, view in pairs]
        lanes = zip(self._in_crop(views, proposals), deltas * search.DELTAS, strict=True)
        with np.errstate(over="ignore"):
            refined = [search.shift(*lane) for lane in lanes]
        self._refuse_infinite("refined box", *refined)
        return [view.to_frame(box) for view, box in zip(views, refined, strict=True)]

    def _follow(
        self, state: State, image: Image, proposal: search.Proposal, found: FloatArray
    ) -> State:
        limits = np.array(image.shape[1::-1], dtype=np.float64)
        if self.config.refine.box:
            limits -= 1  # as in the released SiamAttn; PySOT uses the whole extent
        lr = state.tracking.lr
        return replace(state, box=search.next_box(state.box[2:], found, proposal, limits, lr))

    def _masks(
        self,
        features: Features,
        states: Sequence[State],
        views: Sequence[search.View],
        proposals: Sequence[search.Proposal],
    ) -> list[_Mask | None]:
        """The mask of each target; None if not masked."""
        lanes = [lane for lane, state in enumerate(states) if state.masked]
        found: list[_Mask | None] = [None] * len(states)
        if lanes:
            masked = [(states[k], views[k], proposals[k]) for k in lanes]
            boxes = [self._mask_box(*each) for each in masked]
            pairs = zip(boxes, masked, strict=True)
            regions = [search.mask_region(box, state.tracking) for box, (state, _, _) in pairs]
            logits = self.network.refine_mask(features, self._rois(regions, lanes))
            for lane, box, mask in zip(lanes, boxes, _numpy(logits.sigmoid()), strict=True):
                self._refuse_infinite("mask", mask)
                found[lane] = _Mask(mask, *views[lane].region_of_mask(box))
        return found

    def _mask_box(self, state: State, view: search.View, proposal: search.Proposal) -> FloatArray:
        """Centred, in crop pixels: where a mask is predicted."""
        if self.config.refine.in_window:
            return search.window_of(self.anchors[proposal.index], state.tracking)
        return view.to_crop(state.box)

    def _answer(
        self,
        state: State,
        image: Image,
        proposal: search.Proposal,
        small: _Mask | None,
    ) -> SiamesePrediction:
        centre, size = state.box[:2], state.box[2:]
        box = np.concatenate([centre - size / 2, size])
        if small is None:
            return SiamesePrediction(box, proposal.score, box=box)
        shape = image.shape[0], image.shape[1]
        pasted = masks.paste(*small, shape, state.tracking.mask_grid)
        mask = pasted > state.tracking.mask_threshold
        rectangle = masks.rotated_rectangle(mask)
        region = box_to_polygon(box) if rectangle is None else rectangle
        return SiamesePrediction(region, proposal.score, mask, box)

    def _refuse_infinite(self, what: str, *values: Floats | FloatArray | float) -> None:
        if not all(np.isfinite(each).all() for each in values):
            raise TrackerError(
                f"expected a finite {what} from the network of preset {self.config.name!r}, found "
                "NaN or infinity. Its weights are damaged or were never trained: use others "
                "with --weights FILE."
            )

    def _pixels(self, crops: Sequence[Image]) -> Tensor:
        """RGB crops as the network's input: BGR ``(B, 3, S, S)``, float 0..255."""
        stacked = torch.from_numpy(np.stack(crops)[..., ::-1].copy())
        return on_device.upload(stacked, self.device).permute(0, 3, 1, 2).float()

    def _rois(self, corners: Sequence[FloatArray], lanes: Sequence[int] | None = None) -> Tensor:
        """Regions ``(K, 5)``: lane, x1, y1, x2, y2; by default one per lane."""
        numbers = range(len(corners)) if lanes is None else lanes
        rows = np.column_stack([numbers, np.stack(corners)])
        return on_device.upload(torch.from_numpy(rows.astype(np.float32)), self.device)


def search_crop(state: State, image: Image, view: search.View) -> Image:
    """The search crop ``(255, 255, 3)`` of a frame."""
    return search.crop(image, view.centre, view.side, view.instance, state.fill)


@contextmanager
def inference(tf32: bool = False) -> Iterator[None]:
    """No gradients; on a GPU, deterministic convolutions, in float32 unless ``tf32``."""
    flags: Any = torch.backends.cudnn.flags
    products = torch.backends.cuda.matmul
    before, products.allow_tf32 = products.allow_tf32, tf32
    try:
        with torch.inference_mode(), flags(enabled=True, deterministic=True, allow_tf32=tf32):
            yield
    finally:
        products.allow_tf32 = before


def _numpy(tensor: Tensor) -> Floats:
    array: Floats = tensor.float().cpu().numpy()
    return array
