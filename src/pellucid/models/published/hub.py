"""Fetch weights from the Hugging Face hub. Happens only when a user asks for it, with extra `hub`."""

from pathlib import Path
from typing import Any

from pellucid.core.errors import WeightsError
from pellucid.models.published.timm import CONFIG

PREFIX = "hub:"
NAMES = ("model.safetensors", "pytorch_model.bin")  # what most repositories call their weights, the safer one first
TIMEOUT_S = 20.0
ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


def fetch(spec: str, cache: Path | None = None, endpoint: str | None = None) -> Path:
    """The weights file of `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION` on this machine, fetched if need be.

    A `config.json` of the repository is put beside it. What was fetched before is found without a network.

    Args:
        cache: where to keep files; None is the hub's own cache.
        endpoint: address of another hub than the public one.

    Raises:
        WeightsError: the extra is not installed, the hub cannot be reached or has no such repository, or it is not
            clear which of the repository's files are the weights.
    """
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise WeightsError(f"{spec} needs the hub's own package. Install it: pip install pellucid[hub]") from error
    repo, _, revision = spec.removeprefix(PREFIX).partition("@")
    where: dict[str, Any] = {"repo_id": repo, "revision": revision or None, "cache_dir": cache}
    try:
        told = hub.HfApi(endpoint=endpoint).model_info(repo, revision=revision or None, timeout=TIMEOUT_S)
    except Exception as error:  # each release raises others, of several packages; all mean that there is no answer
        found = _kept(hub, where)
        if found is None:
            raise WeightsError(_unreachable(spec, error)) from error
        return found
    files = [file.rfilename for file in told.siblings or ()]
    name = _weights_of(files, spec)
    try:
        path = Path(hub.hf_hub_download(filename=name, endpoint=endpoint, **where))
        if CONFIG in files:
            hub.hf_hub_download(filename=CONFIG, endpoint=endpoint, **where)
    except Exception as error:  # as above
        raise WeightsError(_unreachable(spec, error)) from error
    return path


def _kept(hub: Any, where: dict[str, Any]) -> Path | None:
    """What an earlier fetch has left in the cache."""
    try:
        found = [hub.try_to_load_from_cache(filename=name, **where) for name in NAMES]
    except ValueError:  # not the name of a repository
        return None
    return next((Path(path) for path in found if isinstance(path, str)), None)


def _weights_of(files: list[str], spec: str) -> str:
    """The file of a repository that holds its weights.

    Raises:
        WeightsError: none does, or several may.
    """
    for name in NAMES:
        if name in files:
            return name
    for ending in ENDINGS:
        fitting = [name for name in files if name.endswith(ending)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise WeightsError(
                f"{spec} has {len(fitting)} files of weights ({', '.join(fitting[:3])}). Fetch the one you want by "
                "hand, and give its path."
            )
    raise WeightsError(f"{spec} has no file of weights (looked for *{', *'.join(ENDINGS)}). Give another repository.")


def _unreachable(spec: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:150].rstrip(".") or type(error).__name__
    return f"Cannot fetch {spec}: {reason}. Check the name and the connection, or give a file."
