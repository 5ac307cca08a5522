"""PyTorch modules: layers against hand counts, the module's own parameters, and what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mapsearch

_REASON = "an extra package is not installed"
torch: Any = pytest.importorskip("torch", reason=_REASON)
pytest.importorskip("onnxscript", reason=_REASON)
nn: Any = torch.nn


def _parameters(module: Any) -> int:  # noqa: ANN401 of an extra package
    return sum(each.numel() for each in module.parameters())


def test_a_small_network(tmp_path: Path) -> None:
    """Convolutions, depthwise and grouped too, and fully connected layers have their MACs, and the file reads back the same."""
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding="same", groups=16),
        nn.ConvTranspose2d(32, 8, 2, stride=2, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    net.train()
    layers = mapsearch.layers_of(net, torch.zeros(2, 3, 32, 32), name="small", save=tmp_path / "small.yaml")
    assert net.training
    # Of the transposed convolution all MACs count, also those on inserted zeros.
    sizes = [2 * 16 * 16 * 16 * 27, 2 * 16 * 16 * 32 * 9, 2 * 32 * 32 * 8 * 16 * 4, 2 * 8 * 10]
    assert [entry.layer.macs for entry in layers.entries] == sizes
    assert layers.parameters == _parameters(net)
    assert layers.name == "small"
    assert mapsearch.load_layer_set(tmp_path / "small.yaml") == layers


def test_a_transformer_encoder() -> None:
    """A layer of BERT's size has the products of the shipped set's layer, with as many MACs."""
    encoder = nn.TransformerEncoderLayer(768, 12, 3072, activation="gelu", batch_first=True)
    layers = mapsearch.layers_of(encoder, torch.zeros(1, 384, 768))
    # Queries, keys and values come from one product; then the output's, and two of the feed-forward part.
    projections = 384 * 768 * (3 * 768 + 768 + 2 * 3072)
    assert layers.macs == projections + 2 * 12 * 384 * 384 * 64
    assert sum(entry.layer.macs for entry in layers.entries if entry.weights == "activations") == 2 * 12 * 384 * 384 * 64
    assert layers.parameters == _parameters(encoder)


def test_an_lstm() -> None:
    """Two layers in both directions have their gates' MACs, and the weights of the module."""
    lstm = nn.LSTM(16, 32, 2, batch_first=True, bidirectional=True)
    layers = mapsearch.layers_of(lstm, torch.zeros(2, 7, 16))
    assert layers.macs == 2 * 2 * 7 * 4 * 32 * ((16 + 32) + (64 + 32))
    assert layers.parameters == _parameters(lstm)


def test_several_inputs() -> None:
    """A sequence is positional arguments, a mapping is keyword arguments."""

    class Product(nn.Module):  # type: ignore[misc]
        """The product of two matrices."""

        def forward(self, one: Any, other: Any) -> Any:  # noqa: ANN401 of an extra package
            """The product."""
            return one @ other

    one, other = torch.zeros(3, 5), torch.zeros(5, 7)
    assert mapsearch.layers_of(Product(), (one, other)).macs == 3 * 5 * 7
    assert mapsearch.layers_of(Product(), {"other": other, "one": one}).macs == 3 * 5 * 7


def test_what_cannot_be_read() -> None:
    """Something else than a module, and an example that does not fit, are refused in one line."""
    with pytest.raises(mapsearch.InputError, match=r"^str: must be a torch.nn.Module, got a str$"):
        mapsearch.layers_of("resnet18", torch.zeros(1))
    with pytest.raises(mapsearch.InputError, match=r"^Linear: PyTorch cannot export it on this example: .*$"):
        mapsearch.layers_of(nn.Linear(3, 4), torch.zeros(1, 5))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "builder"),
    [
        *((name, name) for name in ("resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "vgg16", "efficientnet_b0")),
        *(("mnasnet", "mnasnet1_0"), ("squeezenet", "squeezenet1_0"), ("vit_b16", "vit_b_16")),
    ],
)
def test_networks_that_are_shipped(name: str, builder: str) -> None:
    """A network of torchvision has the MACs of each layer, and the parameters, of the shipped set."""
    torchvision: Any = pytest.importorskip("torchvision", reason=_REASON)
    layers = mapsearch.layers_of(getattr(torchvision.models, builder)(), torch.zeros(1, 3, 224, 224), name=name)
    shipped = mapsearch.load_layer_set(name)
    macs = [sorted(each.layer.macs for each in one.entries for _ in range(each.count)) for one in (layers, shipped)]
    assert macs[0] == macs[1]
    assert layers.parameters == shipped.parameters
