"""The solver: steps counted and made as told, best weights kept, a resumed training equal to one that went on."""

import json

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError, NonFiniteError, WeightsError
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.solver import Solver
from pellucid.scratch.nets.two_layer import TwoLayerNet
from pellucid.scratch.optimisers.table import RULES


def blobs(n: int = 60, seed: int = 0) -> dict[str, np.ndarray]:
    """Three clouds in four dimensions, validation from the same."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.standard_normal((3, 4))
    y, y_val = rng.integers(3, size=n), rng.integers(3, size=30)
    X, X_val = (centres[labels] + rng.standard_normal((len(labels), 4)) for labels in (y, y_val))
    return {"X_train": X, "y_train": y, "X_val": X_val, "y_val": y_val}


def small_net() -> FullyConnectedNet:
    return FullyConnectedNet(
        [8], 4, 3, normalization="batchnorm", dropout_keep_ratio=0.7, weight_scale="auto", dtype=np.float64
    )


def test_a_step_is_what_is_written():
    data = blobs()
    net, by_hand = TwoLayerNet(4, 5, 3, weight_scale=0.5), TwoLayerNet(4, 5, 3, weight_scale=0.5)
    solver = Solver(net, data, "sgd", {"learning_rate": 0.1}, batch_size=7, verbose=False, seed=3)
    solver.step()
    chosen = np.random.default_rng(3).choice(60, 7)
    loss, grads = by_hand.loss(data["X_train"][chosen], data["y_train"][chosen])
    assert solver.loss_history == [loss]
    for name, w in by_hand.params.items():
        np.testing.assert_array_equal(net.params[name], w - 0.1 * grads[name])


def test_steps_epochs_and_histories_are_counted():
    said: list[str] = []
    solver = Solver(
        TwoLayerNet(4, 5, 3), blobs(), batch_size=25, num_epochs=4, print_every=3, verbose=said.append, lr_decay=0.5
    )
    solver.train()
    assert solver.iterations_per_epoch == 2  # 60 // 25
    assert (solver.iteration, solver.epoch) == (8, 4)
    assert len(solver.loss_history) == 8
    assert len(solver.train_acc_history) == len(solver.val_acc_history) == 5  # after the first step and each epoch
    assert {len(norms) for norms in solver.gradient_norms.values()} == {4}
    assert solver.optim_configs["W1"]["learning_rate"] == pytest.approx(1e-2 / 16)
    assert [line.split(")")[0] for line in said] == [
        "(Iteration 1 / 8",
        "(Epoch 0 / 4",
        "(Epoch 1 / 4",
        "(Iteration 4 / 8",
        "(Epoch 2 / 4",
        "(Epoch 3 / 4",
        "(Iteration 7 / 8",
        "(Epoch 4 / 4",
    ]


def test_it_learns_and_its_norms_are_recorded():
    data = blobs()
    solver = Solver(small_net(), data, "adam", {"learning_rate": 1e-2}, batch_size=20, num_epochs=30, verbose=False)
    solver.train()
    assert solver.best_val_acc > 0.85 and np.mean(solver.loss_history[-5:]) < 0.5 * solver.loss_history[0]
    norms = solver.gradient_norms
    assert set(norms) == {"W1", "b1", "gamma1", "beta1", "W2", "b2"}
    assert min(norms["W1"]) > 0 and max(norms["b1"]) < 1e-12  # what batch norm subtracts again has no gradient


def test_norms_are_means_over_the_epoch():
    data = blobs(20)
    net, by_hand = TwoLayerNet(4, 5, 3, weight_scale=0.5), TwoLayerNet(4, 5, 3, weight_scale=0.5)
    solver = Solver(net, data, "sgd", {"learning_rate": 0.0}, batch_size=10, num_epochs=1, verbose=False)
    solver.step()
    rng = np.random.default_rng(0)
    lengths = []
    for _ in range(2):
        chosen = rng.choice(20, 10)
        lengths.append(np.linalg.norm(by_hand.loss(data["X_train"][chosen], data["y_train"][chosen])[1]["W1"]))
    solver.step()
    assert solver.gradient_norms["W1"] == [pytest.approx(np.mean(lengths))]


def test_the_best_weights_and_their_statistics_come_back():
    """A rising learning rate spoils the net after a while; what is left is the best epoch's."""
    data = blobs()
    net = small_net()
    solver = Solver(
        net, data, "sgd", {"learning_rate": 0.05}, lr_decay=2.0, batch_size=20, num_epochs=12, verbose=False
    )
    solver.train()
    assert solver.val_acc_history[-1] < solver.best_val_acc == max(solver.val_acc_history)
    assert np.mean(net.predict(data["X_val"]) == data["y_val"]) == solver.best_val_acc


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 7])
def test_a_resumed_training_goes_on_with_the_same_numbers(rule: str, steps: int, tmp_path):
    """Seven steps are two epochs and one step; everything is there in the first, and dropout draws too."""

    def fresh() -> Solver:
        settings = {"num_train_samples": 10, "num_val_samples": 8, "lr_decay": 0.9, "verbose": False, "seed": 4}
        return Solver(small_net(), blobs(), rule, batch_size=20, num_epochs=5, **settings)

    straight, first, second = fresh(), fresh(), fresh()
    for _ in range(steps):
        first.step()
    first.save(tmp_path / "solver.npz")
    second.resume(tmp_path / "solver.npz")
    assert (second.iteration, second.epoch) == (steps, steps // 3)
    straight.train()
    second.train()
    assert second.loss_history == straight.loss_history
    assert second.val_acc_history == straight.val_acc_history
    assert second.gradient_norms == straight.gradient_norms
    assert second.best_val_acc == straight.best_val_acc
    for name, w in straight.model.params.items():
        np.testing.assert_array_equal(second.model.params[name], w)
    assert second.optim_configs.keys() == straight.optim_configs.keys()
    for mine, theirs in zip(second.model.bn_params, straight.model.bn_params, strict=True):
        np.testing.assert_array_equal(mine["running_var"], theirs["running_var"])


def test_a_checkpoint_an_epoch(tmp_path):
    net = TwoLayerNet(4, 5, 3)
    name = str(tmp_path / "run")
    Solver(net, blobs(), num_epochs=2, batch_size=30, checkpoint_name=name, verbose=False).train()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_epoch_1.npz", "run_epoch_2.npz"]
    with np.load(f"{name}_epoch_1.npz", allow_pickle=False) as archive:  # any reader of NumPy's files opens it
        assert archive["params/W1"].shape == (4, 5)
        assert json.loads(archive["header.json"])["epoch"] == 1


def test_the_same_seed_gives_the_same_numbers():
    losses = []
    for seed in (0, 0, 1):
        solver = Solver(small_net(), blobs(), batch_size=10, num_epochs=2, verbose=False, seed=seed)
        solver.train()
        losses.append(solver.loss_history)
    assert losses[0] == losses[1] != losses[2]


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the one that must stay
    Solver(small_net(), blobs(), batch_size=10, num_epochs=1, verbose=False).train()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_accuracy_is_the_share_of_right_predictions():
    data = blobs()
    net = TwoLayerNet(4, 5, 3, weight_scale=1.0)
    solver = Solver(net, data, verbose=False)
    right = float(np.mean(net.predict(data["X_train"]) == data["y_train"]))
    for batch_size in (1, 7, 100):
        assert solver.check_accuracy(data["X_train"], data["y_train"], batch_size=batch_size) == right
    assert solver.check_accuracy(data["X_train"], data["y_train"], num_samples=60) == right
    assert 0 <= solver.check_accuracy(data["X_train"], data["y_train"], num_samples=10) <= 1
    assert solver.check_accuracy(data["X_train"][:0], data["y_train"][:0]) == 0


def test_a_loss_that_is_not_finite_stops_before_the_weights_change():
    data = blobs()
    data["X_train"] = data["X_train"].copy()
    said: list[str] = []
    solver = Solver(TwoLayerNet(4, 5, 3), data, batch_size=60, num_epochs=3, verbose=said.append)
    solver.step()
    weights = {name: w.copy() for name, w in solver.model.params.items()}
    solver.X_train[:] = np.nan
    with pytest.raises(NonFiniteError) as caught:
        solver.step()
    message = "The loss became nan at iteration 2; the weights were left as they were. Lower the learning rate."
    assert str(caught.value) == message
    for name, w in weights.items():
        np.testing.assert_array_equal(solver.model.params[name], w)
    solver.train()
    assert solver.diverged and said[-1] == message
    assert np.isfinite(solver.model.params["W1"]).all()


def test_it_speaks_on_stderr_unless_told_otherwise(capsys):
    Solver(TwoLayerNet(4, 5, 3), blobs(), num_epochs=1).train()
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("(Iteration 1 / 1) loss: 1.098")
    Solver(TwoLayerNet(4, 5, 3), blobs(), num_epochs=1, verbose=False).train()
    assert capsys.readouterr() == ("", "")


class Forgetful:
    """A student's net: params and loss alone, and one gradient missing."""

    def __init__(self) -> None:
        self.params = {"W": np.zeros((4, 3)), "b": np.zeros(3)}

    def loss(self, X, y=None):
        scores = X @ self.params["W"] + self.params["b"]
        return scores if y is None else (1.0, {"W": np.zeros((4, 3))})


def test_messages_about_data_and_models():
    data = blobs()
    with pytest.raises(DataError) as caught:
        Solver(Forgetful(), data, verbose=False).train()
    assert str(caught.value) == "The model's loss returned no gradient for b."
    with pytest.raises(DataError) as caught:
        Solver(Forgetful(), {"X_train": data["X_train"]})
    assert str(caught.value) == "data needs X_train, y_train, X_val, y_val; not there: y_train, X_val, y_val."
    with pytest.raises(DataError) as caught:
        Solver(Forgetful(), data | {"y_val": data["y_val"][:5]})
    assert str(caught.value) == "X_val has 30 samples, y_val 5 labels; they must be as many."
    with pytest.raises(DataError) as caught:
        Solver(Forgetful(), data | {"X_train": data["X_train"][:0], "y_train": data["y_train"][:0]})
    assert str(caught.value) == "X_train is empty: there is nothing to train on."


def test_messages_about_settings():
    with pytest.raises(ConfigError, match=r"^Unknown update_rule 'adan'\. Did you mean 'adam'"):
        Solver(Forgetful(), blobs(), "adan")
    with pytest.raises(ConfigError) as caught:
        Solver(Forgetful(), blobs(), batch_size=0)
    assert str(caught.value) == "batch_size must be 1 or more and num_epochs 0 or more, got 0 and 10."
    with pytest.raises(TypeError):
        Solver(Forgetful(), blobs(), batchsize=3)


def test_messages_about_checkpoints(tmp_path):
    path = tmp_path / "a.npz"
    solver = Solver(TwoLayerNet(4, 5, 3), blobs(), verbose=False)
    with pytest.raises(WeightsError) as caught:
        solver.resume(path)
    assert str(caught.value) == f"Cannot read the checkpoint {path}: No such file or directory."
    for content in (b"", b"no zip", b"PK\x03\x04 half a zip"):
        path.write_bytes(content)
        with pytest.raises(WeightsError) as caught:
            solver.resume(path)
        assert str(caught.value) == f"{path} is no checkpoint of a solver, or is damaged. Use another one."
    np.savez(path, a=np.ones(3))
    with pytest.raises(WeightsError, match="is no checkpoint of a solver"):
        solver.resume(path)
    solver.save(path)
    with pytest.raises(WeightsError) as caught:
        Solver(TwoLayerNet(4, 6, 3), blobs(), verbose=False).resume(path)
    assert str(caught.value) == (
        f"{path} was saved with parameters {{'W1': (4, 5), 'b1': (5,), 'W2': (5, 3), 'b2': (3,)}}, this solver has "
        f"{{'W1': (4, 6), 'b1': (6,), 'W2': (6, 3), 'b2': (3,)}}; they must be equal."
    )
    with pytest.raises(WeightsError) as caught:
        Solver(TwoLayerNet(4, 5, 3), blobs(), "adam", verbose=False).resume(path)
    assert str(caught.value) == f"{path} was saved with update_rule sgd, this solver has adam; they must be equal."


def test_a_damaged_checkpoint_changes_nothing(tmp_path):
    path = tmp_path / "a.npz"
    solver = Solver(TwoLayerNet(4, 5, 3), blobs(), verbose=False)
    solver.step()
    solver.save(path)
    whole = path.read_bytes()
    before = {name: w.copy() for name, w in solver.model.params.items()}
    solver.step()
    moved = {name: w.copy() for name, w in solver.model.params.items()}
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError):
        solver.resume(path)
    assert all(np.array_equal(solver.model.params[name], w) for name, w in moved.items())
    path.write_bytes(whole)
    solver.resume(path)
    assert all(np.array_equal(solver.model.params[name], w) for name, w in before.items())
