"""What keeps reconstructions from blurring: a loss on local spectra, and an adversary that looks at patches.

In: pictures [B, 3, H, W] in [-1, 1]. Out: scalars. The adversary is PatchGAN's discriminator (Isola et al. 2017,
section 3.2.2) with the hinge loss (Lim and Ye 2017); its push on the picture is scaled to a share of the
reconstruction's own gradient (Esser et al. 2021, equation 7, taken at the pixels). Knows nothing of autoencoders.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from train.starter.augment import RGB_TO_YCC

WINDOW = 16  # pixels; the side of the windows whose spectra are compared
DISCRIMINATOR_SHARE = 0.1  # of the discriminator's loss in the sum: it must not fill the clipped gradient


def frequency_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean difference of the amplitudes of luma in half-overlapping windows: as much texture, wherever it lies."""
    weights = torch.tensor(RGB_TO_YCC[0], device=output.device)
    spectra = [_amplitudes(torch.einsum("j,bjhw->bhw", weights, picture.float())) for picture in (output, target)]
    return (spectra[0] - spectra[1]).abs().mean()


def _amplitudes(luma: torch.Tensor) -> torch.Tensor:
    windows = luma.unfold(1, WINDOW, WINDOW // 2).unfold(2, WINDOW, WINDOW // 2)
    taper = torch.hann_window(WINDOW, periodic=True, device=luma.device)
    spectrum = torch.fft.rfft2(windows * taper[:, None] * taper[None, :], norm="ortho")
    return torch.sqrt(spectrum.real.square() + spectrum.imag.square() + 1e-8)  # smooth at 0


class Discriminator(nn.Module):
    """[B, 3, H, W] -> logits [B, 1, H / 8, W / 8]: above 0 where a patch looks like a photo."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.GroupNorm(8, after), nn.LeakyReLU(0.2)]
        layers[1] = nn.Identity()  # no norm on colours
        self.layers = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 3, 1, 1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of every patch."""
        return self.layers(pictures)


def adversarial_terms(
    discriminator: Discriminator, output: torch.Tensor, target: torch.Tensor, reconstruction: torch.Tensor, share: float
) -> torch.Tensor:
    """What the adversary adds to the loss: its push on `output`, and its own lesson, which does not reach `output`.

    Args:
        output: what was reconstructed, with a graph back to the autoencoder.
        reconstruction: the scalar loss of `output` so far; its gradient at the pixels sets the scale.
        share: of that gradient's norm; 0 = the discriminator learns and does not push.
    """
    real, fake = discriminator(target), discriminator(output.detach())
    lesson = F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()
    total = DISCRIMINATOR_SHARE * lesson
    if share:
        frozen = {name: value.detach() for name, value in discriminator.named_parameters()}
        pixels = output.detach().requires_grad_()
        doubt = -functional_call(discriminator, frozen, (pixels,)).float().mean()
        (push,) = torch.autograd.grad(doubt, pixels)
        (own,) = torch.autograd.grad(reconstruction, output, retain_graph=True)
        push = push.float() * (share * own.float().norm() / push.float().norm().clamp_min(1e-12))
        pushed = (output.float() * push).sum()
        total = total + pushed - pushed.detach()  # the gradient, and nothing added to the value
    return total
