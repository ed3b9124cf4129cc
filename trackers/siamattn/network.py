"""SiamAttn's network (figure 2): the template's terms, and predictions for search images.

Everything is batched over B targets: row b of a template belongs to row b of the search images.
The maps of the box and mask heads are fused only in ``refine_box`` and ``refine_mask``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trackers.siamattn.attention import SiameseAttention, TemplateTerms
from trackers.siamattn.backbone import BACKBONES
from trackers.siamattn.config import Config, NeckConfig
from trackers.siamattn.mask_window import MAP, RefineHead, cut, cut_levels, places_of
from trackers.siamattn.refine import BoxHead, Fusion, MaskHead
from trackers.siamattn.rpn import Correlation, Kernels, numbered, proposer

UNCROPPED = 20  # features at least this wide come from a search image and are not cropped


@dataclass(frozen=True, eq=False)
class HeadKernels:
    """The template side of all correlations.

    Attributes:
        rpn: ``(B, C, 5, 5)`` for each level, of scores and of regressions.
        fusion: ``(B, C, 5, 5)`` for each level, empty if neither head reads the correlations.
        mask: ``(B, C, 5, 5)`` if masks are predicted in windows, else empty.
    """

    rpn: Kernels
    fusion: tuple[Tensor, ...]
    mask: tuple[Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class Template:
    """Everything a frame needs from B targets, computed once per target.

    Attributes:
        features: Z, ``(B, C, 7, 7)`` for each level.
        terms: the attention's terms for each level, empty without attention.
        kernels: template side of the correlations, or None if it depends on the search image.
    """

    features: tuple[Tensor, ...]
    terms: tuple[TemplateTerms, ...]
    kernels: HeadKernels | None


@dataclass(frozen=True, eq=False)
class Features:
    """Inputs of the refinement for B search images.

    Attributes:
        crop: side of the search crop in pixels.
        early: the backbone's first levels, ``(B, C, 125, 125)`` and ``(B, C, 63, 63)``, and
            ``(B, C, 31, 31)`` if masks are predicted in windows.
        attended: X' of each level, ``(B, C, 31, 31)``.
        kernels: template side of the correlations for these images.
    """

    crop: int
    early: tuple[Tensor, ...]
    attended: tuple[Tensor, ...]
    kernels: HeadKernels


class Proposals(NamedTuple):
    """Result of ``search``.

    Attributes:
        cls: scores ``(B, 2A, 25, 25)``, background of the A anchors first, then foreground.
        loc: regressions ``(B, 4A, 25, 25)``: dx of all anchors, then dy, dw, dh.
        features: inputs of the refinement.
    """

    cls: Tensor
    loc: Tensor
    features: Features


class Neck(nn.Module):
    """Reduces levels of the backbone to C channels each, and crops the template's."""

    def __init__(self, channels: Sequence[int], levels: Sequence[int], config: NeckConfig) -> None:
        """``channels`` of all levels, and the ``levels`` that go on."""
        super().__init__()
        self.levels = dict(zip(levels, numbered("downsample", len(levels)), strict=True))
        self.crop = config.crop
        for level, name in self.levels.items():
            width = channels[level]
            reduce = Reduce(width, config.channels) if config.reduction else nn.Identity()
            self.add_module(name, reduce)

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """All levels to those that go on: ``(B, C, 7, 7)`` of a template, ``(B, C, 31, 31)`` of a
        search image."""
        parts = ((self.get_submodule(name), levels[k]) for k, name in self.levels.items())
        return tuple(self._crop(reduce(x)) for reduce, x in parts)

    def _crop(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        if width >= UNCROPPED:
            return x
        first = (width - self.crop) // 2
        return x[..., first : first + self.crop, first : first + self.crop]


class Reduce(nn.Module):
    """1x1 convolution and batch norm."""

    def __init__(self, channels: int, out: int) -> None:
        """``channels`` in, ``out`` out."""
        super().__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H, W)``."""
        out: Tensor = self.downsample(x)
        return out


class Network(nn.Module):
    """The whole network of a configuration; modules are named as in the released weights.

    New networks have the initial weights of training. With the preset ``siamattn``, ``state_dict``
    has exactly the keys of the released SiamAttn; with those of PySOT's trackers exactly PySOT's.
    """

    mask_head: Any  # a MaskHead, or a Correlation if masks are predicted in windows

    def __init__(self, config: Config) -> None:
        """``config`` is kept as ``network.config``."""
        super().__init__()
        self.config = config
        refine, levels = config.refine, config.backbone.levels
        self.backbone = BACKBONES[config.backbone.family](config.backbone)
        widths = self.backbone.channels
        self.neck = Neck(widths, levels, config.neck)
        channels = config.neck.channels if config.neck.reduction else widths[levels[-1]]
        self.rpn_head = proposer(len(levels), channels, config.rpn)
        if config.attention.enabled:
            self.feature_enhance = SiameseAttention(len(levels), channels, config.attention)
        self.early = 3 if refine.in_window else 2  # levels of the backbone that masks read
        if refine.box or (refine.mask and not refine.in_window):
            fused = (*widths[: self.early], *(channels for _ in levels))
            self.feature_fusion = Fusion(fused, channels, refine)
        if refine.in_window:
            self.mask_head = Correlation(channels, MAP**2)
            self.refine_head = RefineHead(widths[: self.early], channels)
        elif refine.mask:
            self.mask_head = MaskHead(channels, refine)
        if refine.box:
            self.bbox_head = BoxHead(channels, refine, config.rpn.stride)

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    def template(self, z: Tensor) -> Template:
        """Everything that later frames need from B targets.

        Args:
            z: BGR template crops ``(B, 3, 127, 127)``, float 0..255.
        """
        features = self.neck(self.backbone(z))
        if not self.config.attention.enabled:
            return Template(features, (), self._kernels(features))
        terms = self.feature_enhance.template(features)
        finals = [t.final for t in terms if t.final is not None]
        return Template(features, terms, self._kernels(finals) if finals else None)

    def search(self, x: Tensor, template: Template) -> Proposals:
        """Scores and regressions of all anchors.

        Args:
            x: BGR search crops ``(B, 3, 255, 255)``, float 0..255.
            template: of the same B targets.
        """
        levels = self.backbone(x)
        xs, kernels = self.attend(self.neck(levels), template)
        cls, loc = self.rpn_head(xs, kernels.rpn)
        return Proposals(cls, loc, Features(x.shape[-1], levels[: self.early], xs, kernels))

    def attend(
        self, xs: tuple[Tensor, ...], template: Template
    ) -> tuple[tuple[Tensor, ...], HeadKernels]:
        """X' of each level, ``(B, C, 31, 31)``, and the kernels to correlate it with.

        ``xs`` is X of each level, from the neck.
        """
        zs = template.features
        if self.config.attention.enabled:
            zs, xs = self.feature_enhance(template.terms, xs)
        return xs, template.kernels or self._kernels(zs)

    def _kernels(self, zs: Sequence[Tensor]) -> HeadKernels:
        refine = self.config.refine
        fused = refine.box or refine.correlated_mask
        fusion = self.feature_fusion.kernels(zs) if fused else ()
        mask = (self.mask_head.kernel(zs[-1]),) if refine.in_window else ()
        return HeadKernels(self.rpn_head.kernels(zs), fusion, mask)

    def refine_box(self, features: Features, rois: Tensor) -> Tensor:
        """The box head's output, before its scale of (.1, .1, .2, .2).

        Args:
            features: of B targets, from ``search``.
            rois: ``(K, 5)``: batch row, then x1, y1, x2, y2 in pixels of the search crop.

        Returns:
            ``(K, 4)``: dx, dy, dw, dh.
        """
        fused = self.feature_fusion.box(features.attended, features.kernels.fusion)
        return self.bbox_head(fused, rois, features.crop)  # type: ignore[no-any-return]

    def refine_mask(self, features: Features, rois: Tensor) -> Tensor:
        """Logits of the target in each region; arguments as ``refine_box``.

        Returns:
            ``(K, 64, 64)``; ``(K, 127, 127)`` in windows, which have the template's size.
        """
        if self.config.refine.in_window:
            return self._mask_in_window(features, places_of(rois, self.config.rpn.stride))
        fused = self.feature_fusion.mask(
            features.early, features.attended, features.kernels.fusion
        )
        return self.mask_head(fused, rois, features.crop)  # type: ignore[no-any-return]

    def _mask_in_window(self, features: Features, places: Tensor) -> Tensor:
        kernel = features.kernels.mask[0][places[:, 0]]
        x = cut(features.attended[-1], places, kernel.shape[-1] + 2)
        found = self.mask_head.correlate(x, kernel)
        windows = cut_levels(features.early, places)
        return self.refine_head(found, windows)  # type: ignore[no-any-return]

    def confidence(self, x: Tensor, template: Template) -> tuple[Tensor, Tensor]:
        """Figure 4: the best foreground probability at each position.

        Returns:
            Without and with attention, ``(B, 25, 25)`` each; equal if the network has none.
        """
        xs = self.neck(self.backbone(x))
        attended, kernels = self.attend(xs, template)
        with_attention = _foreground(self.rpn_head(attended, kernels.rpn)[0])
        if not self.config.attention.enabled:
            return with_attention, with_attention
        zs, plain = self.feature_enhance.residual(template.terms, xs)
        cls, _ = self.rpn_head(plain, self.rpn_head.kernels(zs))
        return _foreground(cls), with_attention


def _foreground(cls: Tensor) -> Tensor:
    """The highest target probability of any anchor: ``(B, 2A, H, W)`` to ``(B, H, W)``."""
    pairs = cls.view(len(cls), 2, -1, *cls.shape[2:]).softmax(1)
    return pairs[:, 1].amax(1)
