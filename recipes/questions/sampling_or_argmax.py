"""Why draw the next letter instead of taking the likeliest?

A language model gives a probability to each next letter. Taking the largest every time makes one text only, always the
same, and it soon runs in a circle: once a letter comes round again, so does all that followed it. Drawing by the
probabilities gives another text each time, whose letters are as frequent as those of the text that was learnt.

Between them lies the temperature: scores divided by T before the softmax. A small T draws nearly always the likeliest,
a large one anything. The model here knows only which letter follows which; one that remembers more runs in longer
circles, but it runs in circles.

    python recipes/questions/sampling_or_argmax.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import softmax

TEXT = (
    "twinkle twinkle little star how i wonder what you are up above the world so high like a diamond in the sky "
    "when the blazing sun is gone when he nothing shines upon then you show your little light twinkle twinkle all "
    "the night then the traveller in the dark thanks you for your tiny spark "
)
LETTERS = sorted(set(TEXT))


def scores() -> np.ndarray:
    """(K, K) logarithms of how often each letter follows each; a hundredth is added, so that nothing is impossible."""
    counts = np.full((len(LETTERS), len(LETTERS)), 0.01)
    for a, b in zip(TEXT, TEXT[1:] + TEXT[0], strict=True):
        counts[LETTERS.index(a), LETTERS.index(b)] += 1
    return np.log(counts)


def write(temperature: float, length: int, seed: int = 0) -> str:
    """A text that begins after a space; temperature 0 takes the likeliest letter."""
    rng, table, letter, text = np.random.default_rng(seed), scores(), LETTERS.index(" "), []
    draws = rng.random(length)
    for k in range(length):
        if temperature == 0:
            letter = int(table[letter].argmax())
        else:
            letter = int(np.searchsorted(softmax(table[letter] / temperature).cumsum()[:-1], draws[k]))
        text.append(LETTERS[letter])
    return "".join(text)


def frequencies(text: str) -> np.ndarray:
    return np.array([text.count(letter) for letter in LETTERS]) / len(text)


def distance(text: str) -> float:
    """Half the sum of differences of letter frequencies from those of the learnt text: 0 the same, 1 nothing shared."""
    return float(np.abs(frequencies(text) - frequencies(TEXT)).sum() / 2)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Texts, their variety, and how far their letters are from those learnt."""
    rows, lines = [], {}
    for temperature in (0.0, 0.3, 1.0, 3.0):
        text = write(temperature, 3000)
        pieces = len({text[k : k + 8] for k in range(len(text) - 7)})
        rows.append([f"{temperature:g}", text[:28].strip(), str(pieces), f"{distance(text):.3f}"])
        lines[f"T = {temperature:g}"] = (np.arange(1, len(LETTERS) + 1), np.sort(frequencies(text))[::-1])
    lines["the learnt text"] = (np.arange(1, len(LETTERS) + 1), np.sort(frequencies(TEXT))[::-1])
    picture = curves(lines, "How often the letters come", "letters, the most frequent first", "share of the text")
    return ["temperature T", "begins with", "different pieces of 8 letters", "distance"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
