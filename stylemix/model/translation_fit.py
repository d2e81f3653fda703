"""After the training: content brought to unit variance, the strength of a translation, and what both are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from stylemix.model.autoencoder import Autoencoder
from stylemix.model.frames import audible, set_loudness_apart
from stylemix.model.material import Crops, Piece
from stylemix.model.translation_loss import Sounds, TranslationLoss, relative
from stylemix.model.translator import Translator, contour_of

# Crops of held-out files at most, and of what is learned from.
_MOST_JUDGED = 96
_FITTED = 192
_BATCH = 24
# A prediction is a mean, and means are tame: how far a translation must be overdrawn to have the spread of the real
# thing is measured among these.
_STRENGTHS = tuple(np.arange(0.5, 2.01, 0.25).tolist())
_LEAST_VARIANCE = 1e-3
_NEIGHBOURS, _MOST_ASKED = 10, 2000


def fit_translation(model: Autoencoder, loss: TranslationLoss) -> dict[str, Any]:
    """Whiten a translator's content, choose its strength, and measure both on held-out files.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode; its translator's `content_means`, `whitener` and `strength` are set.
    loss : TranslationLoss
        Knows the material and how the corpora sound.

    Returns
    -------
    dict
        ``corpus_from_codes`` and ``corpus_from_content``: balanced accuracy with which a linear classifier finds a
        held-out step's corpus, both centred on their corpora. ``corpus_near_codes`` and ``corpus_near_content``:
        share of its nearest learned steps that are of its own corpus. ``texture_distance``: energy distance of
        held-out crops to the other corpora, as they are (``none``), with the difference of the mean spectra
        (``equaliser``) and translated (``learned``). ``strength``: what was chosen. Empty without a translator.
    """
    if (translator := model.translator) is None:
        return {}
    fitted, judged = _learned(loss), _judged(loss)
    with torch.inference_mode():
        content, sides = _steps(fitted, lambda crops: _content(translator, crops))
        _whiten(translator, content, sides)
        facts = _separation(model, fitted, judged)
        return {**facts, **_strength(translator, judged, loss.sounds.to(torch.device("cpu")))}


def _learned(loss: TranslationLoss) -> list[Crops]:
    training = loss.recipe.training
    rng, n_frames = np.random.default_rng((training.seed, 3, 0)), _crop_frames(loss)
    return [loss.material.draw(_BATCH, n_frames, rng) for _ in range(_FITTED // _BATCH)]


def _crop_frames(loss: TranslationLoss) -> int:
    return loss.recipe.training.crop_steps * loss.recipe.model.frames_per_step


def _judged(loss: TranslationLoss) -> list[Crops]:
    """Cut what is held out into crops, evenly spread where there are many."""
    material, n = loss.material, _crop_frames(loss)
    places: list[tuple[Piece, int]] = []
    for piece in material.judging():
        places += [(piece, a) for a in range(piece.start, max(piece.stop - n, piece.start) + 1, n)]
    places = places[:: -(-len(places) // _MOST_JUDGED)]
    found = []
    for piece, start in places:
        y = np.asarray(piece.frames[start : min(start + n, piece.stop)], dtype=np.float32)
        y = np.resize(y, (n, y.shape[1])).T.copy()
        shape, loudness = set_loudness_apart(torch.from_numpy(y)[None], floor_db=material.floor_db)
        weight = audible(loudness, material.levels[piece.corpus])
        context = material.context(piece, start, start + n)
        heard = None if context is None else context[None]
        found.append(Crops(shape, weight, torch.tensor([piece.corpus]), heard, loudness))
    return found


def _content(translator: Translator, crops: Crops) -> torch.Tensor:
    return translator.encode(crops.shape, contour_of(crops.loudness, translator.contour_frames))


def _steps(batches: list[Crops], encode: Callable[[Crops], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Encode crops; return the sounding steps as rows (S, D), and their corpora (S,)."""
    rows, sides = [], []
    for crops in batches:
        codes = encode(crops).movedim(1, 2)
        m = codes.shape[1]
        sounds = crops.weight.unflatten(-1, (m, -1)).mean(-1) > 0.5
        rows.append(codes[sounds])
        sides.append(crops.corpus[:, None].expand(-1, m)[sounds])
    return torch.cat(rows), torch.cat(sides)


def _whiten(translator: Translator, content: torch.Tensor, sides: torch.Tensor) -> None:
    centred = content.double()
    for c in sides.unique().tolist():
        mean = centred[sides == c].mean(0)
        centred[sides == c] -= mean
        translator.content_means[c] = mean.float()
    values, vectors = torch.linalg.eigh(centred.T @ centred / max(len(centred), 1))
    # Directions in which nothing happens stay small instead of being blown up to noise.
    translator.whitener.copy_((vectors / values.clamp_min(_LEAST_VARIANCE).sqrt()).T.float())


def _separation(model: Autoencoder, fitted: list[Crops], judged: list[Crops]) -> dict[str, float]:
    n = len(model.means)

    def condition(crops: Crops) -> torch.Tensor:
        return torch.nn.functional.one_hot(crops.corpus, n).float()

    def codes(crops: Crops) -> torch.Tensor:
        return model.encode(crops.shape, condition(crops), crops.context)

    def content(crops: Crops) -> torch.Tensor:
        translator = model.translator
        return translator.whiten(_content(translator, crops), condition(crops)) if translator else codes(crops)

    found = {}
    for name, encode in (("codes", codes), ("content", content)):
        steps = (*_steps(fitted, encode), *_steps(judged, encode))
        found[f"corpus_from_{name}"] = linear_accuracy(*steps)
        found[f"corpus_near_{name}"] = neighbour_accuracy(*steps)
    return found


