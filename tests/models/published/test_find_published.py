"""One word for weights: packaged, a run, a file that says what it is, a repository of a hub that is faked here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from safetensors.torch import save_file

from pellucid.core.errors import ConfigError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models import create
from pellucid.models.published import hub
from pellucid.models.published.find import published
from pellucid.models.weights import is_ours, write_weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def run_of(folder: Path, name: str = "convnet", task: str = "classify", channels: int = 1) -> Path:
    """A run folder as far as weights are concerned."""
    torch.manual_seed(0)
    made = Preprocess((16, 16), channels=channels, shift=(1.0,) * channels, scale=(0.5,) * channels)
    facts = DataFacts(task, "made", ("a", "b", "c"), (1, 1, 1), made)
    folder.mkdir(parents=True, exist_ok=True)
    net = create(name, 3, channels, (16, 16))
    about = {"task": task, "model": name, "facts": facts.as_dict()}
    write_weights(folder / "model.safetensors", net.state_dict(), about)
    return folder


def test_a_run_lends_its_weights(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run")
    for spec in (folder, str(folder / "model.safetensors")):
        found = published(spec)
        assert (found.network, found.classes, found.preprocess.size) == ("convnet", ("a", "b", "c"), (16, 16))
    other = published(folder, "convnet", n_classes=5, new_head=True)
    assert other.fresh == ("head.weight",) and other.classes == tuple(f"class {k}" for k in range(5))
    theirs = found.net.state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in other.net.state_dict().items() if k not in other.fresh)
    assert is_ours(folder / "model.safetensors")


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run")
    with pytest.raises(WeightsError, match="has weights of convnet, not of resnet18. Choose convnet, or other weights"):
        published(folder, "resnet18")
    with pytest.raises(WeightsError, match="does not fit convnet for 5 classes: it has 3"):
        published(folder, n_classes=5)
    with pytest.raises(WeightsError, match="holds a fcn_small; weights are taken from networks that were trained to"):
        published(run_of(tmp_path / "masks", "fcn_small", "segment"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="is a folder without model.safetensors"):
        published(tmp_path / "empty")
    with pytest.raises(
        WeightsError, match="There are no weights gone: give imagenet, efficientnet_lite0, .* hub:OWNER"
    ):
        published("gone")
    with pytest.raises(
        WeightsError, match=r"come as packages for .*, got resnet50. For resnet50 give a file \(torchvision"
    ):
        published("imagenet", "resnet50")
    with pytest.raises(WeightsError, match="come as packages for .*, got no network. Give a file"):
        published("imagenet")
    with pytest.raises(WeightsError, match="efficientnet_lite0 has weights of efficientnet_lite0, not of resnet50"):
        published("efficientnet_lite0", "resnet50")


def test_a_file_says_its_network_by_its_name_or_is_asked(tmp_path: Path) -> None:
    state = create("squeezenet1_1", 4).state_dict()
    torch.save(state, tmp_path / "squeezenet1_1-b8a52dc0.pth")
    torch.save(state, tmp_path / "mine.pth")
    assert published(tmp_path / "squeezenet1_1-b8a52dc0.pth").network == "squeezenet1_1"
    assert published(tmp_path / "mine.pth", "squeezenet1_1").n_classes == 4
    with pytest.raises(ConfigError, match=r"Of which network are the weights .*mine\.pth\? It does not say: name one"):
        published(tmp_path / "mine.pth")
    assert not is_ours(tmp_path / "mine.pth") and not is_ours(tmp_path / "gone")


# ------------------------------------------------------------------------------------------------ the hub


@contextmanager
def fake_hub(repo: str, files: dict[str, bytes]) -> Iterator[str]:
    """A hub of one repository on this machine: it lists its files, and gives them."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            name = path.rpartition("/")[2]
            if path.startswith(f"/api/models/{repo}"):
                entries = [{"type": "file", "path": f, "size": len(c), "oid": "0" * 40} for f, c in files.items()]
                siblings = [{"rfilename": file} for file in files]
                listing = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings}
                self.reply(json.dumps(entries if "/tree/" in path else listing).encode(), "application/json")
            elif path.startswith(f"/{repo}/resolve/") and name in files:
                self.reply(files[name], "application/octet-stream")
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def reply(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{abs(hash(content)):040x}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def timm_repository(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("repository")
    torch.manual_seed(0)
    save_file(create("squeezenet1_1", 4).state_dict(), folder / "model.safetensors")
    stated = {"input_size": [3, 64, 64], "crop_pct": 1.0, "interpolation": "bicubic", "license": "mit"}
    config = {"architecture": "squeezenet1_1", "pretrained_cfg": stated}
    return {
        "model.safetensors": (folder / "model.safetensors").read_bytes(),
        "config.json": json.dumps(config).encode(),
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # connections that the hub's package keeps open
def test_weights_of_a_repository(timm_repository: dict[str, bytes], tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("huggingface_hub", reason="extra `hub` is not installed")
    with fake_hub("someone/net", {**timm_repository, "README.md": b"# net"}) as address:
        path = hub.fetch("hub:someone/net", tmp_path, address)
        assert path.read_bytes() == timm_repository["model.safetensors"]
        monkeypatch.setattr(hub, "fetch", lambda spec: path)
        found = published("hub:someone/net")
        assert found.network == "squeezenet1_1" and found.preprocess.interpolation == "bicubic"
        assert found.preprocess.size == (64, 64) and found.licence == "mit" and found.n_classes == 4
    monkeypatch.undo()
    assert hub.fetch("hub:someone/net", tmp_path, address) == path  # the server is gone, the file is kept


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_repositories_that_cannot_be_used(timm_repository: dict[str, bytes], tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="extra `hub` is not installed")
    with fake_hub("someone/net", {"a.pth": b"x", "b.pth": b"x"}) as address:
        with pytest.raises(
            WeightsError, match=r"^hub:someone/net has 2 files of weights \(a\.pth, b\.pth\)\. Fetch the"
        ):
            hub.fetch("hub:someone/net", tmp_path, address)
        with pytest.raises(WeightsError, match="^Cannot fetch hub:someone/other: .* Check the name and the connection"):
            hub.fetch("hub:someone/other", tmp_path, address)
    with fake_hub("someone/net", {"README.md": b"x"}) as address:
        with pytest.raises(WeightsError, match="has no file of weights"):
            hub.fetch("hub:someone/net", tmp_path, address)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("spec", ["hub:someone/net", "hub:no such name", "hub:"])
def test_without_a_network_one_line_says_so(spec: str, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="extra `hub` is not installed")
    with pytest.raises(WeightsError, match=f"^Cannot fetch {spec}: .*give a file.$") as refused:
        hub.fetch(spec, tmp_path, "http://127.0.0.1:9")  # nobody listens there
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(
        WeightsError, match=r"^hub:a/b needs the hub's own package. Install it: pip install pellucid\[hub\]$"
    ):
        hub.fetch("hub:a/b")
