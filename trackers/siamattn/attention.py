"""Deformable Siamese attention (section 3.2), with one set of weights per level for both branches.

Notation: F is Z, the template's features, or X, the search image's: ``(B, C, H, W)``, or
``(B, C, N)`` with N cells in the equations. For each level

    S(F)    = gamma_s V A + F                           spatial self-attention, equation 2
    U(F, M) = gamma_c M F + F                           channel attention, equation 4
    Z'      = S(Z) + U(Z, M(Z)) + U(Z, M(X))            self- and cross-attention of the template
    X'      = S(X) + U(X, M(X)) + U(X, M(Z))            and of the search image

followed by a deformable convolution of Z' and X'. Terms of Z' that do not depend on X are computed
once per target. The released code differs from equations 1 and 3 (see ``SpatialAttention`` and
``channel_map``), and its weights need its form; ``formula`` selects between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trackers.siamattn.config import AttentionConfig, Formula
from trackers.siamattn.deform import DeformConv2d
from trackers.siamattn.layers import init_conv


class SpatialAttention(nn.Module):
    """S(F): every cell attends to all cells of its own map (equations 1 and 2)."""

    def __init__(self, channels: int, reduction: int, formula: Formula) -> None:
        """``channels`` is C; queries and keys have C' = ``C // reduction``."""
        super().__init__()
        self.formula = formula
        self.query_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.key_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))  # alpha of equation 2
        for conv in (self.query_conv, self.key_conv, self.value_conv):
            init_conv(conv)

    def forward(self, f: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same shape."""
        q, k, v = (_cells(c(f)) for c in (self.query_conv, self.key_conv, self.value_conv))
        if self.formula == "paper":
            q, k = k, q  # a column softmax of Q^T K is a row softmax of K^T Q
        return self.gamma * _map(self.attended(q, k, v), f) + f

    def attended(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Values ``(B, N, C)`` weighted by the similarity of queries and keys ``(B, N, C')``."""
        a = (q @ k.transpose(1, 2)).softmax(-1)  # (B, N, N): row i is what cell i attends to
        return a @ v


class ChannelUse(nn.Module):
    """gamma_c, the weight of channel attention, shared by self- and cross-attention."""

    def __init__(self) -> None:
        """gamma starts at 0, so training begins without attention."""
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, f: Tensor, channel: Tensor) -> Tensor:
        """U(F, M) - F = gamma_c M F. It is linear in M, so a sum of maps costs one product."""
        return self.gamma * _map(_cells(f) @ channel.transpose(1, 2), f)


def channel_map(f: Tensor, formula: Formula) -> Tensor:
    """M(F), the channel attention map (equation 3): ``(B, C, H, W)`` to ``(B, C, C)``.

    The paper's softmax of the energy F F^T weights similar channels most; the released softmax of
    minus the energy weights dissimilar ones.
    """
    cells = _cells(f)
    energy = cells.transpose(1, 2) @ cells
    return (energy if formula == "paper" else -energy).softmax(-1)


@dataclass(frozen=True, eq=False)
class TemplateTerms:
    """Attention terms of the template at one level; none depends on X.

    Attributes:
        z: Z, ``(B, C, h, w)``.
        fixed: S(Z) + U(Z, M(Z)), ``(B, C, h, w)``; 0 without self-attention.
        channel: M(Z), ``(B, C, C)``.
        final: the template's final features if no search image changes them, that is without
            cross-attention; else None.
    """

    z: Tensor
    fixed: Tensor
    channel: Tensor
    final: Tensor | None


class SiameseAttention(nn.Module):
    """The attention of all levels."""

    def __init__(self, levels: int, channels: int, config: AttentionConfig) -> None:
        """``levels`` maps of ``channels`` channels each, in both branches."""
        super().__init__()
        self.config = config
        self.pams = nn.ModuleList(
            SpatialAttention(channels, config.reduction, config.formula)
            for _ in range(levels if config.self_attention else 0)
        )
        self.cam_uses = nn.ModuleList(ChannelUse() for _ in range(levels))
        self.deform_convs = nn.ModuleList(
            DeformConv2d(channels)
            if config.deformable_convolution
            else nn.Conv2d(channels, channels, 3, padding=1)
            for _ in range(levels)
        )

    def template(self, zs: Sequence[Tensor]) -> tuple[TemplateTerms, ...]:
        """The terms of a template from Z ``(B, C, h, w)`` of each level."""
        return tuple(self._template(level, z) for level, z in enumerate(zs))

    def _template(self, level: int, z: Tensor) -> TemplateTerms:
        channel = channel_map(z, self.config.formula)
        fixed = torch.zeros_like(z)
        if self.config.self_attention:
            fixed = self.pams[level](z) + self.cam_uses[level](z, channel) + z
        final = None if self.config.cross_attention else self.deform_convs[level](fixed)
        return TemplateTerms(z, fixed, channel, final)

    def forward(
        self, terms: Sequence[TemplateTerms], xs: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Final features of template and search image at each level.

        Args:
            terms: terms of B templates.
            xs: X of the B search images, ``(B, C, H, W)`` for each level.

        Returns:
            ``(B, C, h, w)`` and ``(B, C, H, W)`` for each level.
        """
        pairs = zip(terms, xs, strict=True)
        out = [self._attend(level, *pair) for level, pair in enumerate(pairs)]
        return tuple(z for z, _ in out), tuple(x for _, x in out)

    def _attend(self, level: int, terms: TemplateTerms, x: Tensor) -> tuple[Tensor, Tensor]:
        use, conv = self.cam_uses[level], self.deform_convs[level]
        own = channel_map(x, self.config.formula)  # M(X)
        total, channel = torch.zeros_like(x), torch.zeros_like(own)
        if self.config.self_attention:
            total, channel = self.pams[level](x) + x, own
        if self.config.cross_attention:
            total, channel = total + x, channel + terms.channel
        z = terms.final
        if z is None:
            z = conv(terms.fixed + use(terms.z, own) + terms.z)
        return z, conv(total + use(x, channel))

    def residual(
        self, terms: Sequence[TemplateTerms], xs: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The output of ``forward`` without attention: all gammas and offsets at 0.

        Keeps the residual copies and the last convolution, so that later layers get features
        close to those they were trained on (figure 4, second column).
        """
        copies = 2 * self.config.self_attention + self.config.cross_attention
        zs = tuple(_plain(c, copies * t.z) for c, t in zip(self.deform_convs, terms, strict=True))
        return zs, tuple(_plain(c, copies * x) for c, x in zip(self.deform_convs, xs, strict=True))


def _plain(conv: nn.Module, f: Tensor) -> Tensor:
    """The 3x3 convolution of ``f`` without deformation."""
    if isinstance(conv, DeformConv2d):
        return F.conv2d(f, conv.weight, padding=1)
    out: Tensor = conv(f)
    return out


def _cells(f: Tensor) -> Tensor:
    """A map ``(B, C, H, W)`` as rows of cells ``(B, N, C)``; no copy in channels-last layout."""
    return f.flatten(2).transpose(1, 2)


def _map(cells: Tensor, like: Tensor) -> Tensor:
    """Rows of cells ``(B, N, C)`` as a map shaped like ``like``."""
    return cells.transpose(1, 2).reshape(like.shape)