def neighbour_accuracy(x: torch.Tensor, side: torch.Tensor, new: torch.Tensor, truth: torch.Tensor) -> float:
    """Ask how many of the nearest rows are of the own class.

    Parameters
    ----------
    x : torch.Tensor, shape (S, D)
        Rows to look among; of each class as many as of the smallest are looked among.
    side : torch.Tensor, shape (S,), int
        Their classes.
    new : torch.Tensor, shape (R, D)
        Rows whose neighbours are looked for.
    truth : torch.Tensor, shape (R,), int
        Their classes.

    Returns
    -------
    float
        Mean over the classes: one over their number where classes lie among each other, 1 where they lie apart.

    Examples
    --------
    >>> x, side = torch.arange(40.0)[:, None], torch.arange(40) % 2
    >>> 0.4 < neighbour_accuracy(x, side, x + 0.5, side) < 0.6
    True
    """
    fewest = int(min((side == c).sum() for c in side.unique()))
    # Evenly spread: another share of a class among all would be another chance.
    kept = torch.cat(
        [torch.nonzero(side == c)[:, 0][_spread_over(int((side == c).sum()), fewest)] for c in side.unique()]
    )
    some = _spread_over(len(new), _MOST_ASKED)
    near = torch.cdist(new[some], x[kept]).topk(min(_NEIGHBOURS, len(kept)), largest=False).indices
    own = (side[kept][near] == truth[some][:, None]).double().mean(1)
    return float(np.mean([float(own[truth[some] == c].mean()) for c in truth[some].unique()]))


def _spread_over(n: int, count: int) -> torch.Tensor:
    return torch.linspace(0, n - 1, min(n, count)).round().long()


def linear_accuracy(x: torch.Tensor, side: torch.Tensor, new: torch.Tensor, truth: torch.Tensor) -> float:
    """Fit a linear classifier to some rows and measure it on others.

    Parameters
    ----------
    x : torch.Tensor, shape (S, D)
        Rows to fit to.
    side : torch.Tensor, shape (S,), int
        Their classes.
    new : torch.Tensor, shape (R, D)
        Other rows.
    truth : torch.Tensor, shape (R,), int
        Their classes.

    Returns
    -------
    float
        Share of the rows told right, averaged over the classes that there are: one over their number is chance.

    Examples
    --------
    >>> x, side = torch.tensor([[0.0], [1.0], [4.0], [5.0]]), torch.tensor([0, 0, 1, 1])
    >>> linear_accuracy(x, side, torch.tensor([[-1.0], [7.0]]), torch.tensor([0, 1]))
    1.0
    """
    classes = side.unique()
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    rows, unheard = ((torch.cat([(v - mean) / deviation, torch.ones(len(v), 1)], 1)).double() for v in (x, new))
    # Least squares towards the classes' indicators, every class with the same weight, and a little ridge.
    member = (side[:, None] == classes).double()
    weight = (member / member.sum(0)).sum(1)
    gram = (rows * weight[:, None]).T @ rows + 1e-3 * torch.eye(rows.shape[1], dtype=torch.float64)
    guess = classes[(unheard @ torch.linalg.solve(gram, (rows * weight[:, None]).T @ member)).argmax(1)]
    return float(np.mean([float((guess[truth == c] == c).float().mean()) for c in truth.unique()]))


def _strength(translator: Translator, judged: list[Crops], sounds: Sounds) -> dict[str, Any]:
    """Measure translations of held-out crops to every other corpus, and keep the strength that comes nearest."""
    plain, change, tilt, weight, goal = _translations(translator, judged, sounds)
    if not len(plain):
        return {}

    def distance(moved: torch.Tensor) -> float:
        return round(float(sounds.distance(moved, weight, goal)), 4)

    found = {strength: distance(plain + strength * change) for strength in _STRENGTHS}
    best = min(found, key=lambda s: found[s])
    translator.strength.fill_(best)
    distances = {"none": distance(plain), "equaliser": distance(plain + tilt), "learned": found[best]}
    return {"strength": best, "texture_distance": distances}


def _translations(translator: Translator, judged: list[Crops], sounds: Sounds) -> tuple[torch.Tensor, ...]:
    rows: list[tuple[torch.Tensor, ...]] = []
    for crops in judged:
        here = int(crops.corpus[0])
        rendered = translator.render(_content(translator, crops))
        for there in range(translator.n_corpora):
            if there != here and len(sounds.textures[there]):
                tilt = (translator.means[there] - translator.means[here])[None, :, None]
                x = relative(crops, translator.contour_frames)
                sides = torch.eye(translator.n_corpora)[[here, there]].unsqueeze(-1).expand(-1, -1, x.shape[-1])
                change = translator.change(rendered, x, sides[:1], sides[1:])
                rows.append((x, change, tilt, crops.weight.mean(-1), torch.tensor([there])))
    if not rows:
        return (torch.zeros(0),) * 5
    return tuple(torch.cat(parts) for parts in zip(*rows, strict=True))
