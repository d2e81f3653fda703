"""The last touch on a decoded spectrum: a small network that is the same at every frequency."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

_REACH = 5


class Refiner(nn.Module):
    """Sharpen what few latent numbers have blurred, by what spectra look like nearby.

    What PCA leaves out is no noise: partials lose their peaks, floors are no longer flat, patches do not
    quite meet. That is repaired from the neighbourhood of each band, in this patch and the two beside it,
    with weights shared by all bands, so there are few of them and they serve music in any key. The last layer
    starts at zero.

    Parameters
    ----------
    frames_per_step : int
        F, frames in a patch.
    n_corpora : int
        Length of the condition.
    width : int
        Channels.
    depth : int
        Residual layers.

    References
    ----------
    .. [1] K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang, "Beyond a Gaussian denoiser: residual learning of deep CNN
       for image denoising", IEEE TIP 26(7), 2017: learning what to add instead of what to show.
    """

    def __init__(self, frames_per_step: int, n_corpora: int, width: int, depth: int) -> None:
        super().__init__()
        # Three patches; where on the axis; which corpus, and its mean there.
        n_inputs = 3 * frames_per_step + 2 + n_corpora + 1
        self.first = nn.Conv1d(n_inputs, width, _REACH, padding=_REACH // 2)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, _REACH, padding=_REACH // 2) for _ in range(depth))
        self.last = nn.Conv1d(width, frames_per_step, _REACH, padding=_REACH // 2)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, patches: torch.Tensor, condition: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
        """Say what is to be added.

        Parameters
        ----------
        patches : torch.Tensor, shape (B, F * K, M)
            Decoded, without the mean spectrum.
        condition : torch.Tensor, shape (B, n_corpora, M)
            Weights of the corpora.
        means : torch.Tensor, shape (n_corpora, K)
            Mean log-spectra.

        Returns
        -------
        torch.Tensor, shape (B, F * K, M)
            To be added to the patches.
        """
        b, n_corpora, m = condition.shape
        k = means.shape[1]
        x = patches.reshape(b, -1, k, m).permute(0, 3, 1, 2)
        before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
        after = torch.cat([x[:, 1:], x[:, -1:]], dim=1)
        place = torch.linspace(-1, 1, k, device=x.device, dtype=x.dtype)
        place = torch.stack([place, torch.cos(math.pi * place)]).expand(b, m, 2, k)
        corpus = condition.permute(0, 2, 1).to(x.dtype).unsqueeze(-1)
        mean = torch.einsum("bmcu,ck->bmuk", corpus, means.to(x.dtype))
        inputs = [before, x, after, place, corpus.expand(b, m, n_corpora, k), mean.to(x.dtype)]
        h = self.first(torch.cat(inputs, dim=2).flatten(0, 1))
        for layer in self.layers:
            h = h + 0.5 * layer(functional.gelu(h))
        out = self.last(functional.gelu(h))
        return out.reshape(b, m, -1, k).permute(0, 2, 3, 1).reshape(b, -1, m)
