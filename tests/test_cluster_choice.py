"""How a choice of clusters is written and read."""

import pytest

from stylemix.clusters.choice import METHODS, ClusterChoice, parse_choice
from stylemix.errors import BadInput


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [None, 1, 12])
def test_what_is_written_is_read_again(method, k):
    choice = ClusterChoice(method, k)
    assert parse_choice(str(choice)) == parse_choice(f" {str(choice).upper()} ") == choice


@pytest.mark.parametrize(
    "text",
    [
        "", ":", ":3", "gmm:", "gmm:0", "gmm:-1", "gmm:+3", "gmm:1_0", "gmm:2.0", "gmm:٣", "gmm:²", "k-means", "dbscan",
        "gmm:3:4", "gmm,3", "gmm:99999999999", "gmm 3",
    ],
)  # fmt: skip
def test_what_is_no_choice_is_refused_with_what_would_be_one(text):
    with pytest.raises(BadInput, match=r"^clusters: must be METHOD or METHOD:K, .* gmm, kmeans.* got "):
        parse_choice(text)


def test_a_choice_that_is_none_cannot_be_made():
    with pytest.raises(BadInput, match="from 1, got gmm:0"):
        ClusterChoice("gmm", 0)
    with pytest.raises(BadInput, match="from 1, got spectral"):
        ClusterChoice("spectral")
