"""Operations that have a compiled form are tested in both."""

import pytest

from pellucid.ops import compiled


@pytest.fixture(params=["plain", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled" and not compiled.has_numba():
        pytest.skip("numba is not installed")
    if request.param == "plain":
        monkeypatch.setattr(compiled, "has_numba", lambda: False)
    return request.param
