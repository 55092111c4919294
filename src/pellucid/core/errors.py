"""The errors a user can cause. Each is one line: what, what is allowed, what was got, what to do."""

# How torch says so for main memory, and libraries for a GPU's, in errors of no class of their own.
NO_MEMORY = (
    "can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


class PellucidError(Exception):
    """Base of everything the command line turns into one line and an exit code."""

    exit_code = 1


class ConfigError(PellucidError, ValueError):
    """A setting, flag or name that does not exist or does not fit; of settings, other libraries expect a ValueError."""

    exit_code = 2


class DataError(PellucidError, ValueError):
    """A data set, file, annotation or array that cannot be used; of arrays, other libraries expect a ValueError."""


class ImageError(DataError):
    """One picture that cannot be opened, or must not be; `kind` is a stable word by which such pictures are counted."""

    def __init__(self, message: str, kind: str = "unreadable") -> None:
        super().__init__(message)
        self.kind = kind


class WeightsError(PellucidError):
    """A weights or checkpoint file that is missing, damaged, or made for something else."""


class RunError(PellucidError):
    """A run folder that cannot be used as asked."""


class DeviceError(PellucidError):
    """A processor, GPU or precision that is not there."""


class WriteError(PellucidError):
    """A file that could not be written: disk full, no permission, read-only."""


class NonFiniteError(PellucidError):
    """A loss or gradient became NaN or infinite; the weights were left as they were."""

    exit_code = 3


class OutOfMemory(PellucidError):
    """Memory does not suffice, even for the smallest part of a batch."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised as Python raises Ctrl-C, so that both unwind the stack in the same way."""


class Interrupted(PellucidError):
    """Training was stopped by a signal, after its state was saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was asked for that is not there: Python's error, a GPU's, or a library's without a class."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
